public import Wire

/// One packet at each hook it came to, in order.
public struct Journey: Sendable, Equatable {
  /// Counts the journeys of a session, from 1.
  public var id: Int
  /// Its part in the conversation.
  public var direction: Direction
  /// The packet as first seen.
  public var packet: Packet
  /// When it was first seen, nanoseconds since the epoch.
  public var start: UInt64
  /// Where it was seen, in order.
  public var hops: [Hop]
  /// What became of it.
  public var end: End
  /// Rules met after the last hop, where no verdict of theirs ended the journey.
  public var unplacedRules: [RuleStep] = []
  /// Which way routing sent it, if that was asked.
  public var route: RouteDecision?
  /// Its connection, if conntrack spoke of one.
  public var connection: Connection?
  /// The probe it belongs to, by sequence number.
  public var probe: Int?
  /// The network namespace it was seen in, where several are told of.
  public var netns: String?

  /// The interface it came in by as routing sees it: of a bridge's port and the bridge, the bridge.
  /// What is only bridged came in by the port.
  public var inDevice: String? {
    let isBridged = hops.contains { $0.inPort != nil && $0.outPort != nil }
    return (isBridged ? hops.first { $0.inDevice != nil } : hops.last { $0.inDevice != nil })?
      .inDevice
  }

  /// What part a packet has in a conversation.
  public enum Direction: String, Sendable {
    case request, reply, error, other
  }

  /// A journey of these fields.
  public init(
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
  public var wasKept: Bool { end.kind == .dropped && hops.last?.passed == true }

  /// Whether no rule stopped it, and this host answers it with an ICMP error.
  public var hasNoWayOn: Bool { end.kind == .rejected && hops.last?.passed == true }
}
