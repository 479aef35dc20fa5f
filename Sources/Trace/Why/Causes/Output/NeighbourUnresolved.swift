internal import Wire

extension FindingID {
  static let neighbourUnresolved = FindingID(rawValue: "neighbour-unresolved")
}

/// Nobody on the link says that the next hop is his address.
enum NeighbourUnresolved: Cause {
  static let page = FindingPage(
    .neighbourUnresolved, "The next hop does not answer ARP or neighbour discovery",
    meaning: """
      The packet is to be handed to a machine on the link, the gateway or the destination itself. This
      host asks for its MAC address and nobody answers. After some three seconds the kernel gives up,
      drops the packet, and tells its sender that the host is unreachable. Where ARP and neighbour discovery are
      switched off on the interface, nobody is asked: the packet goes to the interface's own MAC address, and
      nobody on the link takes it. A macvlan or ipvlan, as containers have them, never reaches the interface on which it
      stands, nor that host the macvlan.
      """,
    certainty: """
      Certain where the kernel's own entry for that neighbour says so; likely where nobody is asked.
      """,
    conclusion: """
      The packet was through with the last hook and was not sent, and the neighbour entry of its next
      hop is INCOMPLETE (asked, no answer yet) or FAILED. Or it was sent by an Ethernet interface with the flag
      NOARP, and no entry with an address was made for the next hop.
      """,
    advice: """
      See that the machine is there and up, that it has that address, and that it is on this link: the
      right VLAN, the right port, the right prefix length. If the address is in the subnet but behind
      another router, this link needs proxy ARP, or a route to that router. `tcpdump -eni IFACE arp`
      (or `icmp6`) shows who asks and who answers.
      """)

  static let needs: [Need] = [.plainRoute, .neighbours, .routes, .host(.whereabouts)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let route = lost.onwardRoute, let (hop, neighbour, device) = lost.silentHop else {
      return nil
    }
    let asks = hop.family == 4 ? "ARP" : "neighbour discovery"
    // An answer is for who asked.
    let role = route.gateway != nil ? "next hop" : lost.isReply ? "client" : "destination"
    if let tooWide = tooWide(lost, hop, device, asks, neighbour) { return tooWide }
    let owner = lost.whereabouts?.owners.first
    let evidence: [Evidence] =
      [.neighbour(hop, device: device, neighbour.state)] + (owner.map { [.owner(hop, $0)] } ?? [])
    if let owner,
      let elsewhere = elsewhere(
        owner, of: hop, role, asks, behind: device, lost, evidence + lost.reasonEvidence)
    {
      return elsewhere
    }
    let (words, used) = special(lost, hop)
    let translator = hop == lost.packet.destination ? lost.translator : nil
    var finding = error(
      "the \(role) \(hop)\(words)\(translated(lost, translator)) does not answer \(asks) on \(device): see that it is "
        + "there and up" + (translator == nil ? "" : ", or whether that rule is left over")
        + alsoBehind(lost, route),
      evidence: evidence + (used.map { [.route($0)] } ?? [])
        + (translator?.evidence ?? []) + lost.reasonEvidence)
    finding.owner = translator.flatMap { Owner($0) }
    return finding
  }

  /// Which rule gave the packet its destination, and whose that is.
  private static func translated(_ lost: LostPacket, _ rule: RuleStep?) -> String {
    guard let rule else { return "" }
    let owner = Owner(rule).map { ", which is \($0.rawValue)'s," } ?? ""
    return
      ", to which \(RuleNames.rule(rule))\(owner) leads what is for \(lost.journey.packet.destination),"
  }

  /// The same of recorded traffic, which this host has told its sender.
  static func told(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .output, let error = lost.error, error.isOfUnresolvedNeighbour,
      let route = lost.onwardRoute, let hop = lost.nextHop,
      let device = lost.snapshot.name(route.outputInterface)
    else { return nil }
    let (words, used) = special(lost, hop)
    return self.error(
      "the \(route.gateway != nil ? "next hop" : "destination") \(hop)\(words) did not answer "
        + "\(hop.family == 4 ? "ARP" : "neighbour discovery") on \(device): see that it is there and up",
      evidence: lost.errorEvidence + (used.map { [.route($0)] } ?? []))
  }

