internal import Wire

/// Follows a packet through the rules and tables of policy routing, as the kernel does, to name the
/// rule or the route that a refused lookup does not name.
struct PolicyRouting {
  private let environment: Environment
  private let packet: Packet
  private let mark: UInt32
  private let inDevice: String?
  private let version: Int

  init(_ examined: Case) {
    self.init(examined.routed ?? examined.last, examined.environment)
  }

  /// The way of the packet as it was at a hop.
  init(_ hop: Hop, _ environment: Environment) {
    self.environment = environment
    packet = hop.packet
    mark = hop.mark
    inDevice = hop.inDevice
    version = hop.packet.source.family
  }

  /// The way of a packet that this host is about to send.
  init(sending packet: Packet, mark: UInt32 = 0, _ environment: Environment) {
    self.environment = environment
    self.packet = packet
    self.mark = mark
    inDevice = nil
    version = packet.source.family
  }

  /// The rule by which the packet is refused without looking at a table; nil if a route decides.
  var refusal: RuleMessage? {
    guard let decider = decider, decider.action != .lookup else { return nil }
    return decider
  }

  /// The first rule that applies and settles the matter.
  var decider: RuleMessage? {
    for rule in rules where applies(rule) {
      switch rule.action {
      case .lookup:
        if let route = bestRoute(in: rule.table), route.kind != .throw { return rule }
      case .blackhole, .unreachable, .prohibit: return rule
      default: continue
      }
    }
    return nil
  }

  /// The rule, if the best route of its table for the packet is of this kind.
  func route(of kind: RouteMessage.Kind) -> RouteMessage? {
    for rule in rules where applies(rule) && rule.action == .lookup {
      guard let route = bestRoute(in: rule.table) else { continue }
      if route.kind == kind { return route }
      if route.kind != .throw { return nil }
    }
    return nil
  }

  /// The route that takes the packet somewhere.
  var route: RouteMessage? {
    decider.flatMap { $0.action == .lookup ? bestRoute(in: $0.table) : nil }
  }

  private var rules: [RuleMessage] {
    environment.policy.filter { $0.family == version }.sorted { $0.priority < $1.priority }
  }

  private func applies(_ rule: RuleMessage) -> Bool {
    let matches =
      (rule.source?.contains(packet.source) ?? true)
      && (rule.destination?.contains(packet.destination) ?? true)
      && (rule.inputInterface == nil || rule.inputInterface == (inDevice ?? "lo"))
      && rule.outputInterface == nil
      && (rule.mark.map { $0 == mark & (rule.mask ?? .max) } ?? true)
      && (rule.tos == 0 || rule.tos == packet.tos & 0x1c)
      && (rule.ipProtocol.map { $0 == packet.proto.rawValue } ?? true)
    return matches != rule.isInverted
  }

  /// The rule by which a table is asked for the packet.
  func rule(for table: UInt32) -> RuleMessage? {
    rules.first { applies($0) && $0.action == .lookup && $0.table == table }
  }

  /// The longest prefix of a table, the smallest metric.
  private func bestRoute(in table: UInt32) -> RouteMessage? {
    environment.routes
      .filter { $0.table == table && $0.destination.contains(packet.destination) }
      .max {
        ($0.destination.length, $1.metric ?? 0) < ($1.destination.length, $0.metric ?? 0)
      }
  }

  // MARK: Words

  /// "default", or the prefix; one address without its length.
  static func text(_ prefix: Prefix) -> String {
    if prefix.length == 0 { return "default" }
    return prefix.length == prefix.address.bitWidth ? "\(prefix.address)" : "\(prefix)"
  }

  /// The names of the tables that have one everywhere.
  static func name(ofTable table: UInt32) -> String {
    switch table {
    case 253: "default"
    case 254: "main"
    case 255: "local"
    default: "\(table)"
    }
  }

  /// A route as ip(8) lists it.
  static func text(_ route: RouteMessage) -> String {
    "\(route.kind) \(text(route.destination)) table \(name(ofTable: route.table))"
  }

  /// The command that takes a route away.
  static func deletion(_ route: RouteMessage) -> String {
    let version = route.destination.address.family == 6 ? "-6 " : ""
    return "ip \(version)route del \(text(route))" + (route.metric.map { " metric \($0)" } ?? "")
  }

  /// A rule as ip(8) lists it.
  static func text(_ rule: RuleMessage) -> String { "\(rule.priority): " + selector(rule) }

  /// What ip(8) needs to find the rule again.
  static func words(_ rule: RuleMessage) -> String { "pref \(rule.priority) " + selector(rule) }

  private static func selector(_ rule: RuleMessage) -> String {
    var words: [String] = rule.isInverted ? ["not"] : []
    words += ["from", rule.source.map(text) ?? "all"]
    if let destination = rule.destination { words += ["to", text(destination)] }
    if let mark = rule.mark {
      let mask = rule.mask.map { $0 == .max ? "" : "/0x" + String($0, radix: 16) } ?? ""
      words += ["fwmark", "0x" + String(mark, radix: 16) + mask]
    }
    if let device = rule.inputInterface { words += ["iif", device] }
    if let proto = rule.ipProtocol { words += ["ipproto", "\(IPProtocol(rawValue: proto))"] }
    switch rule.action {
    case .lookup: words += ["lookup", name(ofTable: rule.table)]
    default: words.append("\(rule.action)")
    }
    return words.joined(separator: " ")
  }
}
