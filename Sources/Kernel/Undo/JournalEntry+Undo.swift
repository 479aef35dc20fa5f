internal import Glibc
internal import Wire

// Whether a change was made has three answers: yes, no, and that it could not be found out, which is
// an error that is thrown. What is undone and what is left alone is decided by these two alone.
extension JournalEntry {
  /// Whether what was changed is as it was changed to, now, in the calling thread's namespace.
  func stands() throws(KernelError) -> Bool {
    switch self {
    case .sysctl(let change, _):
      return try change.setting.valueIfPresent() == change.new
    case .rule(let rule):
      var socket = try RouteSocket()
      return try socket.rules().contains {
        $0.family == rule.family && $0.table == rule.table && $0.priority == rule.priority
          && $0.destination == rule.destination
      }
    case .route(let route):
      var socket = try RouteSocket()
      return try socket.routes().contains {
        $0.table == route.table && $0.destination == route.destination
      }
    case .tun(_, let index):
      var socket = try RouteSocket()
      return try socket.link(index).map(Self.isOurTun) ?? false
    case .namespace(let name):
      return try NetworkNamespace.exists(named: name)
    case .tables(let name):
      var rules = try RulesetReader()
      return try rules.tables().contains { $0.name == name }
    }
  }

  /// What is to be written to take settings back, the one that was set first; for other changes, and
  /// where there is nothing to be written, none. What is gone, and what somebody else has changed
  /// meanwhile, is left as it is.
  func settingsToRestore() throws(KernelError) -> [SysctlValue] {
    guard case .sysctl(let change, let along) = self else { return [] }
    return try change.settingsToRestore(along: along)
  }

  /// Takes it back: settings as `settings` says. What is gone, and what somebody else has changed
  /// meanwhile, is left as it is. Throws if it is not known to be taken back.
  func takeBack(_ settings: [SysctlValue]) throws(KernelError) {
    switch self {
    case .sysctl(let change, _): try change.restore(settings)
    case .rule(let rule): try Self.remove(rule.deletion, "remove routing rule \(rule.priority)")
    case .route(let route):
      try Self.remove(route.deletion, "remove the route to \(route.destination)")
    case .tun(let name, let index):
      // Its number may be somebody else's by now.
      guard try stands() else { return }
      try Self.remove(LinkMessage.deletion(index: index), "remove the TUN device \(name)")
    case .namespace(let name): try NetworkNamespace.remove(named: name)
    case .tables(let name): try TableKeeper.remove(name)
    }
  }

  /// What a device of nftrace's is marked with, where `ip link` shows it as alias.
  static let tunAlias = "nftrace"

  private static func isOurTun(_ link: LinkMessage) -> Bool {
    link.kind == "tun" && link.tun?.isPersistent == true && link.alias == tunAlias
  }

  private static func remove(_ message: NetlinkMessage, _ attempt: String) throws(KernelError) {
    var socket = try RouteSocket()
    do {
      try socket.request(message, attempt: attempt)
    } catch  where error.isRefusal && Self.gone.contains(error.errno) {
      // It is gone already, and its interface with it perhaps.
    }
  }

  private static let gone = [ENOENT, ESRCH, ENODEV, ENXIO, EADDRNOTAVAIL]
}

extension JournalEntry.SysctlChange {
  /// All of them are read before anything is written: that changes the others once more.
  fileprivate func settingsToRestore(along: [Self]) throws(KernelError) -> [SysctlValue] {
    // Gone with its interface, or somebody else's by now.
    guard try setting.valueIfPresent() == new else { return [] }
    var wanted = [SysctlValue(setting: setting, value: old)]
    for other in along {
      guard let now = try other.setting.valueIfPresent() else { continue }
      wanted.append(
        SysctlValue(setting: other.setting, value: now == other.new ? other.old : now))
    }
    return wanted
  }

  fileprivate func restore(_ wanted: [SysctlValue]) throws(KernelError) {
    // It may be here for the second time, the first having been cut short.
    let now = try setting.valueIfPresent()
    guard now == new || now == old else { return }
    for one in wanted where try one.setting.valueIfPresent() ?? one.value != one.value {
      do {
        try one.setting.write(one.value)
      } catch  where error.errno == ENOENT {
        // Its interface went meanwhile: that of the command that died, say.
      }
    }
  }
}

extension Sysctl {
  /// Its value; nil where there is no such setting, with its interface gone, say.
  func valueIfPresent() throws(KernelError) -> String? {
    do {
      return try read()
    } catch  where error.errno == ENOENT {
      return nil
    }
  }
}
