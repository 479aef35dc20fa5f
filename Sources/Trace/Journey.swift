public import Wire

/// One packet at each hook it came to, in order.
public struct Journey: Sendable, Equatable {
  /// Counts the journeys of a session, from 1.
  public var id: Int
  public var direction: Direction
  /// The packet as first seen.
  public var packet: Packet
  /// When it was first seen, nanoseconds since the epoch.
  public var start: UInt64
  public var hops: [Hop]
  public var end: End
  /// Rules met after the last hop, where no verdict of theirs ended the journey.
  public var unplacedRules: [RuleStep] = []
  /// Its connection, if conntrack spoke of one.
  public var connection: Connection?
  /// The probe it belongs to, by sequence number.
  public var probe: Int?

  /// What part a packet has in a conversation.
  public enum Direction: String, Sendable {
    case request, reply, error, other
  }

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

/// One packet at one observation point.
public struct Hop: Sendable, Equatable {
  public var point: ObservationPoint
  /// Nanoseconds since the journey began, as nftrace received the messages.
  public var time: UInt64
  /// Names of the interfaces, where the hook has them.
  public var inDevice: String?
  public var outDevice: String?
  /// The packet as seen here.
  public var packet: Packet
  public var mark: UInt32
  /// What is different from the hop before.
  public var changes: [Change]
  /// Rules of the user's own tables, evaluated since the hop before.
  public var rules: [RuleStep]
  /// Whether the packet was really here: false at the place where a rule ended its journey.
  public var passed: Bool

  public init(
    point: ObservationPoint, time: UInt64, inDevice: String? = nil, outDevice: String? = nil,
    packet: Packet, mark: UInt32 = 0, changes: [Change] = [], rules: [RuleStep] = [],
    passed: Bool = true
  ) {
    self.point = point
    self.time = time
    self.inDevice = inDevice
    self.outDevice = outDevice
    self.packet = packet
    self.mark = mark
    self.changes = changes
    self.rules = rules
    self.passed = passed
  }
}

/// A header field that is not what it was one hop before.
public struct Change: Sendable, Equatable {
  public var field: Field
  public var from: String
  public var to: String
  public var cause: Cause

  /// Fields whose changes are followed; the raw value is the name in JSON.
  public enum Field: String, Sendable {
    case ttl, source, destination
    case sourcePort = "source_port"
    case destinationPort = "destination_port"
    case icmpID = "icmp_id"
    case tos, mark, length
  }

  /// Who changed it; the raw value is the name in JSON.
  public enum Cause: String, Sendable {
    case forwarding, masquerade, snat, dnat, redirect, mangle, unknown
    case natReply = "nat-reply"
  }

  public init(_ field: Field, from: String, to: String, cause: Cause) {
    self.field = field
    self.from = from
    self.to = to
    self.cause = cause
  }
}

/// One rule, end of chain or policy that a packet met in the user's tables.
public struct RuleStep: Sendable, Equatable {
  public var family: UInt8
  public var table: String
  public var chain: String
  /// nil for a policy, and for rules of iptables-legacy.
  public var handle: UInt64?
  /// The place in its chain, from 1, of a rule of iptables-legacy, as its TRACE tells it.
  public var position: Int?
  public var verdict: Verdict
  /// The chain that a jump or goto leads to.
  public var target: String?
  public var isPolicy: Bool
  /// The rule in the user's words, once it is known.
  public var text: String?
  /// What the rule translates, if it does.
  public var translation: NFTRuleMessage.Translation?
  /// Whether the rule answers with an error or a reset.
  public var rejects = false
  /// Whether the rule does what rp_filter does.
  public var checksReversePath = false

  public init(
    family: UInt8, table: String, chain: String, handle: UInt64?, position: Int? = nil,
    verdict: Verdict, target: String? = nil, isPolicy: Bool = false, text: String? = nil,
    translation: NFTRuleMessage.Translation? = nil
  ) {
    self.position = position
    self.family = family
    self.table = table
    self.chain = chain
    self.handle = handle
    self.verdict = verdict
    self.target = target
    self.isPolicy = isPolicy
    self.text = text
    self.translation = translation
  }
}

/// How a journey ended, as far as this host can tell.
public struct End: Sendable, Equatable {
  public var kind: Kind
  /// Where it was seen last, or where it was dropped.
  public var hook: Hook?
  public var table: String?
  /// The interface it left through.
  public var out: String?
  /// The kernel's name for the reason, where it gave one.
  public var dropReason: String?

  /// Ways to end; the raw value is the name in JSON.
  public enum Kind: String, Sendable {
    case transmitted, delivered, dropped, rejected, unknown
  }

  public init(
    _ kind: Kind, hook: Hook? = nil, table: String? = nil, out: String? = nil,
    dropReason: String? = nil
  ) {
    self.kind = kind
    self.hook = hook
    self.table = table
    self.out = out
    self.dropReason = dropReason
  }
}

/// A packet's connection, as conntrack keeps it.
public struct Connection: Sendable, Equatable {
  public var id: UInt32
  /// Of this packet: new, established, related, invalid, untracked; nil where unknown.
  public var state: State?
  /// Whether the packet goes in the reply direction.
  public var isReply: Bool?
  public var original: ConntrackTuple?
  public var reply: ConntrackTuple?
  public var status: ConntrackMessage.Status

  /// enum ip_conntrack_info, as the bits of NF_CT_STATE_BIT.
  public enum State: String, Sendable {
    case invalid, established, related, new, untracked

    /// The state of a trace message's bit.
    public init?(bit: UInt32) {
      switch bit {
      case 1: self = .invalid
      case 2: self = .established
      case 4: self = .related
      case 8: self = .new
      case 64: self = .untracked
      default: return nil
      }
    }
  }

  public init(
    id: UInt32, state: State? = nil, isReply: Bool? = nil, original: ConntrackTuple? = nil,
    reply: ConntrackTuple? = nil, status: ConntrackMessage.Status = []
  ) {
    self.id = id
    self.state = state
    self.isReply = isReply
    self.original = original
    self.reply = reply
    self.status = status
  }
}

/// A packet and what came of it: the request first, then its answers in order of time.
public struct Exchange: Sendable, Equatable {
  public var journeys: [Journey]

  public init(journeys: [Journey]) { self.journeys = journeys }

  /// The packet that began it.
  public var request: Journey? { journeys.first { $0.direction == .request } }
  /// The first packet that answered it.
  public var reply: Journey? { journeys.first { $0.direction == .reply } }
  /// The first ICMP error about it.
  public var error: Journey? { journeys.first { $0.direction == .error } }
}

/// How many messages a story was told from.
public struct EventCounts: Sendable, Equatable {
  public var nflog = 0
  public var trace = 0
  public var conntrack = 0
  public var drops = 0
  /// Messages known to be missing.
  public var lost = 0

  public init() {}

  /// Adds the counts of another part of the session.
  public mutating func add(_ other: EventCounts) {
    nflog += other.nflog
    trace += other.trace
    conntrack += other.conntrack
    drops += other.drops
    lost += other.lost
  }
}