  /// Who has the address is on this machine, and why he does not answer is known.
  private static func elsewhere(
    _ owner: AddressOwner, of hop: IPAddress, _ role: String, _ asks: String,
    behind device: String, _ lost: LostPacket, _ evidence: [Evidence]
  ) -> Finding? {
    let start = "the \(role) \(hop) is an address of \(owner.words), "
    let apart = "an interface and what stands on it do not reach each other"
    switch owner.relation {
    case .above:
      let kind = owner.kind ?? "macvlan"
      return error(
        "\(start)a \(kind) on \(device): \(apart)", evidence: evidence,
        remedy: try shim(kind, on: device, to: hop, lost.snapshot))
    case .below:
      let kind = lost.snapshot.link(device)?.kind ?? "macvlan"
      return error(
        "\(start)and \(device) is a \(kind) on that: \(apart)", evidence: evidence)
    case .connected:
      if owner.isUp { return nil }
      return error(
        "\(start)which is down, so that nobody answers \(asks) on \(device)", evidence: evidence,
        remedy: try setUp(owner))
    }
  }

  private static func setUp(_ owner: AddressOwner) throws(Word.Unspeakable) -> Command? {
    guard let namespace = owner.namespace else { return nil }
    return
      "ip -n \(try Word.namespace(namespace)) link set dev \(try Word.device(owner.device)) up"
  }

  /// An interface of this host beside those that stand on its own, by which it reaches one of them.
  private static func shim(
    _ kind: String, on device: String, to address: IPAddress, _ snapshot: Snapshot
  ) throws(Word.Unspeakable) -> Command {
    let parent = try Word.device(device)
    let own = try Word.device("nf-shim0")
    let mode: Command = kind == "ipvlan" ? "ipvlan mode l2" : "macvlan mode bridge"
    // In IPv6 nobody is told of an address that another interface has.
    let address6: Command =
      address.family == 4
      ? ""
      : snapshot.address(of: device, version: 6)
        .map { " && ip addr add \($0.address)/128 dev \(own) nodad" } ?? ""
    return
      "ip link add \(own) link \(parent) type \(mode) && ip link set dev \(own) up\(address6) && ip route add \(address) dev \(own)"
  }

  /// Behind a sentence about a neighbour: other interfaces that its subnet is said to be on.
  private static func alsoBehind(_ lost: LostPacket, _ route: RouteMessage) -> String {
    guard route.gateway == nil, let destination = lost.routed?.packet.destination,
      let used = PolicyRouting(lost).route, used.outputInterface == route.outputInterface
    else { return "" }
    let others = lost.snapshot.routes.routes(to: destination).filter {
      $0.kind == .unicast && $0.destination.length > 1 && $0.outputInterface != used.outputInterface
        && $0.destination.length <= used.destination.length
    }
    guard let other = others.last, let device = lost.snapshot.name(other.outputInterface) else {
      return ""
    }
    let table =
      other.table == used.table ? "" : " in table \(RoutingWords.name(ofTable: other.table))"
    let metric = other.metric.map { ", with metric \($0)" } ?? ""
    return
      ", or reached by \(device), which has \(RoutingWords.name(of: other))\(table) as well\(metric)"
  }

