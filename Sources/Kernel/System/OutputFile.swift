internal import CNetfilter
internal import Glibc

/// A file that is written from its beginning to its end, readable by its owner alone.
package struct OutputFile: ~Copyable {
  private let file: FileDescriptor
  private let isNamed: Bool
  /// The name it has while it is written.
  package let path: String

  /// Makes the file that a user named, or empties the one that is there; links are followed. Nobody is
  /// waited for: a FIFO that nobody reads from is an error. With `mustBeRegular` so is all that is no
  /// file on a disk; with `mustBeNew` what is there already, a link as well. What `isForAll` has nothing in it that only
  /// its owner may read.
  package init(
    _ path: String, mustBeRegular: Bool = false, mustBeNew: Bool = false, isForAll: Bool = false
  ) throws(KernelError) {
    if path == "-" {
      throw KernelError(
        .usage, cannot: "write -",
        help: "A file needs a name; standard output is /dev/stdout, where nothing else is told.")
    }
    let file: FileDescriptor
    do {
      file = try FileDescriptor(
        path, O_WRONLY | O_CREAT | O_NONBLOCK | (mustBeNew ? O_EXCL | O_NOFOLLOW : 0),
        mode: isForAll ? 0o644 : 0o600)
    } catch {
      throw KernelError(
        .usage, cannot: "write \(path)", function: "open", errno: error.code,
        help: error.code == ENXIO ? "Nobody reads from it." : nil)
    }
    let kind = try file.information("write \(path)").st_mode & S_IFMT
    guard !mustBeRegular || kind == S_IFREG else {
      throw KernelError(
        .usage, cannot: "write \(path)",
        help: "It is no regular file, and what is recorded is begun anew when it is full.")
    }
    if kind == S_IFREG { _ = ftruncate(file.number, 0) }
    file.waits()
    self.file = file
    self.path = path
    isNamed = true
  }

  /// The path of a file, or of one that is to be made, from the root and without links in it: it stays
  /// right when the working directory or a link is another. The corresponding C function is `realpath`.
  package static func realPath(_ path: String) throws(KernelError) -> String {
    if let real = Files.realPath(path) { return real }
    let code = errno
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    guard code == ENOENT, !path.hasSuffix("/"),
      let directory = Files.realPath(Files.directory(of: path))
    else { throw KernelError(.usage, cannot: "write \(path)", function: "realpath", errno: code) }
    return (directory == "/" ? "" : directory) + "/" + name
  }

  /// Makes a file of nftrace's own, in a directory of its own (`StateFile`), in the place of what has
  /// that name: it is a new one under a name that nobody knows, and gets its own at once.
  package init(ours path: String) throws(KernelError) {
    let place = try StateFile.existing(path)
    let draft = OwnDirectory.draft(of: place.name)
    let file = try place.directory.create(draft, O_WRONLY)
    do {
      try place.directory.rename(draft, to: place.name)
    } catch {
      try? place.directory.remove(draft)
      throw error
    }
    self.file = file
    self.path = path
    isNamed = true
  }

  /// Makes a file of nftrace's own that has no name until `rename(to:)` gives it one, and so leaves
  /// nothing behind if this process dies before. It will be in the directory of `path`, which is one
  /// of its own; where the file system cannot do that, it has a draft's name meanwhile.
  package static func unnamed(_ path: String) throws(KernelError) -> OutputFile {
    let place = try StateFile.existing(path)
    let draft = OwnDirectory.draft(of: place.name)
    let directory = path.dropLast(place.name.utf8.count)
    if let file = try place.directory.createUnnamed() {
      return OutputFile(file, path: directory + draft, isNamed: false)
    }
    let file = try place.directory.create(draft, O_WRONLY)
    return OutputFile(file, path: directory + draft, isNamed: true)
  }

  private init(_ file: consuming FileDescriptor, path: String, isNamed: Bool) {
    self.file = file
    self.path = path
    self.isNamed = isNamed
  }

  /// Its descriptor; valid as long as this value lives.
  var number: Int32 { file.number }

  /// Appends octets. A full disk is an error like any other.
  package borrowing func write(_ bytes: [UInt8]) throws(KernelError) {
    do {
      try file.write(bytes)
    } catch {
      throw KernelError(cannot: "write \(path)", function: "write", errno: error.code)
    }
  }

  /// Lets all read it, whatever the umask is.
  borrowing func letAllRead() { _ = fchmod(file.number, 0o644) }

  /// Octets in the file; nil if that cannot be told.
  package var size: Int? {
    var info = stat()
    // Sound: the pointer is that of a variable of the type the function fills.
    return unsafe fstat(file.number, &info) == 0 ? Int(info.st_size) : nil
  }

  /// Takes away all that is behind so many octets: a write that failed may have left a part.
  package borrowing func cut(to octets: Int) {
    _ = ftruncate(file.number, off_t(octets))
    _ = lseek(file.number, off_t(octets), SEEK_SET)
  }

  /// Gives the finished file another name in its directory, in the place of what has that name.
  package consuming func rename(to other: String) throws(KernelError) {
    if !isNamed {
      let place = try StateFile.existing(path)
      try place.directory.link(file, as: place.name)
    }
    do {
      try StateFile.rename(path, to: other)
    } catch {
      try? StateFile.remove(path)
      throw error
    }
  }

  /// Gives a file that a user named another name, in the place of what has that.
  package static func rename(_ path: String, to other: String) throws(KernelError) {
    // Sound: the names end with a zero, which is as far as the call reads.
    guard unsafe Glibc.rename(path.nameForC, other.nameForC) == 0 else {
      throw KernelError(
        cannot: "rename \(path) to \(other)", function: "rename", errno: Glibc.errno)
    }
  }

  /// Removes what was written of a file that a user named, and will not be finished; what leads elsewhere stays.
  package borrowing func abandon() {
    var (named, written) = (stat(), stat())
    // Sound: the name ends with a zero, and the pointers are those of variables of the type the functions fill.
    guard unsafe lstat(path.nameForC, &named) == 0, unsafe fstat(file.number, &written) == 0,
      named.st_mode & S_IFMT == S_IFREG, named.st_ino == written.st_ino,
      named.st_dev == written.st_dev
    else { return }
    Self.remove(path)
  }

  /// Removes a file that a user named, if it is there.
  package static func remove(_ path: String) {
    // Sound: the name ends with a zero, which is as far as the call reads.
    _ = unsafe unlink(path.nameForC)
  }

  /// Removes the file.
  package consuming func remove() {
    // Sound: the name ends with a zero, which is as far as the call reads.
    if isNamed { _ = unsafe unlink(path.nameForC) }
  }

  /// The directory that a file is in.
  package static func directory(of path: String) -> String { Files.directory(of: path) }

  /// The names in a directory; none if it cannot be read.
  package static func names(in directory: String) -> [String] { Files.names(in: directory) }

  /// Makes a directory that only its owner can look into, unless it is there.
  package static func makeDirectory(_ path: String) throws(KernelError) {
    // Sound: the name ends with a zero, which is as far as the call reads.
    guard unsafe mkdir(path.nameForC, 0o700) == 0 || errno == EEXIST else {
      throw KernelError(
        cannot: "make the directory \(path)", function: "mkdir", errno: errno,
        help: KernelError.rootHelp(errno) ?? "NFTRACE_STATE_DIR names another place.")
    }
  }
}
