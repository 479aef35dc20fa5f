internal import Wire

extension FindingID {
  static let noRoute = FindingID(rawValue: "no-route")
}

/// Routing knows no way to the destination.
enum NoRoute: Cause {
  static let page = FindingPage(
    .noRoute, "There is no route to the destination",
    meaning: """
      No table that policy routing asks has a route to the destination, and there is no default route. A
      route through an interface that is down does not count, nor does one of the type `throw`, which
      sends the search on to the next table. The sender of a forwarded packet is told with an ICMP error
      (3/0; ICMPv6 1/0), a program on this host with ENETUNREACH. It may also be this host's own answer that
      has no way back to who asked: then nobody is told anything.
      """,
    certainty: """
      Always certain: the kernel was asked with the packet's own interface, mark and TOS.
      """,
    conclusion: """
      A route lookup for the packet finds nothing (ENETUNREACH). Where forwarding is off, a lookup says
      EHOSTUNREACH for both; then a lookup without the incoming interface tells which it is. Interfaces
      that are down are named.
      """,
    advice: """
      Bring up the interface that the evidence names (`ip link set dev … up`), or add the route
      (`ip route add … via …`). Where an answer has no way back, the remedy is a route by the interface that
      the request came in by, with the router there if it is known. If a table throws the packet on, and a table behind it has a route, the
      remedy takes the `throw` route away. Where an IPv6 router announces itself and this host, which
      forwards, ignores it, the remedy has it accept that. `ip route get` with `from`, `iif` and `mark` asks the kernel
      the same again.
      """)

  static let needs: [Need] = [
    .plainRoute, .routes, .neighbours, .setting(.forwarding4), .interfaceSetting(.forwarding),
    .host(.advertisements),
  ]

  static let isToldByRouting = true

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let packet = lost.packetInRouting, let errno = lost.route?.errno else { return nil }
    var evidence: [Evidence] = [.noRouteFound(to: packet.destination)]
    if errno != RouteErrno.noRoute {
      // Where nothing is forwarded, a lookup says that it found nothing in the same words as that it
      // may not be forwarded.
      guard errno == RouteErrno.unreachable, lost.plainRoute?.errno == RouteErrno.noRoute,
        let name = lost.forwardingSwitch
      else { return nil }
      evidence.append(.settingForbidsToo(name, value: "0"))
    }
    let asker = lost.isReply ? lost.request?.inDevice : nil
    return finding(
      packet, PolicyRouting(lost), lost.snapshot, lost.host(.advertisements), evidence,
      then: lost.reasonEvidence,
      wayBack: asker.flatMap { ReturnRoute(to: packet.destination, by: $0, lost.snapshot) })
  }

  static func examine(_ unsent: UnsentPacket) -> Finding? {
    guard unsent.errno == RouteErrno.noRoute else { return nil }
    return finding(
      unsent.packet, unsent.policy, unsent.snapshot, unsent.snapshot.host, unsent.evidence)
  }

  private static func finding(
    _ packet: Packet, _ policy: PolicyRouting, _ snapshot: Snapshot, _ host: HostState,
    _ evidence: [Evidence],
    then more: [Evidence] = [], summary: String? = nil, wayBack: ReturnRoute? = nil
  ) -> Finding {
    let thrown = policy.route(of: .throw)
    let passed = passedMain(policy)
    let down = snapshot.links.values.filter {
      !$0.flags.contains(.loopback) && !($0.flags.contains(.up) && $0.flags.contains(.lowerUp))
        && $0.kind != "tun"
    }.map(\.name).sorted()
    let others = snapshot.routes.routes(to: packet.destination).filter {
      $0.kind == .unicast && $0.source.length > 0 && !$0.source.contains(packet.source)
    }
    return error(
      (summary ?? "there is no route to \(packet.destination)")
        + (others.last.map {
          " for the source \(packet.source): \(RoutingWords.name(of: $0)) is for sources of "
            + "\($0.source) alone"
        } ?? passed.map {
          ": the table main has \(RoutingWords.name(of: $0)), and no rule has that table asked"
        } ?? ""),
      evidence: evidence + others.map { .route($0) }
        + (thrown.map { [.thrown(byTable: $0.table)] } ?? [])
        + down.map { .routesUnused(through: $0) } + more,
      remedy: try remedy(packet, thrown, policy, snapshot, host, wayBack))
  }

  /// The route of the main table, where no rule has that asked.
  private static func passedMain(_ policy: PolicyRouting) -> RouteMessage? {
    guard let route = policy.best(in: RouteMessage.mainTable), route.kind == .unicast,
      policy.rule(for: RouteMessage.mainTable) == nil
    else { return nil }
    return route
  }

  private static func remedy(
    _ packet: Packet, _ thrown: RouteMessage?, _ policy: PolicyRouting, _ snapshot: Snapshot,
    _ host: HostState, _ wayBack: ReturnRoute?
  ) throws(Word.Unspeakable) -> Command? {
    // Of no use where no table behind has a route.
    if let thrown, policy.without(thrown).route != nil { return RoutingWords.deletion(thrown) }
    if passedMain(policy) != nil {
      let version: Command = packet.source.family == 6 ? "-6 " : ""
      return "ip \(version)rule add pref 32766 lookup main"
    }
    // What is 0 was set so, by who looks after advertisements itself.
    guard
      let state = AdvertisementsIgnored.ignored(to: packet.destination, snapshot, host),
      state.accept == "1"
    else { return try wayBack?.remedy }
    let name = InterfaceSetting("accept_ra", versions: [6]).name(of: state.device, version: 6)
    return "sysctl -w \(try Word.sysctl(name))=2"
  }

  /// This host was asked, and knows no way back to who asked.
  enum OfAnswer: Cause {
    static var page: FindingPage { NoRoute.page }
    static let needs: [Need] = AnswerRouting.needs + [.neighbours, .host(.advertisements)]

    static func examine(_ lost: LostPacket) -> Finding? {
      guard let answer = AnswerRouting(lost), answer.errno == RouteErrno.noRoute,
        answer.policy.refusal == nil
      else { return nil }
      let client = answer.packet.destination
      return finding(
        answer.packet, answer.policy, lost.snapshot, lost.host(.advertisements),
        [.noRouteFound(to: client), .notReplied],
        summary: "this host was asked, and has no route back to \(client) for its answer",
        wayBack: lost.inDevice.flatMap { ReturnRoute(to: client, by: $0, lost.snapshot) })
    }
  }
}
