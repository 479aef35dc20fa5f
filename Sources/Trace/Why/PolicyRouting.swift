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
  /// What comes in is nobody's, which is root's; and nftrace's own packets are root's.
  private var user: UInt32 = 0
  /// The interface that the sender's socket is bound to.
  private var boundDevice: String?
  /// Whether routes were listed at all.
  private let areRoutesKnown: Bool

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
    areRoutesKnown = !snapshot.routes.isEmpty
  }

  /// The way of a packet that this host is about to send.
  init(sending packet: Packet, mark: UInt32 = 0, _ snapshot: Snapshot) {
    rules = Self.rules(snapshot, packet)
    routes = snapshot.routes.routes(to: packet.destination)
    self.packet = packet
    self.mark = mark
    inDevice = nil
    version = packet.source.family
    areRoutesKnown = !snapshot.routes.isEmpty
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

  /// What routing says of a packet that it does not let go; nil where it has a way, or no routes are known.
  var errno: Int32? {
    switch refusal?.action {
    case .blackhole?: return RouteErrno.invalid
    case .unreachable?: return RouteErrno.noRoute
    case .prohibit?: return RouteErrno.prohibited
    default: break
    }
    switch route?.kind {
    case .blackhole?: return RouteErrno.invalid
    case .unreachable?: return RouteErrno.unreachable
    case .prohibit?: return RouteErrno.prohibited
    case nil: return rules.isEmpty || !areRoutesKnown ? nil : RouteErrno.noRoute
    default: return nil
    }
  }

  /// The same of a packet that a program of this user sends.
  func sent(by user: UInt32) -> PolicyRouting {
    var other = self
    other.user = user
    return other
  }

  /// The same of a probe of this host's own: of whose socket it is sent, and to what that is bound.
  func sent(by plan: ProbePlan?) -> PolicyRouting {
    var other = self
    other.user = plan?.senderUser ?? user
    other.boundDevice = plan?.boundDevice
    return other
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
      && (rule.outputInterface == nil || rule.outputInterface == boundDevice)
      && (rule.mark.map { $0 == mark & (rule.mask ?? .max) } ?? true)
      && (rule.tos == 0 || rule.tos == tos)
      && (rule.ipProtocol.map { $0 == packet.proto.rawValue } ?? true)
      && has(packet.sourcePort, in: rule.sourcePorts)
      && has(packet.destinationPort, in: rule.destinationPorts)
      && (rule.users?.contains(user) ?? true)
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

  /// The rules that ask for this mark, and look it up in a table.
  func rules(of mark: UInt32) -> [RoutingRule] {
    rules.filter {
      $0.action == .lookup && $0.mark != nil && $0.mark == mark & ($0.mask ?? .max)
    }
  }

  /// The route that a table has for the packet, whether or not a rule leads there.
  func best(in table: UInt32) -> RouteMessage? {
    route(by: RoutingRule(family: version, priority: 0, table: table))
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
    let isRefusal = [.prohibit, .unreachable, .blackhole].contains(best.kind)
    if !isRefusal, let shortest = rule.suppressPrefixLength, best.destination.length <= shortest {
      return nil
    }
    return best
  }

  private func rank(_ route: RouteMessage) -> [Int] {
    [route.destination.length, route.source.length, Int(route.tos), -Int(route.metric ?? 0)]
  }
}
