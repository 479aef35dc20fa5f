internal import Glibc
package import Wire

/// Changes that are to be undone: a journal of them, and a guardian that undoes it should this process
/// die. All that nftrace changes and the kernel does not take back goes through here.
package struct GuardedJournal: ~Copyable {
  private let journal: Journal
  private let guardian: Guardian

  /// Starts both, in the network namespace of the calling thread. `directory` is made if it is
  /// missing. With `outlivesProcess` nobody but the guardian and who knows its `name` undoes it. Only
  /// with `namespaces` network namespaces may be made: the guardian keeps the right to remove them.
  package init(
    in directory: String, name: String? = nil, outlivesProcess: Bool = false,
    namespaces: Bool = false
  ) throws(KernelError) {
    let journal = try Journal(in: directory, name: name, outlivesProcess: outlivesProcess)
    do {
      guardian = try Guardian.start(journal: journal.path, namespaces: namespaces)
    } catch {
      // Nothing was changed yet.
      try? journal.discard()
      throw error
    }
    self.journal = journal
  }

  /// Where the journal is.
  package var path: String { journal.path }

  /// The process id of the guardian.
  package var guardianProcess: Int32 { guardian.process }

  // MARK: Changing

  /// Sets a sysctl, its value written down first. Where it has that value already, nothing happens.
  /// `false` if so.
  @discardableResult
  package borrowing func set(_ setting: Sysctl, to value: String) throws(KernelError) -> Bool {
    let old = try setting.read()
    if old == value { return false }
    let change = JournalEntry.SysctlChange(setting: setting, old: old, new: value)
    let along = try Self.settingsChanged(along: setting, to: value)
    try journal.make(.sysctl(change, along: along)) { () throws(KernelError) in
      try setting.write(value)
    }
    return true
  }

  /// Forwarding for all is forwarding for each, and says whether redirects are accepted
  /// (`inet_forward_change` and `addrconf_fixup_forwarding` of the kernel). Setting it back would
  /// not bring back what the single interfaces had.
  private static func settingsChanged(
    along setting: Sysctl, to value: String
  ) throws(KernelError) -> [JournalEntry.SysctlChange] {
    guard setting == .forwarding4 || setting == .forwarding6 else { return [] }
    let base = setting == .forwarding4 ? "net/ipv4/conf" : "net/ipv6/conf"
    let interfaces: [String]
    do throws(Errno) {
      interfaces = try Files.list("/proc/sys/\(base)").sorted()
      // There is always one: an end without it is none (readdir(3) takes ENOENT for the end).
      if !interfaces.contains("all") { throw Errno(code: EIO) }
    } catch {
      throw KernelError(
        cannot: "read the settings of the interfaces", function: "readdir", errno: error.code)
    }
    var expected: [(Sysctl?, String)] = interfaces.map {
      (Sysctl(path: "\(base)/\($0)/forwarding"), value)
    }
    if setting == .forwarding4 {
      expected.append((Sysctl(path: "\(base)/all/accept_redirects"), value == "0" ? "1" : "0"))
    }
    var changes: [JournalEntry.SysctlChange] = []
    for (setting, new) in expected {
      guard let setting, let old = try setting.valueIfPresent() else { continue }
      changes.append(.init(setting: setting, old: old, new: new))
    }
    return changes
  }

  /// Adds a rule of policy routing that leads to a table of nftrace's. It must be new: what was there
  /// before would be removed as well.
  package borrowing func add(
    _ rule: RoutingRule, with socket: inout RouteSocket
  ) throws(KernelError) {
    try journal.make(.rule(rule)) { () throws(KernelError) in try socket.add(rule) }
  }

  /// Adds a route to a table of nftrace's. It must be new.
  package borrowing func add(
    _ route: RouteMessage, with socket: inout RouteSocket
  ) throws(KernelError) {
    try journal.make(.route(route)) { () throws(KernelError) in try socket.add(route) }
  }

  /// Makes a TUN device that stays. Returns its name: the one the kernel chose, where `name` has "%d".
  /// It must be new.
  package borrowing func createPersistentTun(_ name: String) throws(KernelError) -> String {
    // Until the last step it goes with the file that made it.
    let device = try TunDevice(name, mustBeNew: true)
    var socket = try RouteSocket()
    try socket.request(
      LinkMessage.setting(alias: JournalEntry.tunAlias, of: device.index),
      attempt: "name \(device.name)")
    try journal.make(.tun(name: device.name, index: device.index)) { () throws(KernelError) in
      try device.setPersistent(true)
    }
    return device.name
  }

  /// Makes a network namespace with a name of nftrace's.
  package borrowing func createNamespace(named name: String) throws(KernelError) -> NetworkNamespace
  {
    if try NetworkNamespace.exists(named: name) {
      throw KernelError(
        .usage, cannot: "create the network namespace \(name)", function: "open", errno: EEXIST)
    }
    return try journal.make(.namespace(name)) { () throws(KernelError) in
      try NetworkNamespace.create(named: name)
    }
  }

  /// Says that tables of nf_tables of this name are about to be made.
  borrowing func willMakeTables(_ name: String) throws(KernelError) {
    try journal.make(.tables(name)) { () throws(KernelError) in }
  }

  // MARK: Ending

  /// What was changed stays, until somebody undoes the journal, which gets the name `name`.
  package consuming func keep(as name: String) throws(KernelError) {
    let path = journal.path
    let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
    do {
      try StateFile.rename(path, to: "\(directory)/\(name)")
    } catch {
      throw end(after: error)
    }
    // It finds nothing to take back under the name it knows.
    guardian.dismiss()
  }

  /// Takes everything back. Throws if it is not certain that all of it is: the journal then stays for
  /// the next command.
  package consuming func end() throws(KernelError) {
    let path = journal.path
    do {
      try Journal.undo(path)
    } catch {
      // It tries as well. Whether it got further is seen from the file.
      guardian.dismiss()
      if (try? StateFile.size(path)) != .some(nil) { throw error }
      return
    }
    guardian.dismiss()
  }

  /// Takes everything back because of an error. Returns that, and what could not be taken back.
  package consuming func end(after error: KernelError) -> KernelError {
    var error = error
    do {
      try end()
    } catch let failure {
      error.kind = .unavailable
      error.add(help: "And when everything was to be taken back: \(failure)")
    }
    return error
  }

  /// Takes back the changes of a journal that was kept, or that is another process's that is gone;
  /// that there is none is no error.
  @discardableResult
  package static func undo(_ path: String) throws(KernelError) -> [String] {
    try Journal.undo(path)
  }
}
