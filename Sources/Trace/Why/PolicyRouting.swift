internal import Wire

/// Follows a packet through the rules and tables of policy routing, as the kernel does, to name the
/// rule or the route that a refused lookup does not name.
struct PolicyRouting {
  private let rules: [RoutingRule]
  /// Those that lead to the packet's destination.
  private var routes: [RouteMessage]
  private let packet: Packet
  private let mark: UInt32
  private let inDevice: String?
  private let version: Int

  init(_ lost: LostPacket) {
    self.init(lost.routed ?? lost.last, lost.snapshot)
  }

  /// The way of the packet as it was at a hop.
  init(_ hop: Hop, _ snapshot: Snapshot) {
    rules = Self.rules(snapshot, hop.packet)
    routes = snapshot.routes.routes(to: hop.packet.destination)
    packet = hop.packet
    mark = hop.mark
    inDevice = hop.inDevice
    version = hop.packet.source.family
  }

  /// The way of a packet that this host is about to send.
  init(sending packet: Packet, mark: UInt32 = 0, _ snapshot: Snapshot) {
    rules = Self.rules(snapshot, packet)
    routes = snapshot.routes.routes(to: packet.destination)
    self.packet = packet
    self.mark = mark
    inDevice = nil
    version = packet.source.family
  }

  /// The rule by which the packet is refused without looking at a table; nil if a route decides.
  var refusal: RoutingRule? {
    guard let decider = decider, decider.action != .lookup else { return nil }
    return decider
  }

  /// The first rule that applies and settles the matter.
  var decider: RoutingRule? {
    for rule in met {
      switch rule.action {
      case .lookup:
        if let route = route(by: rule), route.kind != .throw { return rule }
      case .blackhole, .unreachable, .prohibit: return rule
      default: continue
      }
    }
    return nil
  }

  /// The first route of this kind that the packet finds, before one that settles the matter.
  func route(of kind: RouteMessage.Kind) -> RouteMessage? {
    for rule in met {
      switch rule.action {
      case .lookup:
        guard let route = route(by: rule) else { continue }
        if route.kind == kind { return route }
        if route.kind != .throw { return nil }
      case .blackhole, .unreachable, .prohibit: return nil
      default: continue
      }
    }
    return nil
  }

  /// The route that takes the packet somewhere.
  var route: RouteMessage? {
    decider.flatMap { $0.action == .lookup ? route(by: $0) : nil }
  }

  /// The same where this route is not.
  func without(_ route: RouteMessage) -> PolicyRouting {
    var other = self
    other.routes.removeAll { $0 == route }
    return other
  }

  /// The rules that apply, in the order in which they are asked.
  private var met: [RoutingRule] {
    let priorities = Set(rules.map(\.priority))
    var next: UInt32 = 0
    var met: [RoutingRule] = []
    for rule in rules where rule.priority >= next && applies(rule) {
      guard rule.action == .goto else {
        met.append(rule)
        continue
      }
      // It is passed over as long as there is no rule to go to.
      if let target = rule.target, priorities.contains(target) {
        next = target
      }
    }
    return met
  }

  private static func rules(_ snapshot: Snapshot, _ packet: Packet) -> [RoutingRule] {
    snapshot.policy.filter { $0.family == packet.source.family }
      .sorted { $0.priority < $1.priority }
  }

  private func applies(_ rule: RoutingRule) -> Bool {
    let matches =
      (rule.source?.contains(packet.source) ?? true)
      && (rule.destination?.contains(packet.destination) ?? true)
      && (rule.inputInterface == nil || rule.inputInterface == (inDevice ?? "lo"))
      && rule.outputInterface == nil
      && (rule.mark.map { $0 == mark & (rule.mask ?? .max) } ?? true)
      && (rule.tos == 0 || rule.tos == tos)
      && (rule.ipProtocol.map { $0 == packet.proto.rawValue } ?? true)
      && has(packet.sourcePort, in: rule.sourcePorts)
      && has(packet.destinationPort, in: rule.destinationPorts)
      // What comes in is nobody's, which is root's; and nftrace's own packets are root's.
      && (rule.users?.contains(0) ?? true)
    return matches != rule.isInverted
  }

  private func has(_ port: UInt16?, in ports: ClosedRange<UInt16>?) -> Bool {
    ports.map { ports in port.map { ports.contains($0) } ?? false } ?? true
  }

  private var tos: UInt8 { packet.tos & 0x1c }

  /// The rule by which a table is asked for the packet.
  func rule(for table: UInt32) -> RoutingRule? {
    met.first { $0.action == .lookup && $0.table == table }
  }