  /// An answer to who is taken for a neighbour, and whose question came through a router.
  private static func tooWide(
    _ lost: LostPacket, _ hop: IPAddress, _ device: String, _ asks: String,
    _ neighbour: NeighbourMessage
  ) -> Finding? {
    guard lost.isReply, hop == lost.packet.destination, let sent = lost.header?.walk?.plan.ttl,
      let came = lost.request?.journey.hops.first?.packet.ttl, came < sent,
      let own = lost.snapshot.address(of: device, version: hop.family), own.network.contains(hop)
    else { return nil }
    return error(
      "\(hop) is taken for a neighbour on \(device), whose address is \(own), and does not answer \(asks) there: its "
        + "question came through a router (TTL \(came) of \(sent)), so that the prefix length /\(own.length) is too "
        + "short, or a route to \(hop) by that router is missing",
      evidence: [
        .address(own, of: device), .neighbour(hop, device: device, neighbour.state),
      ] + lost.reasonEvidence)
  }

  /// A route for few that leads to the gateway `hop`, where one for more leads elsewhere: it may be what is wrong.
  private static func special(_ lost: LostPacket, _ hop: IPAddress) -> (String, RouteMessage?) {
    guard let used = PolicyRouting(lost).route, used.gateway == hop, used.destination.length > 1,
      let other = lost.snapshot.routes.routes(to: lost.packet.destination).last(where: {
        $0.table == used.table && $0.kind == .unicast && $0.gateway != hop
          && $0.destination.length < used.destination.length
      })
    else { return ("", nil) }
    let way =
      other.gateway.map { "via \($0)" } ?? lost.snapshot.name(other.outputInterface) ?? ""
    return (
      ", to which the route to \(RoutingWords.text(used.destination)) leads, more special than that to "
        + "\(RoutingWords.text(other.destination)) \(way),", used
    )
  }

  /// Nobody is asked on the link, and nobody wrote down the next hop's address.
  enum NotAsked: Cause {
    static var page: FindingPage { NeighbourUnresolved.page }
    static let needs: [Need] = [.plainRoute, .neighbours]

    /// Kinds of interfaces that need no addresses of others, though they have one themselves.
    private static let kindsWithoutNeed: Set<String?> = ["dummy", "ifb", "ipvlan", "vrf"]

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.stage == .sent, !lost.isReply, !lost.hasComeBack, let route = lost.onwardRoute,
        let hop = lost.nextHop
      else { return nil }
      return finding(hop, lost.snapshot.name(route.outputInterface), lost.snapshot)
    }

    /// The same of an answer to a client.
    enum OfAnswer: Cause {
      static var page: FindingPage { NeighbourUnresolved.page }
      static let needs: [Need] = [.neighbours]

      static func examine(_ lost: LostPacket) -> Finding? {
        lost.stage == .sent && lost.isReply ? NotAsked.finding(lost.journey, lost.snapshot) : nil
      }
    }

    /// That an answer to a client goes to no machine.
    static func finding(_ answer: Journey, _ snapshot: Snapshot) -> Finding? {
      guard let exit = answer.exit,
        let hop = answer.route?.gateway ?? answer.hops.last?.packet.destination
      else { return nil }
      return finding(hop, exit, snapshot)
    }

    private static func finding(
      _ hop: IPAddress, _ device: String?, _ snapshot: Snapshot
    ) -> Finding? {
      guard let link = snapshot.link(device), link.isEthernet, link.flags.contains(.noARP),
        !link.flags.contains(.loopback), !kindsWithoutNeed.contains(link.kind), !hop.isMulticast,
        !snapshot.standIns.contains(link.name)
      else { return nil }
      let state = snapshot.addresses.neighbour(hop, on: link.index)?.state
      guard state?.isSubset(of: [.noARP]) ?? true else { return nil }
      let asks = hop.family == 4 ? "ARP" : "neighbour discovery"
      return error(
        "\(link.name) does without \(asks) (NOARP), so that nobody is asked for the MAC address of \(hop), and what "
          + "is sent goes to no machine", confidence: .likely,
        evidence: [.interfaceState(link.name, link.state)]
          + (state.map { [.neighbour(hop, device: link.name, $0)] } ?? []),
        remedy: try "ip link set dev \(Word.device(link.name)) arp on")
    }
  }
}
