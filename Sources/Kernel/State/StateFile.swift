internal import CNetfilter
internal import Glibc

/// The files that nftrace keeps for itself: how things stand, what is to be undone, what was recorded.
/// A path is that of a file in a directory of its own (`OwnDirectory`); whatever could have been
/// written by somebody else is an error of kind `unavailable`, and left as it is. That a file, or its
/// directory, is not there is an answer (nil); that it could not be looked at is an error.
package enum StateFile {
  /// Octets that a file which is read as a whole may have: no journal or state is as long.
  private static let longest = 16 << 20

  /// The text of a file; nil if there is none.
  package static func read(_ path: String) throws(KernelError) -> String? {
    guard let file = try open(path, O_RDONLY) else { return nil }
    return try text(of: file, path)
  }

  static func text(of file: borrowing FileDescriptor, _ path: String) throws(KernelError) -> String
  {
    let attempt = "read \(path)"
    guard try file.information(attempt).st_size <= longest else {
      throw KernelError(cannot: attempt, help: "it is longer than a file of nftrace can be")
    }
    do {
      return String(decoding: try file.readToEnd(), as: UTF8.self)
    } catch {
      throw KernelError(cannot: attempt, function: "read", errno: error.code)
    }
  }

  /// Puts a file with this text there, which only its owner may read: whole, or not at all.
  package static func write(_ text: String, to path: String) throws(KernelError) {
    let place = try existing(path)
    let draft = OwnDirectory.draft(of: place.name)
    let file = try place.directory.create(draft, O_WRONLY)
    do throws(KernelError) {
      do {
        try file.write(Array(text.utf8))
      } catch {
        throw KernelError(cannot: "write \(path)", function: "write", errno: error.code)
      }
      try place.directory.rename(draft, to: place.name)
    } catch {
      try? place.directory.remove(draft)
      throw error
    }
  }

  /// Removes a file, if it is there.
  package static func remove(_ path: String) throws(KernelError) {
    let (parent, name) = split(path)
    try OwnDirectory.open(parent)?.remove(name)
  }

  /// Gives a file another name in the same directory, in the place of what has that name.
  package static func rename(_ path: String, to other: String) throws(KernelError) {
    let place = try existing(path)
    try place.directory.rename(place.name, to: split(other).name)
  }

  /// Octets of a file; nil if there is none.
  package static func size(_ path: String) throws(KernelError) -> Int? {
    guard let file = try open(path, O_RDONLY) else { return nil }
    return Int(try file.information("look at \(path)").st_size)
  }

  /// The names in a directory, in alphabetical order; none if there is no directory.
  package static func names(in path: String) throws(KernelError) -> [String] {
    guard try OwnDirectory.open(path) != nil else { return [] }
    do {
      return try Files.list(path).sorted()
    } catch {
      throw KernelError(
        cannot: "list the directory \(path)", function: "opendir", errno: error.code)
    }
  }

  /// Removes what is left of files that were being written by processes that are gone.
  package static func removeAbandonedDrafts(in path: String) throws(KernelError) {
    for name in try names(in: path) {
      guard let process = OwnDirectory.author(ofDraft: name), kill(process, 0) != 0, errno == ESRCH
      else { continue }
      try remove("\(path)/\(name)")
    }
  }

  /// Whether this process may look into a directory, or there is none.
  package static func isReadable(_ directory: String) -> Bool {
    // Sound: the name ends with a zero, which is as far as the call reads.
    unsafe access(directory.nameForC, R_OK | X_OK) == 0 || errno == ENOENT
  }

  /// Whether this process may put files into a directory, so that there may be some of its own; one on
  /// a file system that is read-only now counts as well.
  package static func isOurs(_ directory: String) -> Bool {
    // Sound: the name ends with a zero, which is as far as the call reads.
    unsafe access(directory.nameForC, R_OK | W_OK | X_OK) == 0 || errno == EROFS
  }

  // MARK: Opening

  /// The file, open; nil if there is none.
  static func open(_ path: String, _ flags: Int32) throws(KernelError) -> FileDescriptor? {
    let (parent, name) = split(path)
    guard let directory = try OwnDirectory.open(parent) else { return nil }
    return try directory.open(name, flags)
  }

  /// The directory of a path, which must be there, and the name in it.
  static func existing(_ path: String) throws(KernelError) -> Place {
    let (parent, name) = split(path)
    guard let directory = try OwnDirectory.open(parent) else {
      throw KernelError(cannot: "open the directory \(parent)", function: "open", errno: ENOENT)
    }
    return Place(directory: directory, name: name)
  }

  /// Where a file is, or is to be.
  struct Place: ~Copyable {
    let directory: OwnDirectory
    let name: String
  }

  private static func split(_ path: String) -> (parent: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let parent = path[..<slash]
    return (parent.isEmpty ? "/" : String(parent), String(path[path.index(after: slash)...]))
  }
}
