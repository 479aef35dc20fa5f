package import Kernel

/// The file that a recorder writes, and the one before it.
package protocol RecordingMedium: AnyObject {
  /// Octets of the one before it; 0 if there is none.
  var previousSize: Int { get }
  /// Octets in the file; nil if that is not known.
  var size: Int? { get }
  /// Adds octets: all of them, or it throws and perhaps some.
  func write(_ bytes: [UInt8]) throws(KernelError)
  /// Cuts the file to so many octets.
  func cut(to octets: Int)
  /// Puts the file in the place of the one before it, and begins another.
  func rotate() throws(KernelError)
  /// Removes the file.
  func remove()
}
