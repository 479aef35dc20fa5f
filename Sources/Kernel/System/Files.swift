internal import CNetfilter
internal import Glibc
internal import Wire

extension Files {
  /// The directory that a file is in.
  static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

extension String {
  /// The octets that a name was made of, as C has them.
  var nameForC: [CChar] { octets.map { CChar(bitPattern: $0) } + [0] }
}

/// Small files and directories, of /proc mostly.
enum Files {
  /// The whole of a file as text. The corresponding C functions are `open` and `read`.
  static func text(_ path: String) throws(Errno) -> String {
    String(decoding: try FileDescriptor(path, O_RDONLY).readToEnd(), as: UTF8.self)
  }

  /// The names in a directory, without "." and "..". The corresponding C functions are `opendir` and
  /// `readdir`.
  static func list(_ path: String) throws(Errno) -> [String] {
    guard let directory = unsafe opendir(path) else { throw Errno.current }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(directory) else {
        // The end looks like an error but for this.
        if errno != 0 { throw Errno.current }
        return names
      }
      let name = unsafe String(cString: nftrace_entry_name(entry))
      if name != ".", name != ".." { names.append(name) }
    }
  }

  /// The names in a directory; none if it cannot be read. Not for what is to be undone.
  static func names(in path: String) -> [String] { (try? list(path)) ?? [] }

  /// Where a symbolic link leads; nil if it cannot be read.
  static func destination(ofLink path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    // Sound: the pointer and the size are those of one buffer; readlink writes no terminator.
    let count = unsafe buffer.withUnsafeMutableBytes {
      unsafe readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
  }
}
