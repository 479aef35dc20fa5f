internal import Wire

extension FindingID {
  static let routingLoop = FindingID(rawValue: "routing-loop")
}

/// What this host sends on comes back to it, again and again.
enum RoutingLoop: Cause {
  static let page = FindingPage(
    .routingLoop, "The packet goes round in a loop",
    meaning: """
      Two routers each hold the other for the way to the destination, or a route here leads back into this
      host. The packet goes to and fro between them until its TTL is used up. It often happens where a
      provider routes a subnet to a customer, who has given no host that address and has a default route to the
      provider; or where somebody gave a route the loopback interface to have its packets thrown away.
      """,
    certainty: """
      Always certain: it was seen each time that it came.
      """,
    conclusion: """
      The same packet was forwarded at least three times, with a smaller TTL each time; or a packet of this host's
      own, or one that it had translated, came back to it and was lost. Or the route that it took leads to
      the loopback interface.
      """,
    advice: """
      Decide which of the two should have the destination. If it is to be behind this host, it needs a route of its own
      here; for what nobody uses of one's subnet, `ip route add unreachable SUBNET` says so to who asks. If it is to be
      elsewhere, the route of the other router is wrong. The remedy takes a route to the loopback interface away.
      """)

  static let needs: [Need] = [.routes, .neighbours]
  static let isToldByRouting = true
  static let isToldByRefusal = true
  static let isToldBySilence = true

  static func examine(_ lost: LostPacket) -> Finding? {
    guard !lost.isReply, lost.exchange.journeys.allSatisfy({ !$0.end.isStopped }) else {
      return nil
    }
    return intoItself(lost) ?? amongRouters(lost)
  }

  /// A route has the loopback interface for what is no address of this host.
  private static func intoItself(_ lost: LostPacket) -> Finding? {
    guard lost.outDevice == "lo" || lost.inDevice == "lo",
      let route = PolicyRouting(leaving: lost).route, route.kind == .unicast,
      lost.snapshot.name(route.outputInterface) == "lo"
    else { return nil }
    let passes = Set(lost.journey.hops.filter { $0.outDevice == "lo" }.map(\.packet.ttl)).count
    return error(
      "the route to \(RoutingWords.text(route.destination)) leads to lo, and so back into this host itself, "
        + (passes > 1
          ? "\(passes) times, until its \(lost.ttlName) was used up" : "which has no such address")
        + ": 'ip route add unreachable' or 'blackhole' is what throws packets away",
      evidence: [.route(route)], remedy: RoutingWords.deletion(route))
  }

  private static func amongRouters(_ lost: LostPacket) -> Finding? {
    let rounds = lost.rounds
    guard let last = rounds.last, rounds.count > 1 else { return nil }
    let isOwn = lost.snapshot.isLocal(last.packet.source)
    guard isOwn ? last.end.kind == .unknown : rounds.count > 2 else { return nil }
    let out = rounds[0].end.place.out ?? lost.outDevice ?? "?"
    let back = last.inDevice ?? "?"
    let gateway = PolicyRouting(leaving: lost).route?.gateway.map { " to \($0)" } ?? ""
    let times = rounds.count == 2 ? "" : " \(rounds.count - 1) times"
    return error(
      "it goes round in a loop: this host sent it out of \(out)\(gateway), and it came back by \(back)\(times)"
        + (isOwn ? "" : ", until its \(lost.ttlName) was used up")
        + "; either \(lost.packet.destination) should be behind this host, which has no route to it there, or who "
        + "sends it back has a wrong one",
      evidence: (PolicyRouting(leaving: lost).route.map { [.route($0)] } ?? []) + lost.errorEvidence
        + lost.reasonEvidence)
  }
}

extension LostPacket {
  /// The journeys of the packet through this host, each beginning as the one before ended, but for a smaller TTL:
  /// a router sent it back.
  fileprivate var rounds: [Journey] {
    var rounds: [Journey] = []
    for journey in exchange.journeys where !journey.isCopy && journey.direction != .error {
      guard let before = rounds.last else {
        if journey.direction == .request { rounds.append(journey) }
        continue
      }
      let left = before.way.last.packet
      if journey.packet.ttl < left.ttl, journey.packet.destination == left.destination,
        journey.way.first.point.hook != .output, journey.inDevice != "lo",
        PacketIdentity(journey.packet) == PacketIdentity(left)
      {
        rounds.append(journey)
      }
    }
    return rounds
  }
}

extension PolicyRouting {
  /// The way of a packet as it was when this host first sent it on.
  fileprivate init(leaving lost: LostPacket) {
    let hops = lost.journey.hops
    self.init(
      hops.last { $0.point.hook == .prerouting && $0.inDevice != "lo" }
        ?? hops.first { $0.point.hook == .output } ?? lost.last, lost.snapshot)
  }
}
