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
    /// Whether what was recorded ends while it may still be on its way.
    var isCut = false
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

    /// Why its end may have been missed.
    var unseen: End.Unseen? { hasGap ? .messagesLost : isCut ? .recordingEnded : nil }

    /// Whether its packet can be the one of these headers, now that NAT has rewritten it: trace ids are
    /// used again, for fragments made of another packet among others.
    func canBe(_ headers: Packet) -> Bool {
      let packet = hops[hops.count - 1].packet
      if headers.hidesTransport {
        return packet.source == headers.source || packet.destination == headers.destination
      }
      guard packet.proto == headers.proto, packet.source.family == headers.source.family,
        packet.isLaterFragment == headers.isLaterFragment
      else { return false }
      if let ours = packet.identification, let theirs = headers.identification, ours != theirs {
        return false
      }
      return packet.icmp?.type == headers.icmp?.type
        && packet.tcp?.sequence == headers.tcp?.sequence
    }

    /// Its packet with these headers.
    func packet(now headers: Packet) -> Packet {
      var packet = headers.hidesTransport ? hops[hops.count - 1].packet : headers
      packet.source = headers.source
      packet.destination = headers.destination
      packet.ttl = headers.ttl
      packet.length = headers.length
      packet.payload = hops[0].packet.payload
      if headers.hidesTransport, !packet.isLaterFragment { packet.fragment = headers.fragment }
      return packet
    }
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
  /// The packet as far as its headers are told. IPv6's extension headers are not, and so what is told
  /// of its transport cannot be read.
  var packet: Packet? {
    guard var header = networkHeader else { return nil }
    if header.count == 40, header[0] >> 4 == 6, [0, 43, 44, 60].contains(header[6]) {
      let isFragment = header[6] == 44
      header[6] = Packet.nothingFollows
      var packet = try? Packet(header)
      // Of later ones no header is told.
      if isFragment { packet?.fragment = Packet.Fragment(identification: 0, offset: 0, more: true) }
      return packet
    }
    return try? Packet(header + (transportHeader ?? []))
  }

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
  /// "No next header" of RFC 8200 section 4.7.
  fileprivate static let nothingFollows: UInt8 = 59

  /// Whether it has a transport header that is not told.
  fileprivate var hidesTransport: Bool { proto.rawValue == Self.nothingFollows }

  /// Whether it says that a packet was not wanted: an ICMP error, or a reset.
  var isRefusal: Bool { quoted != nil || tcp?.flags.contains(.rst) == true }

  /// Neighbour solicitation or advertisement: RFC 4861 sections 4.3 and 4.4.
  var isNeighbourDiscovery: Bool {
    proto == .icmpv6 && (icmp?.type == 135 || icmp?.type == 136)
  }

  /// The same, or that of routers.
  var isDiscovery: Bool {
    proto == .icmpv6 && icmp.map { (133...136).contains($0.type) } == true
  }

  /// RFC 2710 and RFC 3810. The kernel's mark of these is none: it shares its place with something
  /// else.
  var isMulticastListenerDiscovery: Bool {
    guard proto == .icmpv6, let type = icmp?.type else { return false }
    return (130...132).contains(type) || type == 143
  }
}
