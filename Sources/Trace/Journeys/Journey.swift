package import Wire

/// One packet at each hook it came to, in order.
package struct Journey: Sendable, Equatable {
  /// Counts the journeys of a session, from 1.
  package var id: Int
  /// Its part in the conversation.
  package var direction: Direction
  /// The packet as first seen.
  package var packet: Packet
  /// When it was first seen, nanoseconds since the epoch.
  package var start: UInt64
  /// Where it was seen, in order.
  package var hops: [Hop]
  /// What became of it.
  package var end: End
  /// Rules met after the last hop.
  package var trailingRules: [RuleStep] = []
  /// Which way routing sent it, if that was asked.
  package var route: RouteDecision?
  /// Its connection, if conntrack spoke of one.
  package var connection: Connection?
  /// The probe it belongs to, by sequence number.
  package var probe: Int?
  /// The network namespace it was seen in, where several are told of.
  package var netns: String?

  /// The interface it came in by as routing sees it: of a bridge's port and the bridge, the bridge.
  /// What is only bridged came in by the port.
  package var inDevice: String? {
    (isBridged ? hops.first { $0.inDevice != nil } : hops.last { $0.inDevice != nil })?
      .inDevice
  }

  /// The last hop that says how far it came: that a bridge takes a packet in which IP's rules have seen
  /// already says nothing new.
  package var furthest: Hop? {
    guard let last = hops.last, last.point.hook == .ingress else { return hops.last }
    return hops.last { $0.point.hook != .ingress } ?? last
  }

  /// Whether IP's hooks saw it as it went from one port of a bridge to another.
  package var isBridged: Bool { hops.contains { $0.inPort != nil && $0.outPort != nil } }

  /// What part a packet has in a conversation.
  package enum Direction: String, Sendable {
    case request, reply, error, other
  }

  /// A journey of these fields.
  package init(
    id: Int, direction: Direction, packet: Packet, start: UInt64, hops: [Hop] = [], end: End,
    connection: Connection? = nil, probe: Int? = nil
  ) {
    self.id = id
    self.direction = direction
    self.packet = packet
    self.start = start
    self.hops = hops
    self.end = end
    self.connection = connection
    self.probe = probe
  }
}

extension Journey {
  /// Where it was seen, and where a rule ended it.
  package var places: [Hop] { hops + (end.decider.map { [$0.hop] } ?? []) }

  /// All rules it met, in order.
  var rules: [RuleStep] { hops.flatMap(\.rules) + trailingRules }
}
