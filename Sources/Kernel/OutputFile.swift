internal import CNetfilter
internal import Glibc

/// A file that is written from its beginning to its end, readable by its owner alone.
public struct OutputFile: ~Copyable {
  private let file: FileDescriptor
  private let isNamed: Bool
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
    isNamed = true
  }

  /// Makes a file that has no name until `rename(to:)` gives it one, and so leaves nothing behind if
  /// this process dies before. It will be in the directory of `path`; where the file system cannot do
  /// that, it is called `path` meanwhile.
  public static func unnamed(_ path: String) throws(KernelError) -> OutputFile {
    let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
    let file: FileDescriptor
    do {
      file = try FileDescriptor(directory, O_WRONLY | nftrace_o_tmpfile, mode: 0o600)
    } catch {
      guard error.code == EOPNOTSUPP || error.code == EISDIR else {
        throw KernelError(
          .usage, cannot: "write a file in \(directory)", function: "open", errno: error.code)
      }
      return try OutputFile(path, followLinks: false)
    }
    return OutputFile(file, path: path, isNamed: false)
  }

  private init(_ file: consuming FileDescriptor, path: String, isNamed: Bool) {
    self.file = file
    self.path = path
    self.isNamed = isNamed
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
    if !isNamed {
      _ = unsafe unlink(path)
      let link = "/proc/self/fd/\(file.number)"
      guard unsafe linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 else {
        throw KernelError(cannot: "make \(path)", function: "linkat", errno: Glibc.errno)
      }
    }
    guard unsafe Glibc.rename(path, other) == 0 else {
      throw KernelError(
        cannot: "rename \(path) to \(other)", function: "rename", errno: Glibc.errno)
    }
  }

  /// Removes the file.
  public consuming func remove() { if isNamed { _ = unsafe unlink(path) } }

  /// Makes a directory that only its owner can look into, unless it is there.
  public static func makeDirectory(_ path: String) -> Bool {
    unsafe mkdir(path, 0o700) == 0 || errno == EEXIST
  }
}
