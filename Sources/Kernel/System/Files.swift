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
    // Sound: an entry and its name are read before the next one takes their place, and the
    // directory is closed once, at the end.
    guard let directory = unsafe opendir(path.nameForC) else { throw Errno.current }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(directory) else {
        // The end looks like an error but for this.
        if errno != 0 { throw Errno.current }
        return names
      }
      let octets = unsafe nftrace_entry_name(entry)!
      let name = unsafe String(
        octets: UnsafeBufferPointer(start: octets, count: strlen(octets)).map {
          UInt8(bitPattern: $0)
        })
      if name != ".", name != ".." { names.append(name) }
    }
  }

  /// The names in a directory; none if it cannot be read. Not for what is to be undone.
  static func names(in path: String) -> [String] { (try? list(path)) ?? [] }

  /// The path without links, "." and "..", from the root; nil, with errno set, if there is no such file.
  static func realPath(_ path: String) -> String? {
    // Sound: realpath() makes a string that ends with a zero, which is copied before it is freed.
    guard let real = unsafe realpath(path.nameForC, nil) else { return nil }
    defer { unsafe free(real) }
    return unsafe String(
      octets: UnsafeBufferPointer(start: real, count: strlen(real)).map {
        UInt8(bitPattern: $0)
      })
  }

  /// Where a symbolic link leads; nil if it cannot be read.
  static func destination(ofLink path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    // Sound: the pointer and the size are those of one buffer; readlink writes no terminator.
    let count = unsafe buffer.withUnsafeMutableBytes {
      unsafe readlink(path.nameForC, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    return count < 0 ? nil : String(octets: Array(buffer[..<count]))
  }
}
