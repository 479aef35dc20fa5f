internal import Wire

extension FindingID {
  static let replyMisrouted = FindingID(rawValue: "reply-misrouted")
}

/// The answer leaves this host by another interface than the one its client is behind.
enum ReplyMisrouted: Cause {
  static let page = FindingPage(
    .replyMisrouted, "The answer left by another interface than its client is behind",
    meaning: """
      The request was answered, or refused with a reset or an ICMP error, and routing here sent that out of an
      interface that the client is not behind. Routing looks at the answer's own addresses, mark and ports: a policy rule may catch
      answers and not requests, or send them to a table that does not know the client's network. With several
      uplinks, an answer leaves by the default route, whichever uplink the question came by; a provider
      that checks sources throws it away there.
      """,
    certainty: """
      Always certain: the answer was seen leaving. That is an error where this host has a route to the client's own
      network, or knows it as a neighbour, and where the answer goes into a VPN or back out of the interface that
      it came by. Where else no more than a default route leads to the client it is a warning: another uplink
      may well take the answer to it. So it is where the answer leaves by the right interface, and is handed to
      another machine than the client, which is there itself.
      """,
    conclusion: """
      The answer was sent, and the interface that it left by is neither the one that the request came in
      by, nor its bridge, nor a port of it. The lookup of the answer says which rule and table sent it there.
      """,
    advice: """
      Run the remedy. If a table lacks the client's network, it adds the route that the main table has. If a service
      is asked by its second uplink, it lets what has that uplink's address leave by it; if what is asked was
      forwarded, connections are marked by the uplink they came by, and the mark chooses the table. Neither
      lasts over a restart: put it into the network configuration.
      """)

  static let needs: [Need] = [.routes, .neighbours, .host(.sockets)]

  static func examine(_ lost: LostPacket) -> Finding? {
    lost.isReply ? finding("the answer leaves", lost) : nil
  }

  private static func finding(_ words: String, _ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, let asker = lost.asker,
      lost.last.packet.destination == asker.address,
      let out = lost.outDevice,
      !lost.snapshot.leads(out, from: lost.inDevice, as: lost.packet.source, to: asker)
    else { return nil }
    let home = asker.device
    let routing = routing(lost)
    var evidence: [Evidence] = []
    if let rule = routing.decider, rule.priority != 32766 { evidence.append(.policyRule(rule)) }
    if let route = routing.route { evidence.append(.route(route)) }
    return error(
      "\(words) \(out)\(way(lost, routing)), and not \(home), behind which \(asker.address) is",
      evidence: evidence + [.sent(through: out, source: lost.packet.source)],
      remedy: try asker.isFromAfar
        ? uplinkRouting(lost, by: home)
        : homeRoute(to: asker.address, by: home, lost, routing))
  }

  /// Lets what came by this uplink be answered by it.
  private static func uplinkRouting(
    _ lost: LostPacket, by home: String
  ) throws(Word.Unspeakable) -> Command? {
    guard let request = lost.request else { return nil }
    return try UplinkRouting(
      asked: request.journey.packet.destination,
      isOwn: lost.journey.hops.first?.point.hook == .output, by: request.journey.packet.source,
      home, lost.snapshot
    ).remedy
  }

  /// What went the wrong way is a refusal: who asked waits in vain, and what was refused comes to light then.
  enum OfRefusal: Cause {
    static var page: FindingPage { ReplyMisrouted.page }
    static var needs: [Need] { ReplyMisrouted.needs }

    static func examine(_ lost: LostPacket) -> Finding? {
      guard !lost.hasComeBack,
        let refusal = lost.exchange.journeys.last(where: {
          $0.direction == .error || $0.direction == .reply && $0.packet.isRefusal
        }),
        // Of what died here, why it did is the cause; but that a packet is too long its sender has to learn.
        lost.exchange.request?.end.isThrough == true
          || refusal.packet.icmp?.mtu(refusal.packet.proto) != nil
      else { return nil }
      return finding(
        "it was refused, and the refusal (\(RuleNames.refusal(refusal.packet))) leaves",
        lost.looking(at: refusal))
    }
  }

