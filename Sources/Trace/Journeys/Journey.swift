package import Wire

/// What happened to one packet, and what became of it.
package struct Journey: Sendable, Equatable {
  /// Counts the journeys of a session, from 1.
  package var id: Int
  /// Its part in the conversation.
  package var direction: Direction
  /// When it was first seen, nanoseconds since the epoch, by the clock of the session.
  package var start: UInt64
  /// How far the machine's clock was ahead of that, in nanoseconds: it was set.
  package var clockStep: Int64 = 0
  /// What happened to it.
  package var way: Way
  /// What became of it.
  package var end: End
  /// What the kernel said of dropping it after it was delivered: no socket took it.
  package var socketDrop: KernelDrop?
  /// Its connection, if conntrack spoke of one.
  package var connection: Connection?
  /// The probe it belongs to, by sequence number.
  package var probe: Int?
  /// Whether a rule had this packet made of another one, which went its own way.
  package var isCopy = false
  /// Whether it left, and not to where who asked for it is.
  package var isAstray = false
  /// Where it was seen, where several places are told of.
  package var site: Site?

  /// The interface it came in by as routing sees it: of a bridge's port and the bridge, the bridge.
  /// What is only bridged came in by the port.
  package var inDevice: String? {
    (isBridged ? hops.first { $0.inDevice != nil } : hops.last { $0.inDevice != nil })?
      .inDevice
  }

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
    self.id = id
    self.direction = direction
    self.start = start
    self.way = way
    self.end = end
    self.connection = connection
    self.probe = probe
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
