internal import CNetfilter
internal import Glibc

/// A list of the changes the kernel does not undo by itself, written down before each is made, so
/// that whoever finds it can undo them: the command itself, its guardian, or a later command.
///
/// It is a small text file (see `JournalText`) in a directory of nftrace's own (`StateFile`). It names
/// the network namespace the changes were made in and the process that made them. An entry stays
/// until it is known that its change was not made, or was taken back.
struct Journal: ~Copyable {
  /// Where the file is.
  let path: String
  private let file: FileDescriptor

  /// What names of journals begin with, but for those of setups.
  static let prefix = "journal-"

  /// Starts a journal for the namespace of the calling thread, in a directory that is made if it is
  /// missing. With `outlivesProcess` it is not stale when this process is gone, but stays until
  /// somebody undoes it. Throws EEXIST if there is one of this name.
  init(
    in directory: String, name: String? = nil, outlivesProcess: Bool = false
  ) throws(KernelError) {
    let name = name ?? "\(Self.prefix)\(getpid())-\(Clock.monotonic)"
    let path = "\(directory)/\(name)"
    try OutputFile.makeDirectory(directory)
    guard let owner = try ProcessIdentity.of(getpid()) else {
      throw KernelError(cannot: "start the journal \(path)", help: "/proc is not mounted")
    }
    let text = JournalText(place: try .current(), owner: outlivesProcess ? nil : owner)
    file = try Self.create(path, text.header)
    // Processes of other PID namespaces cannot be looked up by their numbers.
    _ = nftrace_mark_held(file.number)
    self.path = path
  }

  /// A file that has its first lines from the moment it has its name.
  private static func create(
    _ path: String, _ header: String
  ) throws(KernelError) -> FileDescriptor {
    let place = try StateFile.existing(path)
    let draft = OwnDirectory.draft(of: place.name)
    let file = try place.directory.create(draft, O_RDWR | O_APPEND)
    do throws(KernelError) {
      try append(header, to: file, path)
      if try place.directory.open(place.name, O_RDONLY) != nil {
        throw KernelError(.usage, cannot: "start the journal \(path)", errno: EEXIST)
      }
      try place.directory.rename(draft, to: place.name)
    } catch {
      try? place.directory.remove(draft)
      throw error
    }
    return file
  }

  // MARK: Changing

  /// Makes a change that was written down first. Where it fails the entry goes only if it is certain
  /// that nothing was changed: the kernel refused it, or it is seen not to be there.
  borrowing func make<Made: ~Copyable>(
    _ entry: JournalEntry, by change: () throws(KernelError) -> Made
  ) throws(KernelError) -> Made {
    try Self.append(entry.line, to: file, path)
    do {
      return try change()
    } catch {
      var error = error
      if error.isRefusal || (try? entry.stands()) == false {
        // If even this cannot be written: that it does not stand will be seen again.
        try? Self.append(JournalText.withdrawnLine, to: file, path)
      } else {
        error.add(help: "It is not known whether that was done: \(path) is kept to undo it.")
      }
      throw error
    }
  }

  /// Appends a line: whole, or nothing of it.
  private static func append(
    _ line: String, to file: borrowing FileDescriptor, _ path: String
  ) throws(KernelError) {
    let attempt = "write to the journal \(path)"
    let size = try file.information(attempt).st_size
    do {
      try file.write(Array(line.utf8))
    } catch {
      // What follows must not stand behind the half of a line.
      _ = try? syscall { ftruncate(file.number, size) }
      throw KernelError(cannot: attempt, function: "write", errno: error.code)
    }
  }

  // MARK: Undoing

