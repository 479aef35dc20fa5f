internal import Glibc

/// A file that is written from its beginning to its end, readable by its owner alone.
public struct OutputFile: ~Copyable {
  private let file: FileDescriptor
  /// The name it has while it is written.
  public let path: String

  /// Makes the file, or empties the one that is there. A symbolic link is followed only if
  /// `followLinks`, as for a path that a user typed.
  public init(_ path: String, followLinks: Bool) throws(KernelError) {
    do {
      file = try FileDescriptor(
        path, O_WRONLY | O_CREAT | O_TRUNC | (followLinks ? 0 : O_NOFOLLOW), mode: 0o600)
    } catch {
      throw KernelError(.usage, cannot: "write \(path)", function: "open", errno: error.code)
    }
    self.path = path
  }

  /// Appends octets. A full disk is an error like any other.
  public borrowing func write(_ bytes: [UInt8]) throws(KernelError) {
    do {
      try file.write(bytes)
    } catch {
      throw KernelError(cannot: "write \(path)", function: "write", errno: error.code)
    }
  }

  /// Gives the finished file another name, in the place of what has that name.
  public consuming func rename(to other: String) throws(KernelError) {
    guard unsafe Glibc.rename(path, other) == 0 else {
      throw KernelError(
        cannot: "rename \(path) to \(other)", function: "rename", errno: Glibc.errno)
    }
  }

  /// Removes the file.
  public consuming func remove() { _ = unsafe unlink(path) }

  /// Makes a directory that only its owner can look into, unless it is there.
  public static func makeDirectory(_ path: String) -> Bool {
    unsafe mkdir(path, 0o700) == 0 || errno == EEXIST
  }
}
