internal import CNetfilter
internal import Glibc
public import Wire

/// A list of the changes the kernel does not undo by itself, written down before each is made, so
/// that whoever finds it can undo them: the command itself, its guardian, or a later command.
///
/// It is a small text file (see `JournalText`) that only its owner may read. It names the network
/// namespace the changes were made in and the process that made them.
public struct Journal: ~Copyable {
  /// Where the file is.
  public let path: String
  private let file: FileDescriptor

  /// Starts a journal for the namespace of the calling thread, in a directory that is made if it is
  /// missing. With `outlivesProcess` it is not stale when this process is gone, but stays until
  /// somebody undoes it. Throws EEXIST if there is one of this name.
  public init(
    in directory: String, name: String? = nil, outlivesProcess: Bool = false
  ) throws(KernelError) {
    let process = getpid()
    let path = "\(directory)/\(name ?? "journal-\(process)-\(Self.nextNumber())")"
    let attempt = "start the journal \(path)"
    if unsafe mkdir(directory, 0o700) != 0, errno != EEXIST {
      throw KernelError(
        cannot: attempt, function: "mkdir", errno: errno, help: KernelError.rootHelp(errno))
    }
    guard let owner = ProcessIdentity(process) else {
      throw KernelError(cannot: attempt, help: "/proc is not mounted")
    }
    let text = JournalText(place: try .current(), owner: outlivesProcess ? nil : owner)
    do {
      file = try Self.create(path, text.header)
    } catch {
      throw KernelError(
        error.code == EEXIST ? .usage : .unavailable, cannot: attempt, function: "open",
        errno: error.code, help: KernelError.rootHelp(error.code))
    }
    self.path = path
  }

  /// A file that has its first lines from the moment it has its name.
  private static func create(_ path: String, _ header: String) throws(Errno) -> FileDescriptor {
    let draft = "\(path).new"
    _ = unsafe unlink(draft)
    let file = try FileDescriptor(draft, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, mode: 0o600)
    defer { _ = unsafe unlink(draft) }
    try file.write(Array(header.utf8))
    guard unsafe link(draft, path) == 0 else { throw Errno.current }
    return file
  }

  /// Opens a journal that exists, to go on with it or to undo it.
  public init(path: String) throws(KernelError) {
    do {
      file = try FileDescriptor(path, O_RDWR | O_APPEND)
    } catch {
      throw KernelError(
        cannot: "open the journal \(path)", function: "open", errno: error.code)
    }
    self.path = path
  }