  /// Takes all changes of a journal back, the last one first, and removes the file; that there is none
  /// is no error. What somebody else has changed meanwhile is left alone, and what is gone already is
  /// no error; so it may be done again. If it is not certain that something is undone the rest is, the
  /// file stays and the first error is thrown. Returns what there was to be taken back, in words. The
  /// calling thread must be in the journal's namespace.
  @discardableResult
  static func undo(_ path: String) throws(KernelError) -> [String] {
    guard let file = try StateFile.open(path, O_RDWR | O_APPEND) else { return [] }
    let attempt = "undo the journal \(path)"
    // Two that undo one journal do so one after the other; who comes later finds its name gone.
    _ = try file.lock(attempt: attempt)
    guard try file.information(attempt).st_nlink > 0 else { return [] }
    let journal = try text(of: file, path)
    let place = try JournalPlace.current()
    var undone: [String] = []
    if !journal.place.isGone(by: place) {
      guard journal.place == place else {
        throw KernelError(
          .usage, cannot: attempt,
          help: "it is about the network namespace net:[\(journal.place.inode)]: do it there")
      }
      undone = try undo(journal, file, path)
    }
    try StateFile.remove(path)
    return undone
  }

  private static func undo(
    _ journal: JournalText, _ file: borrowing FileDescriptor, _ path: String
  ) throws(KernelError) -> [String] {
    var undone: [String] = []
    var first: KernelError?
    var left = 0
    for (number, entry) in zip(1..., journal.entries).reversed()
    where !journal.undone.contains(number) {
      do throws(KernelError) {
        var settings = journal.undoing[number] ?? []
        if settings.isEmpty {
          settings = try entry.settingsToRestore()
          if !settings.isEmpty {
            // On a full disk it is done all the same.
            try? append(JournalText.undoingLine(number, settings), to: file, path)
          }
        }
        try entry.takeBack(settings)
        undone.append("\(entry)")
        // Who tries again must not undo what somebody else does meanwhile.
        if journal.entries.count > 1 {
          try? append(JournalText.undoneLine(number), to: file, path)
        }
      } catch {
        left += 1
        first = first ?? error
      }
    }
    guard var first else { return undone }
    first.kind = .unavailable
    first.add(
      help: "\(left == 1 ? "One change is" : "\(left) changes are") not undone. \(path) is kept, "
        + "and the next nftrace in this network namespace tries again.")
    throw first
  }

  private static func text(
    of file: borrowing FileDescriptor, _ path: String
  ) throws(KernelError) -> JournalText {
    let text = try StateFile.text(of: file, path)
    do {
      return try JournalText(parsing: text)
    } catch {
      throw KernelError(
        cannot: "undo the journal \(path)",
        help: "It \(error.reason). It is left alone: remove it if it is not needed.")
    }
  }

  /// Removes the file and undoes nothing: for a command whose changes are to stay.
  consuming func discard() throws(KernelError) { try StateFile.remove(path) }

  // MARK: Finding

  /// Whether the file is a journal of the calling thread's namespace whose process is gone.
  static func isStale(
    _ text: JournalText, here place: JournalPlace
  ) throws(KernelError) -> Bool {
    if text.place.isGone(by: place) { return true }
    guard let owner = text.owner, text.place == place else { return false }
    return try !owner.runs()
  }

  /// Undoes what processes that are gone have left behind in the calling thread's namespace.
  static func undoStale(in directory: String) throws(KernelError) -> Leftovers {
    var found = Leftovers()
    for name in try StateFile.names(in: directory) where name.hasPrefix(prefix) {
      let path = "\(directory)/\(name)"
      do throws(KernelError) {
        guard let file = try StateFile.open(path, O_RDONLY) else { continue }
        guard nftrace_is_held(file.number) != 1,
          try isStale(try text(of: file, path), here: try .current())
        else { continue }
        found.undone += try undo(path)
      } catch {
        found.failures.append(error)
      }
    }
    return found
  }
}

extension JournalPlace {
  /// Whether it cannot be there any more, seen from `here`: another boot of the machine, or another
  /// namespace has its number.
  func isGone(by here: JournalPlace) -> Bool {
    boot != here.boot || inode == here.inode && cookie != here.cookie
  }

  /// That of the calling thread.
  static func current() throws(KernelError) -> JournalPlace {
    let attempt = "find out which network namespace this is"
    var cookie: UInt64 = 0
    // Sound: the pointer is that of a variable of the type the function fills.
    let code = unsafe nftrace_namespace_cookie(&cookie)
    guard code == 0 else {
      throw KernelError(cannot: attempt, function: "getsockopt", errno: code)
    }
    return JournalPlace(
      inode: try NetworkNamespace.current().identity.inode, cookie: cookie,
      boot: try Machine.boot())
  }
}
