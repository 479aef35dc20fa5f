internal import CNetfilter
internal import Glibc

/// Small files that say how things stand, and what can be done with files of a directory.
public enum StateFile {
  /// The text of a file; nil if there is none, or it may not be read.
  public static func read(_ path: String) -> String? { try? Files.text(path) }

  /// Puts a file with this text there, which only its owner may read: whole, or not at all.
  public static func write(_ text: String, to path: String) throws(KernelError) {
    let file = try OutputFile("\(path).new", followLinks: false)
    try file.write(Array(text.utf8))
    try file.rename(to: path)
  }

  /// Removes a file, if it is there.
  public static func remove(_ path: String) { _ = unsafe unlink(path) }

  /// Gives a file another name, in the place of what has that name.
  public static func rename(_ path: String, to other: String) throws(KernelError) {
    guard unsafe Glibc.rename(path, other) == 0 else {
      throw KernelError(cannot: "rename \(path) to \(other)", function: "rename", errno: errno)
    }
  }

  /// Octets of a file; nil if there is none.
  public static func size(_ path: String) -> Int? {
    var info = stat()
    // Sound: the pointer is that of a variable of the type the function fills.
    return unsafe stat(path, &info) == 0 ? Int(info.st_size) : nil
  }

  /// The names in a directory, in alphabetical order.
  public static func names(in directory: String) -> [String] { Files.names(in: directory).sorted() }

  /// Whether this process may look into a directory, or there is none.
  public static func isReadable(_ directory: String) -> Bool {
    unsafe access(directory, R_OK | X_OK) == 0 || errno == ENOENT
  }
}

/// A lock that commands take while they change something, one after the other. It goes with the
/// process. The corresponding C function is `flock`.
public struct FileLock: ~Copyable {
  private let file: FileDescriptor

  /// Takes the lock; waits for who has it, or returns nil if not `wait`.
  public static func take(_ path: String, wait: Bool = true) throws(KernelError) -> FileLock? {
    let file: FileDescriptor
    do {
      file = try FileDescriptor(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
    } catch {
      throw KernelError(
        cannot: "open the lock \(path)", function: "open", errno: error.code,
        help: KernelError.rootHelp(error.code))
    }
    while flock(file.number, LOCK_EX | (wait ? 0 : LOCK_NB)) != 0 {
      if errno == EINTR { continue }
      if errno == EWOULDBLOCK { return nil }
      throw KernelError(cannot: "take the lock \(path)", function: "flock", errno: errno)
    }
    return FileLock(file: file)
  }

  private init(file: consuming FileDescriptor) { self.file = file }
}
