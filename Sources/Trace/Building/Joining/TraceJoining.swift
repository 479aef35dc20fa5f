internal import Wire

/// By what netlink messages tell: trace ids and connections, and where there are none, addresses.
struct TraceJoining: Joining {
  let knowsNAT = true
  /// Whether only probes are looked at: they are known by what they are.
  let isOfProbes: Bool
  private var flows = LoggedFlows()

  init(isOfProbes: Bool) { self.isOfProbes = isOfProbes }

  /// The first that has no trace id yet, or else the first.
  func better(
    _ index: Int, than best: Int?, for next: Sighting, traceID: UInt32?, in open: OpenJourneys,
    now: UInt64
  ) -> Int? {
    guard let best else { return index }
    func isFree(_ index: Int) -> Bool { traceID == nil || open[index].traceID == nil }
    return isFree(index) || !isFree(best) ? index : best
  }

  /// Which packets it answers, as far as its addresses tell: at each hop it may have others.
  mutating func note(_ journey: inout OpenJourney) {
    if isOfProbes { return }
    let last = journey.way.last
    guard last.packet.proto == .tcp || last.packet.proto == .udp else { return }
    let packet = last.packet
    // Of fragments that are made on the way, the first says what the others belong to.
    let hops = journey.hops
    if hops.count > 1, packet.fragment == nil, packet.hasEnds(of: hops[hops.count - 2].packet) {
      return
    }
    let isAnswer = flows.take(packet, of: &journey.exchange)
    if journey.looksLikeAnswer == nil { journey.looksLikeAnswer = isAnswer }
  }

  func key(of journey: OpenJourney, in open: OpenJourneys) -> ExchangeKey {
    let first = journey.way.first.packet
    if let id = journey.connectionID {
      // An error belongs to what it quotes; what an echo has as its number is an MTU or a pointer in
      // errors.
      return .flow(id, (first.quoted ?? first).echo?.sequence ?? 0)
    }
    // Without conntrack's word, ports tell what TCP and UDP packets have in common, either way.
    if journey.isUntracked, let exchange = journey.exchange { return exchange }
    // An echo reply has the payload of its request.
    if let echo = PacketIdentity(echo: first) { return .echo(echo) }
    // An error quotes what it is about.
    if let quoted = first.quoted,
      let about = open.last(where: { $0.way.first.packet.isSame(as: quoted) })
    {
      return about.key
    }
    return .journey(journey.id)
  }
}
