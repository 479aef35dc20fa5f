/// Where packets were captured.
package struct CaptureInterface: Sendable, Equatable {
  /// What its packets begin with.
  package var linkType: LinkType
  /// Its name in the system that recorded (if_name).
  package var name: String?
  /// What it is, for a person (if_description).
  package var description: String?
  /// The most octets kept of a packet; 0 is no limit.
  package var snapLength: UInt32
  /// Clock units in a second of the file it was read from (if_tsresol). It tells how exact the
  /// times are: they are given in nanoseconds here and written in nanoseconds whatever this is.
  package var unitsPerSecond: UInt64
  /// The comment. Several in a file are joined by line feeds.
  package var comment: String?

  /// An interface; what is nil is not written.
  package init(
    linkType: LinkType, name: String? = nil, description: String? = nil, snapLength: UInt32 = 0,
    unitsPerSecond: UInt64 = 1_000_000_000, comment: String? = nil
  ) {
    self.linkType = linkType
    self.name = name
    self.description = description
    self.snapLength = snapLength
    self.unitsPerSecond = unitsPerSecond
    self.comment = comment
  }
}
