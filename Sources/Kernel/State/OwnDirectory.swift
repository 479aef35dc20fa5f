internal import CNetfilter
internal import Glibc

/// A directory whose files are believed, and done as this user, who may be root: nobody else can have
/// put anything there. Its files are opened relative to it, so that it stays the one that was looked
/// at, without following links and without waiting, and only if they are this user's alone.
struct OwnDirectory: ~Copyable {
  private let file: FileDescriptor
  private let path: String

  /// Opens the directory. nil if there is none. Throws if somebody else can write there, and with the
  /// errno if it cannot be opened.
  static func open(_ path: String) throws(KernelError) -> OwnDirectory? {
    let attempt = "look into the directory \(path)"
    let file: FileDescriptor
    do {
      file = try FileDescriptor(path, O_RDONLY | O_DIRECTORY)
    } catch {
      if error.code == ENOENT { return nil }
      throw KernelError(
        cannot: attempt, function: "open", errno: error.code,
        help: error.code == ENOTDIR
          ? "NFTRACE_STATE_DIR names another place" : KernelError.rootHelp(error.code))
    }
    let info = try file.information(attempt)
    // Root could have anything done anyway.
    if info.st_uid != geteuid(), info.st_uid != 0 {
      throw distrust(path, "it belongs to \(user(info.st_uid)), not to \(user(geteuid()))")
    }
    if info.st_mode & 0o022 != 0 {
      throw distrust(
        path, "others can write there (mode \(octal(info.st_mode & 0o7777))): chmod go-w \(path)")
    }
    return OwnDirectory(file: file, path: path)
  }

  private init(file: consuming FileDescriptor, path: String) {
    self.file = file
    self.path = path
  }

  /// Opens a file that is there; nil if there is none of this name. Throws if it is not this user's
  /// alone: a regular file of theirs with this one name. `flags` are those of open(2).
  borrowing func open(_ name: String, _ flags: Int32) throws(KernelError) -> FileDescriptor? {
    let attempt = "open \(path)/\(name)"
    let opened: FileDescriptor
    do {
      opened = try FileDescriptor(name, in: file, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
    } catch {
      if error.code == ENOENT { return nil }
      // ENXIO: a FIFO that nobody reads, or a socket.
      if error.code == ELOOP || error.code == ENXIO {
        throw Self.distrust("\(path)/\(name)", "it is no regular file")
      }
      // Root without the right to read others' files.
      if error.code == EACCES, geteuid() == 0, let owner = owner(of: name), owner != 0 {
        throw Self.distrust(
          "\(path)/\(name)", "it belongs to \(Self.user(owner)), not to \(Self.user(0))")
      }
      throw KernelError(
        cannot: attempt, function: "openat", errno: error.code,
        help: KernelError.rootHelp(error.code))
    }
    let info = try opened.information(attempt)
    var fault: String?
    if info.st_mode & S_IFMT != S_IFREG {
      fault = "it is no regular file"
    } else if info.st_uid != geteuid() {
      fault = "it belongs to \(Self.user(info.st_uid)), not to \(Self.user(geteuid()))"
    } else if info.st_nlink > 1 {
      fault = "it has another name as well (\(info.st_nlink) hard links)"
    } else if info.st_mode & 0o022 != 0 {
      fault = "others can write to it (mode \(Self.octal(info.st_mode & 0o7777)))"
    }
    if let fault { throw Self.distrust("\(path)/\(name)", fault) }
    return opened
  }

  /// Whose file it is; nil if that cannot be told. The corresponding C function is `fstatat`.
  private borrowing func owner(of name: String) -> uid_t? {
    var info = stat()
    // Sound: the pointer is that of a variable of the type the function fills.
    return unsafe fstatat(file.number, name, &info, AT_SYMLINK_NOFOLLOW) == 0 ? info.st_uid : nil
  }

  /// Makes a new file that only this user may read and write; EEXIST if there is one of this name.
  borrowing func create(_ name: String, _ flags: Int32) throws(KernelError) -> FileDescriptor {
    do {
      return try FileDescriptor(
        name, in: file, flags | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
    } catch {
      throw KernelError(
        error.code == EEXIST ? .usage : .unavailable, cannot: "make \(path)/\(name)",
        function: "openat", errno: error.code, help: KernelError.rootHelp(error.code))
    }
  }

  /// Makes a file without a name; nil where the file system has none. The flag is `O_TMPFILE`.
  borrowing func createUnnamed() throws(KernelError) -> FileDescriptor? {
    do {
      return try FileDescriptor(".", in: file, O_WRONLY | nftrace_o_tmpfile, mode: 0o600)
    } catch {
      if error.code == EOPNOTSUPP || error.code == EISDIR { return nil }
      throw KernelError(
        cannot: "write a file in \(path)", function: "openat", errno: error.code,
        help: KernelError.rootHelp(error.code))
    }
  }

  /// Gives an open file without a name one, which must be new.
  borrowing func link(_ opened: borrowing FileDescriptor, as name: String) throws(KernelError) {
    let link = "/proc/self/fd/\(opened.number)"
    // Sound: the names end with a zero, which is as far as the call reads.
    guard unsafe linkat(AT_FDCWD, link, file.number, name.nameForC, AT_SYMLINK_FOLLOW) == 0 else {
      throw KernelError(cannot: "make \(path)/\(name)", function: "linkat", errno: errno)
    }
  }

  /// Gives a file another name, in the place of what has that.
  borrowing func rename(_ name: String, to other: String) throws(KernelError) {
    // Sound: the names end with a zero, which is as far as the call reads.
    guard unsafe renameat(file.number, name.nameForC, file.number, other.nameForC) == 0 else {
      throw KernelError(
        cannot: "rename \(path)/\(name) to \(other)", function: "renameat", errno: errno)
    }
  }

  /// Removes a file; that there is none is no error.
  borrowing func remove(_ name: String) throws(KernelError) {
    // Sound: the name ends with a zero, which is as far as the call reads.
    if unsafe unlinkat(file.number, name.nameForC, 0) != 0, errno != ENOENT {
      throw KernelError(
        cannot: "remove \(path)/\(name)", function: "unlinkat", errno: errno,
        help: KernelError.rootHelp(errno))
    }
  }

  /// A name for a file that gets its real one when it is whole: nobody can have put anything there
  /// before, and what is left of a process that died is known for that.
  static func draft(of name: String) -> String {
    ".\(name).\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 36)).new"
  }

  /// The process that a draft is of; nil for another name.
  static func author(ofDraft name: String) -> Int32? {
    guard name.hasPrefix("."), name.hasSuffix(".new") else { return nil }
    return name.dropLast(4).split(separator: ".").last?.split(separator: "-").first
      .flatMap { Int32($0) }
  }

  // MARK: Words

  private static func distrust(_ path: String, _ reason: String) -> KernelError {
    KernelError(
      cannot: "trust \(path)",
      help: "\(reason). It is left alone: what it says could have been written by anybody.")
  }

  private static func user(_ number: uid_t) -> String { number == 0 ? "root" : "user \(number)" }

  private static func octal(_ mode: mode_t) -> String {
    "0" + String(mode, radix: 8)
  }
}
