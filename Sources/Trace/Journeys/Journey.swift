package import Wire

/// What happened to one packet, and what became of it.
///
/// What it has is behind one reference, as of a `Hop`: packets are handed on from one to the next who looks at them.
package struct Journey: Sendable, Equatable {
  /// One element, which copies share until one of them is changed.
  private var fields: [Fields]

  private struct Fields: Sendable, Equatable {
    var id: Int
    var direction: Direction
    var start: UInt64
    var clockStep: Int64 = 0
    var way: Way
    var end: End
    var socketDrop: KernelDrop?
    var connection: Connection?
    var probe: Int?
    var isCopy = false
    var isAstray = false
    var site: Site?
  }

  /// The interface it came in by as routing sees it: of a bridge's port and the bridge, the bridge.
  /// What is only bridged came in by the port.
  package var inDevice: String? {
    (isBridged ? hops.first { $0.inDevice != nil } : hops.last { $0.inDevice != nil })?
      .inDevice
  }

  /// The interface it was to leave by as routing and rules see it: of a bridge and its port, the bridge. What is only
  /// bridged leaves by the port.
  var outDevice: String? {
    let routed = hops.last { $0.outDevice != nil && $0.point.hook != .egress }
    return isBridged ? lowestDevice : routed?.outDevice ?? lowestDevice
  }
  /// The same, as the wire sees it: the port of a bridge, what a VLAN stands on.
  var lowestDevice: String? { hops.last { $0.outDevice != nil }?.outDevice }

  /// The last hop that says how far it came: that a bridge takes a packet in which IP's rules have seen
  /// already says nothing new.
  package var furthest: Hop {
    guard way.last.point.hook == .ingress else { return way.last }
    return hops.last { $0.point.hook != .ingress } ?? way.last
  }

  /// Whether IP's hooks saw it as it went from one port of a bridge to another.
  package var isBridged: Bool { hops.contains { $0.inPort != nil && $0.outPort != nil } }

  /// What part a packet has in a conversation.
  package enum Direction: String, Sendable {
    case request, reply, error, other
  }

  /// A journey of these fields.
  package init(
    id: Int, direction: Direction, start: UInt64, way: Way, end: End,
    connection: Connection? = nil, probe: Int? = nil
  ) {
    fields = [
      Fields(
        id: id, direction: direction, start: start, way: way, end: end, connection: connection,
        probe: probe)
    ]
  }
}

extension Journey {
  /// Counts the journeys of a session, from 1.
  package var id: Int {
    get { fields.span[0].id }
    set { fields[0].id = newValue }
  }

  /// Its part in the conversation.
  package var direction: Direction {
    get { fields.span[0].direction }
    set { fields[0].direction = newValue }
  }

  /// When it was first seen, nanoseconds since the epoch, by the clock of the session.
  package var start: UInt64 {
    get { fields.span[0].start }
    set { fields[0].start = newValue }
  }

  /// How far the machine's clock was ahead of that, in nanoseconds: it was set.
  package var clockStep: Int64 {
    get { fields.span[0].clockStep }
    set { fields[0].clockStep = newValue }
  }

  /// What happened to it.
  package var way: Way {
    _read { yield fields.span[0].way }
    _modify { yield &fields[0].way }
  }

  /// What became of it.
  package var end: End {
    _read { yield fields.span[0].end }
    _modify { yield &fields[0].end }
  }

  /// What the kernel said of dropping it after it was delivered: no socket took it.
  package var socketDrop: KernelDrop? {
    get { fields.span[0].socketDrop }
    set { fields[0].socketDrop = newValue }
  }

  /// Its connection, if conntrack spoke of one.
  package var connection: Connection? {
    _read { yield fields.span[0].connection }
    _modify { yield &fields[0].connection }
  }

  /// The probe it belongs to, by sequence number.
  package var probe: Int? {
    get { fields.span[0].probe }
    set { fields[0].probe = newValue }
  }

  /// Whether a rule had this packet made of another one, which went its own way.
  package var isCopy: Bool {
    get { fields.span[0].isCopy }
    set { fields[0].isCopy = newValue }
  }

  /// Whether it left, and not to where who asked for it is.
  package var isAstray: Bool {
    get { fields.span[0].isAstray }
    set { fields[0].isAstray = newValue }
  }

  /// Where it was seen, where several places are told of.
  package var site: Site? {
    _read { yield fields.span[0].site }
    _modify { yield &fields[0].site }
  }
}

extension Journey {
  /// When it was first seen, nanoseconds since the epoch, by the machine's clock.
  package var time: UInt64 { start.moved(by: clockStep) }
  /// The packet as first seen.
  package var packet: Packet { way.first.packet }
  /// Where it was seen, in order.
  package var hops: Hops { way.hops }
  /// Which way routing sent it, if that was asked.
  package var route: RouteDecision? { way.route }
  /// Where it was seen, and where a rule ended it.
  package var places: [Hop] { hops + (end.decider.map { [$0.hop] } ?? []) }

  /// Of a policy that ended it, the last rule that was met in its chain.
  var ruleBeforePolicy: RuleStep? {
    guard let policy = end.decider?.rule, policy.isPolicy else { return nil }
    return way.trailingRules.dropLast().last {
      $0.family == policy.family && $0.table == policy.table && $0.chain == policy.chain
    }
  }
}