  /// What a rule finds in its table: the longest prefix, the smallest metric. A route that refuses
  /// is never passed over for being short (fib_rules_lookup).
  private func route(by rule: RoutingRule) -> RouteMessage? {
    let best =
      routes
      .filter {
        $0.table == rule.table
          && ($0.source.length == 0 || $0.source.contains(packet.source))
          && (version == 6 || $0.tos == 0 || $0.tos == tos) && !$0.flags.contains(.dead)
      }
      .max { rank($0).lexicographicallyPrecedes(rank($1)) }
    guard let best else { return nil }
    let isRefusal = RoutingDiagnoses.refusals.contains { $0.kind == best.kind }
    if !isRefusal, let shortest = rule.suppressPrefixLength, best.destination.length <= shortest {
      return nil
    }
    return best
  }

  private func rank(_ route: RouteMessage) -> [Int] {
    [route.destination.length, route.source.length, Int(route.tos), -Int(route.metric ?? 0)]
  }

  // MARK: Words

  /// "default", or the prefix; one address without its length.
  static func text(_ prefix: Prefix) -> String { word(prefix).text }

  static func word(_ prefix: Prefix) -> Command {
    if prefix.length == 0 { return "default" }
    return prefix.length == prefix.address.bitWidth ? "\(prefix.address)" : "\(prefix)"
  }

  /// The names of the tables that have one everywhere.
  static func name(ofTable table: UInt32) -> String { word(ofTable: table).text }

  private static func word(ofTable table: UInt32) -> Command {
    switch table {
    case 253: "default"
    case 254: "main"
    case 255: "local"
    default: "\(table)"
    }
  }

  /// A route as ip(8) lists it.
  static func text(_ route: RouteMessage) -> String { "\(route.kind) \(words(route).text)" }

  /// The command that takes a route away, and no other.
  static func deletion(_ route: RouteMessage) -> Command {
    let version: Command = route.destination.address.family == 6 ? "-6 " : ""
    // One that has its kind of a next hop object is itself a unicast route.
    let kind: Command = route.nextHopObject == nil ? "\(route.kind) " : ""
    return "ip \(version)route del \(kind)\(words(route))"
      + (route.metric.map { " metric \($0)" } ?? "")
  }

  private static func words(_ route: RouteMessage) -> Command {
    var words = [word(route.destination)]
    if route.source.length > 0 { words += ["from", word(route.source)] }
    if route.tos != 0 { words += ["tos", "\(hex: route.tos)"] }
    if let object = route.nextHopObject { words += ["nhid", "\(object)"] }
    return (words + ["table", word(ofTable: route.table)]).joined(separator: " ")
  }

  /// A rule as ip(8) lists it.
  static func text(_ rule: RoutingRule) -> String {
    let (packet, rest) = (packetSelector(rule).text, otherSelector(rule).text)
    let device = rule.inputInterface.map { "iif \(Escape.name($0)) " } ?? ""
    return "\(rule.priority): \(packet) \(device)\(rest)"
  }

  /// The command that takes a rule away, which ip(8) finds by all that is in it.
  static func deletion(
    _ rule: RoutingRule, family: Int
  ) throws(Word.Unspeakable) -> Command {
    let version: Command = family == 6 ? "-6 " : ""
    var device: Command = ""
    if let name = rule.inputInterface { device = "iif \(try Word.device(name)) " }
    return "ip \(version)rule del pref \(rule.priority) \(packetSelector(rule)) \(device)"
      + otherSelector(rule)
  }

  /// What stands before the interface.
  private static func packetSelector(_ rule: RoutingRule) -> Command {
    var words: [Command] = rule.isInverted ? ["not"] : []
    words += ["from", rule.source.map(word) ?? "all"]
    if let destination = rule.destination { words += ["to", word(destination)] }
    if rule.tos != 0 { words += ["tos", "\(hex: rule.tos)"] }
    if let mark = rule.mark {
      let mask: Command = rule.mask.map { $0 == .max ? "" : "/\(hex: $0)" } ?? ""
      words += ["fwmark", "\(hex: mark)\(mask)"]
    }
    return words.joined(separator: " ")
  }

  /// What stands behind it.
  private static func otherSelector(_ rule: RoutingRule) -> Command {
    var words: [Command] = []
    if let users = rule.users { words += ["uidrange", "\(users.lowerBound)-\(users.upperBound)"] }
    if let proto = rule.ipProtocol { words += ["ipproto", "\(IPProtocol(rawValue: proto))"] }
    if let ports = rule.sourcePorts { words += ["sport", word(ports)] }
    if let ports = rule.destinationPorts { words += ["dport", word(ports)] }
    switch rule.action {
    case .lookup: words += ["lookup", word(ofTable: rule.table)]
    default: words.append("\(rule.action)")
    }
    if let length = rule.suppressPrefixLength { words += ["suppress_prefixlength", "\(length)"] }
    return words.joined(separator: " ")
  }

  private static func word(_ ports: ClosedRange<UInt16>) -> Command {
    ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
  }
}
