internal import Wire

extension FindingID {
  static let redirectFollowed = FindingID(rawValue: "redirect-followed")
}

/// An ICMP redirect had this host send it to another router than its route says.
enum RedirectFollowed: Cause {
  static let page = FindingPage(
    .redirectFollowed, "An ICMP redirect leads it to another router",
    meaning: """
      A router told this host with an ICMP redirect that another one is nearer to the destination. The kernel
      remembers that for this destination and passes over the route, though the other router is gone, or does not
      send the packet on. `ip route` does not show it; `ip route get` does ("cache").
      """,
    certainty: """
      Likely: the way is certain, and nothing came back by it.
      """,
    conclusion: """
      Of this destination the kernel has learned a next hop that is not the one of the route, the packet was handed
      to it or it does not answer ARP or neighbour discovery, and no answer came.
      """,
    advice: """
      Run the remedy, and ask again. If it is learned anew, see who sends redirects
      (`tcpdump 'icmp[0] == 5'`), or take none: `net.ipv4.conf.all.accept_redirects=0` and the same of the interface.
      """)

  static let needs: [Need] = [.routes, .neighbours]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent || lost.stage == .output, !lost.isReply, lost.error == nil else {
      return nil
    }
    let policy = PolicyRouting(lost)
    guard let used = policy.route, used.flags.contains(.learned), let gateway = used.gateway,
      let usual = policy.without(used).route, usual.gateway != gateway
    else { return nil }
    let asks = lost.version == 4 ? "ARP" : "neighbour discovery"
    let way = usual.gateway.map { "via \($0)" } ?? lost.snapshot.name(usual.outputInterface) ?? "?"
    return error(
      "it went to \(gateway), as an ICMP redirect has told this host, and "
        + (lost.stage == .sent ? "nothing came back" : "that does not answer \(asks)")
        + ": \(RoutingWords.name(of: usual)) is \(way)",
      confidence: .likely, evidence: [.route(used), .route(usual)] + lost.reasonEvidence,
      remedy: RoutingWords.deletion(used))
  }
}
