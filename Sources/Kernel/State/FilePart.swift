internal import CNetfilter
internal import Glibc

/// Parts of a file of nftrace's own (`StateFile`) that is large.
package enum FilePart {
  /// So many octets from this one on, or as many as there are; with a negative `offset`, counted from
  /// the end. nil if the file cannot be read. The corresponding C function is `pread`.
  package static func read(_ path: String, from offset: Int, count: Int) -> [UInt8]? {
    guard
      let file = (try? StateFile.open(path, O_RDONLY)) ?? nil,
      let size = size(file.number)
    else { return nil }
    let start = offset < 0 ? max(size + offset, 0) : offset
    var done: Int?
    // Sound: pread() fills at most the capacity, and what it filled is what is declared initialised.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max(min(count, size - start), 0)) {
      buffer, filled in
      guard let base = buffer.baseAddress else { return }
      let got = unsafe pread(file.number, base, buffer.count, off_t(start))
      if got >= 0 {
        filled = got
        done = got
      }
    }
    return done == nil && start < size ? nil : bytes
  }

  private static func size(_ file: Int32) -> Int? {
    var info = stat()
    // Sound: the pointer is that of a variable of the type the function fills.
    guard unsafe fstat(file, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(info.st_size)
  }
}
