internal import Wire

/// A packet that did not do what was hoped for, and all that is known about it: what a diagnosis
/// looks at.
struct LostPacket {
  private let session: Shared<SessionHeader>?
  private let known: Shared<Snapshot>
  /// What was asked of the kernel, as far as the cause that looks at the packet needs it.
  private(set) var answers: Answers
  let exchange: Exchange
  /// The packet in question: the request, or the reply if that died.
  let journey: Journey
  /// An ICMP error about the request, with who sent it, if one was read back or seen.
  let error: Packet?
  /// Whether this host sent that error.
  let isOurError: Bool

  /// Whether what went back came to who asked: a refusal.
  var hasComeBack = false
  /// The same packet as the first of a new connection, where this one's was there before.
  var witness: Journey?
  /// The errno that refused to send it, for a packet of this host's own.
  let refused: Int32?

  /// Where the packet was last, before whatever happened to it.
  let last: Hop
  /// Where it stopped.
  let stage: Stage

  /// Parts of the way through this host, as far as a packet got.
  enum Stage: Equatable {
    /// A rule's or policy's verdict ended it.
    case ruled
    /// Seen at ingress, not at PREROUTING.
    case arrival
    /// Stopped between two points of one hook, and no nf_tables rule did it.
    case within(Hook)
    /// Through with PREROUTING, and at neither INPUT nor FORWARD.
    case routing
    /// Through with PREROUTING within a bridge, which was to send it by another port.
    case bridging
    /// Through with FORWARD, and not at POSTROUTING; or through with OUTPUT.
    case beforePostrouting
    /// Through with POSTROUTING, and not sent.
    case output
    /// Through with all hooks, and dropped behind them.
    case behindEgress
    case sent
    case delivered
  }

  init(
    _ journey: Journey, of exchange: Exchange, error: Packet?, refused: Int32?,
    session: Shared<SessionHeader>?, known: Shared<Snapshot>
  ) {
    self.session = session
    self.known = known
    answers = Answers(known, to: [])
    self.exchange = exchange
    self.journey = journey
    last = journey.furthest
    self.refused = refused
    let seen = exchange.error
    self.error = error ?? seen?.packet
    isOurError = seen?.way.first.point.hook == .output
    stage = Self.stage(journey, last, session)
  }

  private static func stage(
    _ journey: Journey, _ last: Hop, _ session: Shared<SessionHeader>?
  ) -> Stage {
    switch journey.end {
    case .dropped, .rejected, .kept(.interception, _): return .ruled
    case .sent, .kept(.insteadOfSending, _): return .sent
    case .delivered, .proxied, .kept(.insteadOfDelivering, _): return .delivered
    case .refused, .unknown: break
    }
    let hook = last.point.hook
    if hook == .ingress { return .arrival }
    if hook == .egress { return .behindEgress }
    let isLast =
      session?.value.points.contains { $0.hook == hook && $0.priority > last.point.priority }
      != true
    guard isLast else { return .within(hook) }
    switch hook {
    case .prerouting: return journey.end.kernelDrop?.isInBridge == true ? .bridging : .routing
    case .postrouting: return .output
    default: return .beforePostrouting
    }
  }

  /// The request whose answer this is, looked at in the same way.
  var request: LostPacket? { exchange.request.map(looking) }

  /// Another packet of the same exchange, looked at in the same way.
  func looking(at journey: Journey) -> LostPacket {
    var lost = LostPacket(
      journey, of: exchange, error: error, refused: refused, session: session, known: known)
    lost.answers.needs = answers.needs
    lost.witness = witness
    lost.hasComeBack = hasComeBack
    return lost
  }

  // MARK: What is known

  /// What the session is.
  var header: SessionHeader? { session?.value }
  /// The probes, if it is one of them.
  var plan: ProbePlan? { session?.value.probe }
  /// What is known of the namespace.
  var snapshot: Snapshot { _read { yield known.value } }
  var packet: Packet { last.packet }
  var version: Int { packet.source.family }
  /// The interface it came in by, on its whole way.
  var inDevice: String? { journey.inDevice }
  /// The interface it was to leave by, as far as that was known, and as routing and rules see it: of a bridge and
  /// its port, the bridge. What is only bridged leaves by the port.
  var outDevice: String? { journey.outDevice }
  /// The same, as the wire sees it: the port of a bridge, what a VLAN stands on.
  var lowestDevice: String? { journey.lowestDevice }
  /// Whether it goes back to who asked: an answer, or an ICMP error about the question.
  var isReply: Bool { journey.direction == .reply || journey.direction == .error }

  /// Whether conntrack could make nothing of the packet. The trace names every state but this one: a
  /// packet without any, where others have one, is invalid.
  var isInvalid: Bool {
    guard let state = journey.connection?.state else {
      return metIP && session?.value.tellsConnections == true
    }
    return state == .invalid
  }

  /// Whether it is to begin a TCP connection where one of the same addresses and ports has long begun: what was
  /// there before has gone both ways, as conntrack saw it.
  var isWithinConnection: Bool {
    packet.tcp?.flags == .syn && !isReply && journey.connection?.state == .established
  }

