internal import CNetfilter
internal import Glibc

/// What tells a file from others, and its size.
package struct FileIdentity: Sendable {
  private let device: UInt64
  private let number: UInt64
  /// Octets in it.
  package let size: Int

  /// That of the file that has this name now; nil if there is none.
  package init?(_ path: String) {
    var info = stat()
    // Sound: the pointer is that of a variable of the type the function fills.
    guard unsafe stat(path.nameForC, &info) == 0 else { return nil }
    self.init(info)
  }

  /// Whether this is the name of a directory.
  package static func isDirectory(_ path: String) -> Bool {
    var info = stat()
    // Sound: the pointer is that of a variable of the type the function fills.
    return unsafe stat(path.nameForC, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  init(_ info: stat) {
    device = UInt64(info.st_dev)
    number = UInt64(info.st_ino)
    size = Int(info.st_size)
  }

  /// Whether both are the same file.
  package func isSame(as other: FileIdentity) -> Bool {
    device == other.device && number == other.number
  }
}
