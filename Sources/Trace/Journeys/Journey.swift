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
  /// Rules met after the last hop, where no verdict of theirs ended the journey.
  package var unplacedRules: [RuleStep] = []
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
    let isBridged = hops.contains { $0.inPort != nil && $0.outPort != nil }
    return (isBridged ? hops.first { $0.inDevice != nil } : hops.last { $0.inDevice != nil })?
      .inDevice
  }

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
  /// The last rule that was met in the chain of a policy that ended the journey.
  var lastBeforePolicy: RuleStep? {
    guard let hop = hops.last, !hop.passed, let policy = hop.rules.last, policy.isPolicy else {
      return nil
    }
    return hop.rules.dropLast().last {
      $0.family == policy.family && $0.table == policy.table
        && $0.chain == policy.chain
    }
  }
}

extension Journey {
  /// Whether no rule dropped it, but nftrace itself, which was to give it back.
  package var wasKept: Bool { end.kind == .dropped && hops.last?.passed == true }

  /// Whether no rule stopped it, and this host answers it with an ICMP error.
  package var hasNoWayOn: Bool { end.kind == .rejected && hops.last?.passed == true }
}
