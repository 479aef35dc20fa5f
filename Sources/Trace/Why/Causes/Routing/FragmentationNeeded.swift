internal import Wire

extension FindingID {
  static let fragmentationNeeded = FindingID(rawValue: "fragmentation-needed")
}

/// The packet is longer than the next link takes, and may not be fragmented.
enum FragmentationNeeded: Cause {
  static let page = FindingPage(
    .fragmentationNeeded, "The packet is too long for its way",
    meaning: """
      The packet is longer than the MTU of the route or link that it has to take, and it may not be cut
      into fragments: IPv4 with DF set, and every forwarded packet of IPv6. Whoever cannot send it on
      drops it and tells the sender how much would fit (ICMP 3/4; ICMPv6 2/0). A packet of this host's
      own is refused with EMSGSIZE before it is sent.
      """,
    certainty: """
      Always certain: the MTU was read from the route and the interface, or told by the router that
      dropped the packet.
      """,
    conclusion: """
      Here: the packet stopped in the routing decision (in IPv6 also behind the last hook, with an error
      of this host's own), and is longer than the smaller of the route's and the interface's MTU.
      Elsewhere: a router's ICMP error names the MTU. On sending: the errno is EMSGSIZE.
      """,
    advice: """
      Send at most as much as the finding says (`--size`). For the traffic of others, clamp the MSS of TCP
      where the path becomes narrow: `nft … tcp flags syn tcp option maxseg size set rt mtu`, or
      `iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu`. Let
      the ICMP errors through everywhere: without them, connections hang once they send much. Tunnels
      and PPPoE have smaller MTUs than 1500.
      """)

  static let needs: [Need] = [.neighbours, .routes]
  static let isToldByRouting = true

  static func examine(_ lost: LostPacket) -> Finding? {
    // IPv6 finds that the route takes less than its interface behind the last hook only.
    guard let packet = lost.packetInRouting ?? (lost.version == 6 ? lost.tooBig : nil),
      let route = lost.route?.route, packet.dontFragment,
      let narrow = Narrow(route, lost.snapshot, for: packet)
    else { return nil }
    return finding(
      packet, narrow, "it may not be fragmented", evidence: lost.errorEvidence + lost.reasonEvidence
    )
  }

  static func examine(_ unsent: UnsentPacket) -> Finding? {
    guard unsent.errno == RouteErrno.tooLong else { return nil }
    let why =
      unsent.plan?.dontFragment == true
      ? "it may not be fragmented" : "TCP segments are not fragmented by who sends them"
    let narrow = Narrow(unsent.policy.route, unsent.snapshot, for: unsent.packet)
    return finding(unsent.packet, narrow, why, evidence: unsent.evidence)
  }

  /// Where it does not fit through.
  private struct Narrow {
    var name: String
    var mtu: Int
    var evidence: [Evidence] = []
    /// Behind a sentence about it: who says so, where that is no setting.
    var provenance = ""

    init(name: String, mtu: Int) {
      self.name = name
      self.mtu = mtu
    }

    /// A route, or the interface that it leads to; nil if the packet fits.
    init?(_ route: RouteMessage?, _ snapshot: Snapshot, for packet: Packet) {
      let device = snapshot.name(route?.outputInterface)
      let link = snapshot.link(device)?.mtu.map { Int($0) }
      guard let mtu = [route?.mtu.map { Int($0) }, link].compactMap({ $0 }).min(),
        packet.length > mtu
      else { return nil }
      let narrow = mtu == link ? device : nil
      self.init(name: narrow ?? "the route", mtu: mtu)
      evidence = [.mtu(of: narrow, mtu)]
      if narrow == nil, let route, route.flags.contains(.learned) {
        provenance =
          "; an ICMP error told this host so of the way to \(packet.destination), which it remembers for minutes: "
          + "'\(RoutingWords.deletion(route).text)' has it forget that"
      }
    }
  }

  private static func finding(
    _ packet: Packet, _ narrow: Narrow?, _ why: String, evidence: [Evidence]
  ) -> Finding {
    error(
      "it has \(packet.length) octets, "
        + (narrow.map { "\($0.name) takes \($0.mtu)" } ?? "which is too long for its way")
        + ", and \(why)" + (narrow.map { ": send at most \($0.mtu)\($0.provenance)" } ?? ""),
      evidence: (narrow?.evidence ?? []) + evidence
    ).inShort(
      "it has \(packet.length) octets, "
        + (narrow.map { "\($0.name) takes \($0.mtu)" } ?? "which is too long for its way"))
  }

  /// The same at a router on the way.
  enum FarAway: Cause {
    static var page: FindingPage { FragmentationNeeded.page }

    static func examine(_ lost: LostPacket) -> Finding? {
      guard let error = lost.errorFromAfar, let mtu = error.icmp?.mtu(error.proto) else {
        return nil
      }
      return finding(
        lost.packet, Narrow(name: "the link behind \(error.source)", mtu: mtu),
        "it may not be fragmented", evidence: lost.errorEvidence)
    }
  }
}

extension LostPacket {
  /// The packet that this host could not send on for its length, as its own ICMPv6 error says.
  fileprivate var tooBig: Packet? {
    guard stage == .output, let error, isOurError || snapshot.isLocal(error.source),
      error.icmp?.mtu(error.proto) != nil
    else { return nil }
    return packet
  }
}
