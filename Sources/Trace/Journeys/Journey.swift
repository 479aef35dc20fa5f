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

/// One packet at one observation point.
public struct Hop: Sendable, Equatable {
  /// Where.
  public var point: ObservationPoint
  /// Nanoseconds since the journey began, as nftrace received the messages.
  public var time: UInt64
  /// Names of the interfaces, where the hook has them.
  public var inDevice: String?
  /// The one it is to leave by.
  public var outDevice: String?
  /// The bridge's port it came in by, where a bridge passes what it carries to IP hooks.
  public var inPort: String?
  /// The bridge's port it is to leave by, in the same case.
  public var outPort: String?
  /// The packet as seen here.
  public var packet: Packet
  /// How many fragments of it were seen here: 1 of what was whole, or of which the others were not
  /// looked at.
  public var fragments = 1
  /// Whether these are all there were of it.
  public var hasAllFragments = true
  /// The packet mark; 0 is none.
  public var mark: UInt32
  /// What conntrack made of the packet, as known when it left this point.
  public var connectionState: Connection.State?
  /// What is different from the hop before.
  public var changes: [Change]
  /// Rules of the user's own tables, evaluated since the hop before.
  public var rules: [RuleStep]
  /// Whether the packet was really here: false at the place where a rule ended its journey.
  public var passed: Bool

  /// A hop of these fields.
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
  /// Which field.
  public var field: Field
  /// Its value one hop before.
  public var from: String
  /// Its value here.
  public var to: String
  /// Who changed it.
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

  /// A change of one field.
  public init(_ field: Field, from: String, to: String, cause: Cause) {
    self.field = field
    self.from = from
    self.to = to
    self.cause = cause
  }
}

/// One rule, end of chain or policy that a packet met in the user's tables.
public struct RuleStep: Sendable, Equatable {
  /// NFPROTO_… of the table.
  public var family: UInt8
  /// The table's name.
  public var table: String
  /// The chain's name.
  public var chain: String
  /// nil for a policy, and for rules of iptables-legacy.
  public var handle: UInt64?
  /// The place in its chain, from 1, of a rule of iptables-legacy, as its TRACE tells it.
  public var position: Int?
  /// What the rule or policy said.
  public var verdict: Verdict
  /// The chain that a jump or goto leads to.
  public var target: String?
  /// Whether the chain's policy spoke, for no rule had.
  public var isPolicy: Bool
  /// The rule in the user's words, once it is known.
  public var text: String?
  /// What the rule translates, if it does.
  public var translation: NFTRuleMessage.Translation?
  /// Whether the rule answers with an error or a reset.
  public var rejects = false
  /// Whether the rule does what rp_filter does.
  public var checksReversePath = false
  /// Whether its table was loaded anew meanwhile: in one of that name its handle, or its place, may
  /// be another rule's.
  public var isReplaced = false
  /// The packet's mark behind the rule, where a trace told it.
  public var mark: UInt32?

  /// A step of these fields.
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

extension RuleStep {
  /// Whether it is a rule of iptables-legacy, known by its place.
  public var isLegacyRule: Bool { handle == nil && position != nil && !isPolicy }

  /// Whether the rule leaves its chain for good. In a base chain the policy is next then, and rules
  /// behind it are not met.
  var leavesChain: Bool {
    // Of iptables-legacy only the text tells. Its TRACE calls a RETURN of all packets a policy, too.
    verdict == .goto || verdict == .return || text?.contains(" -j RETURN") == true
      || text?.contains(" -g ") == true || isPolicy
  }

  /// Whether the step decided or changed something: more than being met on the way.
  public var decided: Bool { verdict != .continue || translation != nil }
}

/// How a journey ended, as far as this host can tell.
public struct End: Sendable, Equatable {
  /// In which way.
  public var kind: Kind
  /// Where it was seen last, or where it was dropped.
  public var hook: Hook?
  /// The table there, as `ObservationPoint.table`.
  public var table: String?
  /// The interface it left through.
  public var out: String?
  /// The kernel's name for the reason, where it gave one.
  public var dropReason: String?
  /// The function of the kernel that dropped it, with an offset.
  public var dropPlace: String?
  /// Why it cannot be known what became of it, where its kind is unknown.
  public var unseen: Unseen?