  /// The same, behind a sentence.
  var connectionWords: String {
    "a TCP connection of these addresses and ports is there already (conntrack has it as established), in which a SYN "
      + "has no place: ask from another port"
  }

  /// Whether it came to a hook of IP, and not only to those of its interfaces.
  var metIP: Bool { journey.metIP }

  /// From now on, a diagnosis looks at the packet. In place, for there are many, and much is known.
  mutating func show(to diagnosis: any Diagnosis.Type) { answers.needs = diagnosis.needs }

  /// By how much a counter went up while the probe was on its way.
  func delta(_ counter: Counter) -> UInt64 { answers.delta(counter) }

  /// The same of an interface's counter.
  func delta(_ counter: InterfaceCounter, of device: String) -> UInt64 {
    answers.delta(counter, of: device)
  }

  /// The counters of these that went up, and by how much.
  func rises(_ counters: [Counter]) -> [Evidence] {
    counters.filter { delta($0) > 0 }.map { .counter($0, by: delta($0)) }
  }

  /// What this host was found to have.
  func host(_ need: HostNeed) -> HostState { answers.host(need) }

  /// The value of a setting.
  func value(of setting: Setting) -> String? { answers.value(of: setting) }

  /// The name and the value of a setting of an interface, for this packet's IP version.
  func setting(
    _ setting: InterfaceSetting, of device: String
  ) -> (name: String, value: String)? {
    answers.setting(setting, of: device, version: version)
  }

  /// The packet as routing saw it: after DNAT, before SNAT.
  var routed: Hop? { journey.way.routed }

  /// Which way routing sends the packet, coming in where it came in.
  var route: RouteAnswer? {
    routed.flatMap { snapshot.answer(about: $0, arriving: true) } ?? reckoned?.answer
  }
  /// Which way it would go if this host had made it.
  var plainRoute: RouteAnswer? {
    guard answers.has(.plainRoute) else { return nil }
    return routed.flatMap { snapshot.answer(about: $0, arriving: false) } ?? reckoned?.plain
  }
  /// What is reckoned of recorded traffic.
  private var reckoned: ReckonedRouting? {
    header?.probe == nil ? routed.flatMap { ReckonedRouting($0, snapshot) } : nil
  }

  /// Which way the answer would go: a plain lookup of the source.
  var wayBack: RouteAnswer? {
    guard answers.has(.wayBack), let routed else { return nil }
    return snapshot.lookups.last {
      $0.question.destination == routed.packet.source && $0.question.inputInterface == nil
        && $0.question.source == nil
    }?.answer
  }

  /// Which way this host's own answer to what was delivered here would go.
  /// `mark` is the one that the answer carries.
  func answerRoute(mark: UInt32) -> RouteAnswer? {
    guard answers.has(.answerRoute), let hop = journey.answered else { return nil }
    return snapshot.lookups.last {
      $0.question.destination == hop.packet.source && $0.question.inputInterface == nil
        && $0.question.source == hop.packet.destination && ($0.question.mark ?? 0) == mark
    }?.answer
  }

  /// The rule that ended the journey.
  var decider: RuleStep? { journey.end.isStopped ? journey.end.decider?.rule : nil }

  /// The reset or ICMP error that answered, and whether this host sent it.
  var refusal: (packet: Packet, isOurs: Bool)? {
    if let error { return (error, isOurError || snapshot.isLocal(error.source)) }
    guard
      let reset = exchange.journeys.last(where: { $0.direction == .reply && $0.packet.isRefusal })
    else { return nil }
    return (reset.packet, reset.way.first.point.hook == .output)
  }

  /// The change of destination the packet met here, if one.
  var destinationChange: Change? { translation(.destination) }

  /// The change of source the packet met here, if one.
  var sourceChange: Change? { translation(.source) }

  /// What is different when it comes in, an interception changed: no rule did.
  private func translation(_ field: Change.Field) -> Change? {
    journey.way.legs.filter { $0.hop.point.hook != .ingress }.flatMap(\.changes)
      .first { $0.field == field && $0.cause != .natReply }
  }

  /// The kernel's own reasons for dropping this packet, the last first.
  var dropReason: String? { journey.end.kernelDrop?.reason }

  /// Whether a program owns the table of this step, so that no other can change it.
  func isOwned(_ step: RuleStep) -> Bool {
    snapshot.isOwned(step)
  }

  /// "IPv4" or "IPv6" rules: the program that people type for it.
  var iptables: Command { version == 4 ? "iptables" : "ip6tables" }

  /// Evidence that the kernel's drop reason gives, if there is one.
  var reasonEvidence: [Evidence] {
    dropReason.map { [.dropReason($0, place: journey.end.kernelDrop?.location)] } ?? []
  }
}

extension Way {
  /// The packet as routing saw it: after DNAT, before SNAT.
  var routed: Hop? { routedAt.map { hops[$0] } }

  /// Where among the hops that is.
  var routedAt: Int? {
    hops.lastIndex { $0.point.hook == .prerouting } ?? hops.lastIndex { $0.point.hook == .output }
  }
}
