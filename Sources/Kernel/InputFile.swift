internal import Glibc

/// A file that is read from its beginning to its end, a piece at a time.
public struct InputFile: ~Copyable {
  private let file: FileDescriptor
  private let path: String

  /// Opens the file; "-" is standard input.
  public init(_ path: String) throws(KernelError) {
    self.path = path
    do {
      file =
        path == "-" ? FileDescriptor(owning: dup(STDIN_FILENO)) : try FileDescriptor(path, O_RDONLY)
    } catch {
      throw KernelError(.usage, cannot: "read \(path)", function: "open", errno: error.code)
    }
  }

  /// The next octets, 256 KiB at most; none at the end.
  public borrowing func read() throws(KernelError) -> [UInt8] {
    var count = 0
    // Sound: read() fills at most the capacity, and what it filled is what is declared initialised.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 1 << 18) { buffer, filled in
      repeat {
        count = unsafe Glibc.read(file.number, buffer.baseAddress!, buffer.count)
      } while count < 0 && errno == EINTR
      filled = max(count, 0)
    }
    guard count >= 0 else {
      throw KernelError(.usage, cannot: "read \(path)", function: "read", errno: errno)
    }
    return bytes
  }

  /// Whether there is a file of this name that can be read.
  public static func exists(_ path: String) -> Bool { unsafe access(path, R_OK) == 0 }
}
