internal import Wire

extension Story {
  /// One packet at one point, from an NFLOG message or the first trace message of a chain.
  struct Observation {
    var point: ObservationPoint
    var time: UInt64
    var inDevice: String?
    var outDevice: String?
    /// Ports of a bridge, where the bridge passes packets to this hook.
    var inPort: String? = nil
    var outPort: String? = nil
    var packet: Packet
    var identity: Identity?
    /// nil where the kernel did not tell it.
    var mark: UInt32?
  }

  /// A journey that may go on.
  struct OpenJourney {
    var id: Int
    var identity: Identity
    var traceID: UInt32?
    var hops: [Hop]
    var steps: [RuleStep] = []
    /// The verdict that ended it, and where.
    var dropped: RuleStep?
    var droppedAt: (hook: Hook, priority: Int32)?
    var connectionID: UInt32?
    var connectionState: Connection.State?
    var isReply: Bool?
    /// Conntrack's status bits of the connection when the packet first met it, and all since.
    var arrivalStatus: ConntrackMessage.Status?
    var tracedStatus: ConntrackMessage.Status = []
    var start: UInt64
    var last: UInt64
    /// What it is told together with, as far as that is known.
    var key: Key
    /// The journey before it with the same identity, as an index of those that are open.
    var twin: Int?
    /// Whether messages were lost since it began.
    var hasGap = false
    /// The probe that was sent last before it began.
    var latestProbe: Int?
    /// Its exchange, where addresses alone tell.
    var exchange: Key?
    /// Whether it is an answer, as far as addresses and flags tell.
    var looksLikeAnswer: Bool?

    /// Whether conntrack had no say. What it calls invalid belongs to nothing, as it says.
    var isUntracked: Bool {
      connectionID == nil && (connectionState == nil || connectionState == .untracked)
    }
    var lastPoint: ObservationPoint { hops[hops.count - 1].point }
  }
}

extension Story {
  /// What the journeys of an exchange have in common.
  enum Key: Hashable {
    case probe(Int)
    /// By conntrack's number.
    case flow(UInt32, UInt16)
    /// By addresses alone, with a number of `LoggedFlows`.
    case pair(UInt32, UInt16)
    case echo(Identity)
    case journey(Int)
  }
}

extension TraceMessage {
  /// Whether it is about ARP or neighbour discovery (RFC 4861), which nftrace's rules trace and do
  /// not log. `packet` is what its headers say.
  func isDiscovery(_ packet: Packet?) -> Bool {
    if family == NFProto.arp { return true }
    // What nftrace's rules for devices trace and is no IP packet is ARP.
    guard let packet else { return family == NFProto.netdev }
    return packet.isNeighbourDiscovery
  }
}

extension Packet {
  /// Whether it says that a packet was not wanted: an ICMP error, or a reset.
  var isRefusal: Bool { quoted != nil || tcp?.flags.contains(.rst) == true }

  /// Neighbour solicitation or advertisement: RFC 4861 sections 4.3 and 4.4.
  var isNeighbourDiscovery: Bool {
    proto == .icmpv6 && (icmp?.type == 135 || icmp?.type == 136)
  }

  /// RFC 2710 and RFC 3810. The kernel's mark of these is none: it shares its place with something
  /// else.
  var isMulticastListenerDiscovery: Bool {
    guard proto == .icmpv6, let type = icmp?.type else { return false }
    return (130...132).contains(type) || type == 143
  }
}
