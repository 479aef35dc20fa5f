internal import CNetfilter
internal import Glibc

/// A file that is read from its beginning to its end, a piece at a time.
package struct InputFile: ~Copyable {
  private let file: FileDescriptor
  private let path: String

  /// Opens the file; "-" is standard input.
  package init(_ path: String) throws(KernelError) {
    self.path = path
    do {
      file =
        path == "-" ? FileDescriptor(owning: dup(STDIN_FILENO)) : try FileDescriptor(path, O_RDONLY)
    } catch {
      throw KernelError(.usage, cannot: "read \(path)", function: "open", errno: error.code)
    }
  }

  /// Opens a file of nftrace's own (`StateFile`); throws if there is none, or if somebody else can
  /// have written it.
  package init(ours path: String) throws(KernelError) {
    guard let file = try StateFile.open(path, O_RDONLY) else {
      throw KernelError(.usage, cannot: "read \(path)", function: "open", errno: ENOENT)
    }
    self.file = file
    self.path = path
  }

  /// The next octets, so many at most, 256 KiB if nothing else is said; none at the end.
  package borrowing func read(most: Int = 1 << 18) throws(KernelError) -> [UInt8] {
    var failure: Errno?
    // Sound: read() fills at most the capacity, and what it filled is what is declared initialised.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: most) { buffer, filled in
      do throws(Errno) {
        filled = try syscall { unsafe Glibc.read(file.number, buffer.baseAddress!, buffer.count) }
      } catch {
        failure = error
      }
    }
    if let failure {
      throw KernelError(.usage, cannot: "read \(path)", function: "read", errno: failure.code)
    }
    return bytes
  }

  /// What tells the open file from others, whatever it is called by now.
  package var identity: FileIdentity? {
    var info = stat()
    // Sound: the pointer is that of a variable of the type the function fills.
    return unsafe fstat(file.number, &info) == 0 ? FileIdentity(info) : nil
  }

  /// Whether there is a file of this name that can be read.
  package static func exists(_ path: String) -> Bool {
    // Sound: the name ends with a zero, which is as far as the call reads.
    unsafe access(path.nameForC, R_OK) == 0
  }
}