  private static func nextNumber() -> UInt64 {
    var time = timespec()
    // Sound: the pointer is that of a variable of the type the function fills.
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  // MARK: Changing

  /// Sets a sysctl, its value before written down first. Where it has that value already, nothing
  /// happens. `false` if so.
  @discardableResult
  public borrowing func set(_ setting: Sysctl, to value: String) throws(KernelError) -> Bool {
    let old = try setting.read()
    if old == value { return false }
    let along = Self.settingsChanged(along: setting, to: value)
    try record(.sysctl(.init(setting: setting, old: old, new: value), along: along))
    do {
      try setting.write(value)
    } catch {
      try withdraw()
      throw error
    }
    return true
  }

  /// Forwarding for all is forwarding for each, and says whether redirects are accepted
  /// (`inet_forward_change` and `addrconf_fixup_forwarding` of the kernel). Setting it back would
  /// not bring back what the single interfaces had.
  private static func settingsChanged(
    along setting: Sysctl, to value: String
  ) -> [JournalEntry.SysctlChange] {
    let isForwarding4 =
      setting == .forwarding4 || setting == Sysctl(path: "net/ipv4/conf/all/forwarding")
    guard isForwarding4 || setting == .forwarding6 else { return [] }
    let base = isForwarding4 ? "net/ipv4/conf" : "net/ipv6/conf"
    var expected: [(Sysctl?, String)] = Files.names(in: "/proc/sys/\(base)").sorted().map {
      (Sysctl(path: "\(base)/\($0)/forwarding"), value)
    }
    if isForwarding4 {
      expected.append((Sysctl(path: "\(base)/all/accept_redirects"), value == "0" ? "1" : "0"))
    }
    return expected.compactMap { setting, new in
      guard let setting, let old = try? setting.read() else { return nil }
      return JournalEntry.SysctlChange(setting: setting, old: old, new: new)
    }
  }

  /// Adds something with rtnetlink (a rule, route, address, link), the message that removes it
  /// written down first. It must be new: what was there before would be removed as well.
  public borrowing func add(
    _ message: NetlinkMessage, inverse: NetlinkMessage, with socket: inout RouteSocket,
    attempt: String
  ) throws(KernelError) {
    try record(.netlink(inverse))
    do {
      try socket.request(message, flags: .new, attempt: attempt)
    } catch {
      try withdraw()
      throw error
    }
  }

  /// Makes a network namespace with a name, which is written down first.
  public borrowing func createNamespace(named name: String) throws(KernelError) -> NetworkNamespace
  {
    try record(.namespace(name))
    do {
      return try NetworkNamespace.create(named: name)
    } catch {
      try withdraw()
      throw error
    }
  }

  borrowing func record(_ entry: JournalEntry) throws(KernelError) {
    try append(entry.line)
  }

  /// Says that the last entry did not come to be.
  borrowing func withdraw() throws(KernelError) { try append("withdrawn\n") }

  /// Says that the last entry came to be like this.
  borrowing func amend(_ entry: JournalEntry) throws(KernelError) {
    try append("withdrawn\n" + entry.line)
  }

  private borrowing func append(_ line: String) throws(KernelError) {
    do {
      try file.write(Array(line.utf8))
    } catch {
      throw KernelError(
        cannot: "write to the journal \(path)", function: "write", errno: error.code)
    }
  }

  // MARK: Undoing

  /// Takes all changes back, the last one first, and removes the file. What somebody else has
  /// changed meanwhile is left alone, and what is gone already is no error; so it may be done again.
  /// If something could not be undone the rest is, the file stays and the first error is thrown.
  /// The calling thread must be in the journal's namespace.
  public consuming func undo() throws(KernelError) {
    let attempt = "undo the journal \(path)"
    // Two that undo one journal do so one after the other.
    _ = flock(file.number, LOCK_EX)
    guard unsafe access(path, F_OK) == 0 else { return }
    let text: String
    do {
      text = try Files.text(path)
    } catch {
      throw KernelError(cannot: attempt, function: "open", errno: error.code)
    }
    guard let journal = JournalText(parsing: text) else {
      throw KernelError(.usage, cannot: attempt, help: "\(path) is no journal of nftrace")
    }
    let place = try JournalPlace.current()
    if journal.place.boot == place.boot {
      guard journal.place == place else {
        throw KernelError(
          .usage, cannot: attempt,
          help: "it is about the network namespace net:[\(journal.place.inode)]: do it there")
      }
      try Self.undo(journal.entries)
    }
    if unsafe unlink(path) != 0, errno != ENOENT {
      throw KernelError(cannot: attempt, function: "unlink", errno: errno)
    }
  }

  private static func undo(_ entries: [JournalEntry]) throws(KernelError) {
    var first: KernelError?
    for entry in entries.reversed() {
      do {
        switch entry {
        case .sysctl(let change, let along): try undo(change, along: along)
        case .netlink(let message): try undo(message)
        case .namespace(let name): try NetworkNamespace.remove(named: name)
        case .tables(let name): try TableKeeper.remove(name)
        }
      } catch {
        first = first ?? error
      }
    }
    if let first { throw first }
  }

  private static func undo(
    _ change: JournalEntry.SysctlChange, along: [JournalEntry.SysctlChange]
  ) throws(KernelError) {
    // Gone with its interface, or somebody else's by now.
    guard (try? change.setting.read()) == change.new else { return }
    let wanted = along.compactMap { other -> (Sysctl, String)? in
      guard let now = try? other.setting.read() else { return nil }
      return (other.setting, now == other.new ? other.old : now)
    }
    try change.setting.write(change.old)
    for (setting, value) in wanted where (try? setting.read()) != value {
      do {
        try setting.write(value)
      } catch  where error.errno == ENOENT {
        // Its interface went meanwhile: that of the command that died, say.
      }
    }
  }

  private static func undo(_ message: NetlinkMessage) throws(KernelError) {
    var socket = try RouteSocket()
    do {
      try socket.request(message, attempt: "undo a change to the routing tables")
    } catch {
      // It is gone already, and its interface with it perhaps.
      if [ENOENT, ESRCH, ENODEV, ENXIO, EADDRNOTAVAIL].contains(error.errno) { return }
      throw error
    }
  }

  /// Removes the file and undoes nothing: for a command whose changes are to stay.
  public consuming func discard() {
    _ = unsafe unlink(path)
  }

  // MARK: Finding

  /// Whether the file is a journal of the calling thread's namespace whose process is gone.
  static func isStale(_ text: JournalText, here place: JournalPlace) -> Bool {
    guard let owner = text.owner else { return text.place.boot != place.boot }
    return text.place.boot != place.boot || text.place == place && !owner.isAlive
  }

  /// Undoes what processes that are gone have left behind in the calling thread's namespace.
  /// Returns how many journals that were. An error does not keep it from the others; the first is
  /// thrown at the end.
  @discardableResult
  public static func undoStale(in directory: String) throws(KernelError) -> Int {
    let place = try JournalPlace.current()
    var count = 0
    var first: KernelError?
    for name in Files.names(in: directory).sorted() {
      let path = "\(directory)/\(name)"
      guard let content = try? Files.text(path), let text = JournalText(parsing: content),
        isStale(text, here: place)
      else { continue }
      do {
        try Journal(path: path).undo()
        count += 1
      } catch {
        first = first ?? error
      }
    }
    if let first { throw first }
    return count
  }
}

extension JournalPlace {
  /// That of the calling thread.
  static func current() throws(KernelError) -> JournalPlace {
    let boot = (try? Files.text("/proc/sys/kernel/random/boot_id")) ?? ""
    return JournalPlace(
      inode: try NetworkNamespace.current().identity.inode, cookie: nftrace_namespace_cookie(),
      boot: String(boot.prefix { $0 != "\n" }))
  }
}
