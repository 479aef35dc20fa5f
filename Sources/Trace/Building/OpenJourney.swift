internal import Wire

/// A journey that may go on.
struct OpenJourney {
  let id: Int
  let identity: PacketIdentity
  var traceID: UInt32?
  /// The one that it had first.
  var firstTraceID: UInt32?
  /// Whether a rule had this packet made of another one.
  var isCopy = false
  /// What happened to it so far.
  var way: Way
  /// The verdict that ended it, and where.
  var dropped: RuleStep? {
    get { verdict?.value }
    set { verdict = newValue.map { Shared($0) } }
  }
  /// The same: few packets have one, and it is large.
  var verdict: Shared<RuleStep>?
  var droppedAt: (hook: Hook, priority: Int32)?
  var connectionID: UInt32?
  var connectionState: Connection.State?
  var isReply: Bool?
  /// Conntrack's status bits of the connection when the packet first met it, and all since.
  var arrivalStatus: ConntrackMessage.Status?
  var tracedStatus: ConntrackMessage.Status = []
  let start: UInt64
  var last: UInt64
  /// How far the machine's clock was ahead of the session's when it began, in nanoseconds.
  var clockStep: Int64 = 0
  /// What it is told together with, as far as that is known.
  private(set) var key: ExchangeKey
  /// The number that `OpenJourneys` has for it; nil as long as nobody said a key.
  private(set) var keyNumber: Int? = nil
  /// The journey before it with the same identity, as an index of those that are open.
  var twin: Int?
  /// Whether nobody need look at it again, for it is over.
  var isPassed = false
  /// Whether messages were lost since it began.
  var hasGap = false
  /// Whether what was recorded ends while it may still be on its way.
  var isCut = false
  /// The probe that was sent last before it began.
  let latestProbe: Int?
  /// Its exchange, where addresses alone tell.
  var exchange: ExchangeKey?
  /// Whether it is an answer, as far as addresses and flags tell.
  var looksLikeAnswer: Bool?

  /// Whether conntrack had no say. What it calls invalid belongs to nothing, as it says.
  var isUntracked: Bool {
    connectionID == nil && (connectionState == nil || connectionState == .untracked)
  }
  /// Whether an earlier packet had made its connection's entry.
  var hasKnownConnection: Bool {
    connectionState == .established || arrivalStatus?.contains(.confirmed) == true
  }
  var hops: Hops { way.hops }
  var lastPoint: ObservationPoint { way.last.point }

  /// Whether it goes past IP's hook, although its first point sees it: a bridge that had IP's rules look at a
  /// packet hands it to IP then, which does not ask them again (br_netfilter's ip_sabotage_in).
  func goesPast(_ point: ObservationPoint) -> Bool {
    guard point.hook == .prerouting, hops.last?.point.hook == .ingress else { return false }
    return hops.contains { $0.point.hook == .prerouting && $0.point.priority > point.priority }
  }

  /// Why its end may have been missed.
  var unseen: End.Unseen? { hasGap ? .messagesLost : isCut ? .recordingEnded : nil }

  /// Whether its packet can be the one of these headers, now that NAT has rewritten it: trace ids are
  /// used again, for fragments made of another packet among others.
  func canBe(_ headers: Packet) -> Bool {
    let packet = way.last.packet
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
    var packet = headers.hidesTransport ? way.last.packet : headers
    packet.source = headers.source
    packet.destination = headers.destination
    packet.ttl = headers.ttl
    packet.length = headers.length
    packet.payload = way.first.packet.payload
    if headers.hidesTransport, !packet.isLaterFragment { packet.fragment = headers.fragment }
    return packet
  }
}

extension OpenJourney {
  /// It is told together with others of this key, which has this number.
  mutating func take(_ key: ExchangeKey, number: Int) { (self.key, keyNumber) = (key, number) }
}
