internal import Wire

extension FindingID {
  static let neighbourDiscoveryFiltered = FindingID(rawValue: "neighbour-discovery-filtered")
}

/// The next hop is silent because a rule here drops the question or the answer.
enum NeighbourDiscoveryFiltered: Cause {
  static let page = FindingPage(
    .neighbourDiscoveryFiltered, "A rule here drops ARP or neighbour discovery",
    meaning: """
      To hand a packet to the next machine, this host must know its MAC address. It asks for it with ARP
      (IPv4) or neighbour solicitations (ICMPv6). A rule on this host drops those, so the next hop is
      never found, and the packet waits in vain.
      """,
    certainty: """
      Always certain that a rule dropped such a message while the packet waited for its next hop.
      """,
    conclusion: """
      nftrace traces ARP and neighbour discovery as well. A rule or policy had the verdict drop for one
      of these messages, and the packet stopped where it needs the answer.
      """,
    advice: """
      Run the remedy. A firewall for IPv6 must accept neighbour solicitations and advertisements
      (ICMPv6 types 135 and 136), in INPUT and in OUTPUT: RFC 4890 lists what must not be dropped.
      """)

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .output || lost.stage == .beforePostrouting,
      let step = lost.snapshot.discoveryDrops.last(where: {
        ($0.family == NFProto.arp) == (lost.version == 4) || $0.family == NFProto.netdev
      })
    else { return nil }
    var named = step
    if let text = lost.snapshot.text(step) {
      named.text = text.text
      named.take(position: text.position)
    }
    let what = lost.version == 4 ? "ARP" : "neighbour discovery"
    return error(
      "\(RuleNames.rule(named)) drops \(what), so "
        + "\(lost.nextHop.map { "\($0)" } ?? "the next hop") is not found",
      evidence: named.evidence + lost.reasonEvidence,
      remedy: try Remedy.acceptDiscovery(lost, before: named),
      at: Finding.Place(
        hook: lost.snapshot.place(of: step)?.hook, table: step.table, chain: step.chain,
        handle: step.handle, rule: named.text))
  }

  static let needs: [Need] = [.plainRoute]
}

extension LostPacket {
  /// The route that it takes, as it came in or as this host made it.
  var onwardRoute: RouteMessage? { route?.route ?? plainRoute?.route }

  /// Who the packet is handed to on the link: the gateway, or the destination itself.
  var nextHop: IPAddress? {
    guard let route = onwardRoute else { return nil }
    return route.gateway ?? routed?.packet.destination
  }
}