  private static func homeRoute(
    to client: IPAddress, by home: String, _ lost: LostPacket, _ routing: PolicyRouting
  ) throws(Word.Unspeakable) -> Command? {
    guard let table = routing.route?.table ?? lost.journey.route?.table else { return nil }
    if table == RouteMessage.mainTable {
      let known = lost.snapshot.routes.routes(to: client).last {
        $0.table == table && $0.kind == .unicast && $0.destination.length > 1
          && lost.snapshot.isSamePlace(lost.snapshot.name($0.outputInterface), home)
      }
      if let known {
        // The route that ought to be taken is there: what is more special leads astray.
        guard let used = routing.route, used.destination.length > known.destination.length else {
          return nil
        }
        return RoutingWords.deletion(used)
      }
      return try ownRoute(to: client, by: home, lost.snapshot)
    }
    return try RoutingWords.copy(
      ofRouteTo: client, by: home, into: table, before: routing.decider, lost.snapshot)
  }

  /// The route to the subnet that the interface has an address of, where it is not there any more.
  private static func ownRoute(
    to client: IPAddress, by home: String, _ snapshot: Snapshot
  ) throws(Word.Unspeakable) -> Command? {
    guard let link = snapshot.link(home) else { return nil }
    let version: Command = client.family == 6 ? "-6 " : ""
    let device = try Word.device(home)
    if let subnet = snapshot.addresses.networks(of: link.index).first(where: { $0.contains(client) }
    ) {
      return "ip \(version)route add \(subnet) dev \(device)"
    }
    // A neighbour, who is in no subnet of this host's.
    return snapshot.addresses.neighbour(client, on: link.index)?.hardwareAddress == nil
      ? nil : "ip \(version)route add \(client) dev \(device)"
  }

  /// The rules and tables that the answer meets: a program of this host sends it for its user.
  private static func routing(_ lost: LostPacket) -> PolicyRouting {
    let routing = PolicyRouting(lost)
    guard lost.isReply, lost.journey.hops.first?.point.hook == .output, !lost.packet.isRefusal,
      let user = lost.request?.listeners.first?.user
    else { return routing }
    return routing.sent(by: user)
  }

  private static func way(_ lost: LostPacket, _ routing: PolicyRouting) -> String {
    let told = lost.journey.route
    guard let table = routing.route?.table ?? told?.table else { return "" }
    let main: UInt32 = 32766
    let rule = routing.decider?.priority ?? told?.rule ?? main
    if table == RouteMessage.mainTable, rule == main {
      guard let route = routing.route, route.destination.length > 0 else {
        return " by the default route, for there is none to \(lost.last.packet.destination)"
      }
      return " by \(RoutingWords.name(of: route))"
    }
    return " as table \(RoutingWords.name(ofTable: table)) has it"
      + (rule == main ? "" : " by rule \(rule)")
  }

  /// The client is reached by a default route alone: the answer took another uplink than the question.
  enum ByAnotherUplink: ExchangeNote {
    static var page: FindingPage { ReplyMisrouted.page }
    static let needs: [Need] = [.routes, .neighbours]

    static func examine(_ exchange: Exchange, _ answers: () -> Answers) -> Finding? {
      guard let ways = ways(exchange.journeys) else { return nil }
      let known = answers()
      guard !known.snapshot.isSamePlace(ways.came, ways.went), ways.reply.handedOnBy == nil
      else { return nil }
      let source = ways.reply.hops.last?.packet.source ?? ways.reply.packet.source
      return warning(
        "the question came in by \(ways.came), and the answer leaves \(ways.went): who takes it there may "
          + "not take the source \(source)",
        evidence: [.sent(through: ways.went, source: source)],
        remedy: try UplinkRouting(
          asked: ways.request.packet.destination,
          isOwn: ways.reply.hops.first?.point.hook == .output, by: ways.request.packet.source,
          ways.came, known.snapshot
        ).remedy)
    }

    static func asks(about journeys: [Journey], _ snapshot: Snapshot) -> Bool {
      ways(journeys).map { !snapshot.isSamePlace($0.came, $0.went) } ?? false
    }

    /// By which interface the question came, and by which the answer went.
    private static func ways(
      _ journeys: [Journey]
    ) -> (request: Journey, reply: Journey, came: String, went: String)? {
      guard let request = journeys.first(where: { $0.direction == .request }),
        let came = request.inDevice, request.hops.first?.point.hook != .output,
        request.end.isThrough,
        let reply = journeys.first(where: {
          ($0.direction == .reply || $0.direction == .error) && $0.end.kind == .transmitted
        }), let went = reply.end.place.out, went != "lo", went != request.end.place.out
      else { return nil }
      return (request, reply, came, went)
    }
  }
}