  /// Why the end of a packet's way may be missing, though it went on; the raw value is the name in
  /// JSON.
  public enum Unseen: String, Sendable {
    /// Messages of the kernel were lost while it was on its way.
    case messagesLost = "messages-lost"
    /// What was recorded ends while it was on its way.
    case recordingEnded = "recording-ended"
    /// NAT comes next, and what it translates may not be watched: what lines of the kernel log cannot
    /// say.
    case behindNAT = "behind-nat"
  }
  /// Whether nftrace itself discarded it there, in a dry run, instead of letting it go on.
  public var isDryRun = false

  /// Ways to end; the raw value is the name in JSON.
  public enum Kind: String, Sendable {
    case transmitted, delivered, dropped, rejected, unknown
  }

  /// An end of these fields.
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
  /// ctnetlink's id of it; nil for what conntrack does not follow.
  public var id: UInt32?
  /// Of this packet: new, established, related, invalid, untracked; nil where unknown.
  public var state: State?
  /// Whether the packet goes in the reply direction.
  public var isReply: Bool?
  /// Its addresses as the first packet had them.
  public var original: ConntrackTuple?
  /// The addresses that answers are expected to have.
  public var reply: ConntrackTuple?
  /// IPS_… bits, as last heard of.
  public var status: ConntrackMessage.Status
  /// IPS_… bits that trace messages of this packet had.
  public var tracedStatus: ConntrackMessage.Status = []
  /// Whether an earlier packet had made the connection's entry when this one came.
  public var wasKnown = false

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

  /// A connection of these fields.
  public init(
    id: UInt32?, state: State? = nil, isReply: Bool? = nil, original: ConntrackTuple? = nil,
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
  /// The packets, in the order in which they were first seen.
  public var journeys: [Journey]
  /// What is to be said about recorded traffic; of a ping's probes, `ProbeResult` has it.
  public var findings: [Finding] = []

  /// An exchange of these packets.
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
  /// NFLOG messages.
  public var nflog = 0
  /// Lines of the kernel log.
  public var lines = 0
  /// nf_tables trace messages.
  public var trace = 0
  /// Conntrack events.
  public var conntrack = 0
  /// Packets of which the kernel said why it dropped them.
  public var drops = 0
  /// Messages known to be missing.
  public var lost = 0
  /// NFLOG messages among them, as far as their numbers show it.
  public var missingLogs = 0
  /// The program that changed the ruleset meanwhile, if one did: nftrace is not meant.
  public var rulesetChanger: String?

  /// No messages yet.
  public init() {}

  /// Adds the counts of another part of the session.
  public mutating func add(_ other: EventCounts) {
    nflog += other.nflog
    lines += other.lines
    trace += other.trace
    conntrack += other.conntrack
    drops += other.drops
    lost = lost.adding(clamped: other.lost)
    missingLogs = missingLogs.adding(clamped: other.missingLogs)
    rulesetChanger = rulesetChanger ?? other.rulesetChanger
  }
}

/// Which way routing sends a packet: looked up after the packet had come to rest.
public struct RouteDecision: Sendable, Equatable {
  /// The interface; nil for a packet of this host's own.
  public var device: String?
  /// The next hop; nil where the destination is on the link.
  public var gateway: IPAddress?
  /// The route's prefix; nil where that could not be told.
  public var destination: Prefix?
  /// The routing table's number.
  public var table: UInt32
  /// The priority of the policy rule that led to the table, where it is none of the three that
  /// every host has.
  public var rule: UInt32?
  /// The route's preferred source.
  public var preferredSource: IPAddress?

  /// Names of the tables that have one everywhere, or the number.
  public var tableName: String { PolicyRouting.name(ofTable: table) }

  /// A decision of these fields.
  public init(
    device: String?, gateway: IPAddress?, destination: Prefix?, table: UInt32, rule: UInt32?,
    preferredSource: IPAddress?
  ) {
    self.device = device
    self.gateway = gateway
    self.destination = destination
    self.table = table
    self.rule = rule
    self.preferredSource = preferredSource
  }
}
