internal import Trace
internal import Wire

/// One change that the kernel does not take back by itself: what is written down before it is made.
/// Only what nftrace does can be said by it.
enum JournalEntry: Equatable {
  /// A sysctl, its value before and the one that was set; and those that the kernel changes along
  /// with it.
  case sysctl(SysctlChange, along: [SysctlChange])
  /// A rule of policy routing that leads to a table of nftrace's.
  case rule(RoutingRule)
  /// A route in a table of nftrace's.
  case route(RouteMessage)
  /// A TUN device that stays when it is closed.
  case tun(name: String, index: UInt32)
  /// The name of a network namespace that was made.
  case namespace(String)
  /// The name of tables of nf_tables that were made.
  case tables(String)

  struct SysctlChange: Equatable {
    var setting: Sysctl
    var old: String
    var new: String
  }

  /// Routing tables of nftrace's have these numbers: "nft" and a zero, and up.
  static let routingTables: Range<UInt32> = 0x6e66_7400..<0x6e66_7500
  /// What is made beside what others made has a name that begins with one of these.
  static let namespacePrefix = Lab.prefix

  // MARK: Text

  /// The entry in a line of a journal; nil if nftrace does no such thing.
  init?(parsing line: some StringProtocol) {
    let words = line.split(separator: " ").map { JournalText.unescape($0) }
    guard let kind = words.first, words.allSatisfy({ $0 != nil }) else { return nil }
    let rest = words.dropFirst().compactMap { $0 }
    switch (kind, rest.count) {
    case ("sysctl", 3...):
      guard rest.count % 3 == 0 else { return nil }
      var changes: [SysctlChange] = []
      for start in stride(from: 0, to: rest.count, by: 3) {
        guard let setting = Sysctl(path: rest[start]) else { return nil }
        changes.append(SysctlChange(setting: setting, old: rest[start + 1], new: rest[start + 2]))
      }
      self = .sysctl(changes[0], along: Array(changes.dropFirst()))
    case ("rule", 1):
      guard let message = Self.message(hex: rest[0]), let rule = try? RoutingRule(parsing: message)
      else { return nil }
      self = .rule(rule)
    case ("route", 1):
      guard let message = Self.message(hex: rest[0]),
        let route = try? RouteMessage(parsing: message)
      else { return nil }
      self = .route(route)
    case ("tun", 2):
      guard let index = UInt32(rest[1]) else { return nil }
      self = .tun(name: rest[0], index: index)
    case ("netns", 1): self = .namespace(rest[0])
    case ("tables", 1): self = .tables(rest[0])
    default: return nil
    }
    guard isPossible else { return nil }
  }

  /// The entry as a line, its end included.
  var line: String {
    let words: [String] =
      switch self {
      case .sysctl(let change, let along):
        ["sysctl"] + ([change] + along).flatMap { [$0.setting.path, $0.old, $0.new] }
      case .rule(let rule): ["rule", rule.message.bytes.hexadecimal]
      case .route(let route): ["route", route.message.bytes.hexadecimal]
      case .tun(let name, let index): ["tun", name, "\(index)"]
      case .namespace(let name): ["netns", name]
      case .tables(let name): ["tables", name]
      }
    return words.map(JournalText.escape).joined(separator: " ") + "\n"
  }

  private static func message(hex: String) -> NetlinkMessage? {
    guard let bytes = [UInt8](hexadecimal: hex), let messages = try? NetlinkMessage.all(in: bytes),
      messages.count == 1
    else { return nil }
    return messages[0]
  }

  // MARK: What nftrace can have done

  /// Whether it is a change that nftrace makes.
  private var isPossible: Bool {
    switch self {
    case .sysctl(let change, let along):
      change.isMadeByUs && along.allSatisfy { $0.isMadeByTheKernel }
    case .rule(let rule): Self.routingTables.contains(rule.table)
    case .route(let route): Self.routingTables.contains(route.table)
    case .tun(let name, _): TunDevice.fault(inName: name) == nil
    case .namespace(let name):
      name.hasPrefix(Self.namespacePrefix) && !name.contains("/") && name.utf8.count < 256
    case .tables(let name): OwnTable.isOne(name)
    }
  }
}

extension JournalEntry.SysctlChange {
  /// Whether nftrace sets this setting to this value: forwarding (ping, setup), loose reverse path
  /// filtering (intercept), and the log backend of TRACE (ping).
  var isMadeByUs: Bool {
    guard Self.isWord(old) else { return false }
    let path = setting.components
    if setting == .forwarding4 || setting == .forwarding6 { return new == "1" }
    if path.count == 5, path[0...2] == ["net", "ipv4", "conf"], path[4] == "rp_filter" {
      return new == "2"
    }
    return path.count == 4 && path[0...2] == ["net", "netfilter", "nf_log"]
      && new == "nfnetlink_log"
  }

  /// Whether the kernel changes this setting along with another of them.
  var isMadeByTheKernel: Bool {
    let path = setting.components
    guard path.count == 5, path[0] == "net", path[2] == "conf", Self.isWord(old), Self.isWord(new)
    else { return false }
    return (path[1] == "ipv4" && ["forwarding", "accept_redirects"].contains(path[4]))
      || (path[1] == "ipv6" && path[4] == "forwarding")
  }

  static func isWord(_ value: String) -> Bool {
    (1...32).contains(value.utf8.count)
      && value.utf8.allSatisfy { octet in
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= octet || octet == UInt8(ascii: "_")
          || UInt8(ascii: "a")...UInt8(ascii: "z") ~= octet
          || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= octet
      }
  }
}

extension JournalEntry: CustomStringConvertible {
  /// What was changed, in words for the user.
  var description: String {
    switch self {
    case .sysctl(let change, _): "\(change.setting) from \(change.old) to \(change.new)"
    case .rule(let rule): "routing rule \(rule.priority)"
    case .route(let route): "the route to \(route.destination) in table \(route.table)"
    case .tun(let name, _): "the TUN device \(name)"
    case .namespace(let name): "the network namespace \(name)"
    case .tables(let name): "the nf_tables tables \(name)"
    }
  }
}
