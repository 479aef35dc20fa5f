/// A part of a capture file with its own numbering of interfaces: most files are one section.
package struct CaptureSection: Sendable, Equatable {
  /// The machine that recorded (shb_hardware).
  package var hardware: String?
  /// Its operating system (shb_os).
  package var os: String?
  /// The program that recorded (shb_userappl).
  package var application: String?
  /// Comments, in the order of the file. There is no limit of 65535 octets on one.
  package var comments: [String]

  /// A section; what is nil is not written.
  package init(
    hardware: String? = nil, os: String? = nil, application: String? = nil, comments: [String] = []
  ) {
    self.hardware = hardware
    self.os = os
    self.application = application
    self.comments = comments
  }
}
