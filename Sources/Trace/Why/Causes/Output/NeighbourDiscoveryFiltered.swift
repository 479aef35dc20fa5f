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
      Certain that a rule dropped such a message while the packet waited for its next hop, or such a message of the
      client's, whose MAC address is known. Likely where it is not, and where the packet was sent, and who is to answer
      it asked for the way back.
      """,
    conclusion: """
      nftrace traces ARP and neighbour discovery as well, within bridges too. A rule or policy had the verdict drop
      for one of these messages from that neighbour or for it, and the packet stopped where it needs the answer, or
      was sent and not answered. Of a client behind an interface (`--in`), nftrace asks the question as well that the
      client asks before it sends.
      """,
    advice: """
      Run the remedy. A firewall for IPv6 must accept neighbour solicitations and advertisements
      (ICMPv6 types 135 and 136), in INPUT and in OUTPUT: RFC 4890 lists what must not be dropped. A filter of a
      bridge against false addresses, as libvirt's `clean-traffic`, drops those of who uses another address than it
      was given: then that one is to be changed.
      """)

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .output || lost.stage == .beforePostrouting else { return nil }
    let hop = lost.nextHop
    let neighbour = hop ?? lost.packet.destination
    guard let drop = lost.snapshot.discoveryDrops.last(where: { $0.isAbout(neighbour) }) else {
      return nil
    }
    return finding(
      drop, lost.snapshot,
      "so \(hop.map { "\($0)" } ?? "the next hop") is not found", version: lost.version,
      evidence: lost.reasonEvidence)
  }

  static let needs: [Need] = [.plainRoute]

  /// That a rule dropped what neighbours find each other by, and what came of that.
  static func finding(
    _ drop: DiscoveryDrop, _ snapshot: Snapshot, _ consequence: String, version: Int,
    confidence: Finding.Confidence = .certain, evidence: [Evidence] = []
  ) -> Finding {
    var named = drop.step
    if let text = snapshot.text(named) {
      named.text = text.text
      named.take(position: text.position)
    }
    let what = version == 4 ? "ARP" : "neighbour discovery"
    let owner = Owner(named)
    let advice = owner == .proxmox ? named.adviceOnHardware(of: []) : nil
    var finding = error(
      "\(RuleNames.rule(named)) drops \(what), \(consequence)"
        + (owner.map { "; it is \($0.rawValue)'s" } ?? "") + (advice.map { ": \($0)" } ?? ""),
      confidence: confidence,
      evidence: named.evidence + evidence,
      remedy: try advice == nil
        ? Remedy.acceptDiscovery(snapshot, version: version, before: named) : nil,
      at: Finding.Place(
        hook: snapshot.place(of: named)?.hook, table: named.table, chain: named.chain,
        handle: named.handle, rule: named.text))
    finding.owner = owner
    return finding
  }

  /// It was sent, and who is to answer asks in vain for whom to answer to.
  enum OfAnswer: Cause {
    static var page: FindingPage { NeighbourDiscoveryFiltered.page }
    static let needs: [Need] = [.plainRoute]

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.stage == .sent, !lost.isReply, !lost.hasComeBack else { return nil }
      let neighbour =
        lost.journey.isBridged || !lost.metIP
        ? lost.packet.destination : lost.nextHop ?? lost.packet.destination
      guard let drop = lost.snapshot.discoveryDrops.last(where: { $0.isAbout(neighbour) }) else {
        return nil
      }
      return finding(
        drop, lost.snapshot, "and \(neighbour) may ask in vain for whom to answer to",
        version: lost.version, confidence: .likely)
    }
  }
}

extension NeighbourDiscoveryFiltered {
  /// The client does not learn this host's MAC address, and sends nothing: nftrace, which did, was answered.
  enum OfClient: Cause {
    static var page: FindingPage { NeighbourDiscoveryFiltered.page }

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.isReply, lost.stage == .sent, let plan = lost.header?.probe,
        let asked = plan.asksFor,
        let drop = lost.snapshot.discoveryDrops.last(where: { $0.isOf(clientOf: plan) })
      else { return nil }
      return finding(
        drop, lost.snapshot,
        "so \(plan.asksFrom.map { "\($0)" } ?? "who is behind \(plan.device ?? "the interface")") asks for "
          + "\(asked) in vain, and sends nothing",
        version: lost.version, confidence: plan.asksFrom == nil ? .likely : .certain)
    }
  }
}

extension Story {
  /// Whether a rule here dropped what the client of the probes asks before it sends, or the answer.
  var isDeafToClient: Bool {
    guard let plan = header?.probe, plan.asksFor != nil else { return false }
    return snapshot.discoveryDrops.contains { $0.isOf(clientOf: plan) }
  }

  /// Why the neighbour is silent that another network namespace asks for: a rule in this one.
  func discoveryFiltered(of neighbour: IPAddress) -> Finding? {
    guard let drop = snapshot.discoveryDrops.last(where: { $0.isAbout(neighbour) }) else {
      return nil
    }
    return told(
      NeighbourDiscoveryFiltered.finding(
        drop, snapshot, "so \(neighbour) is not found", version: neighbour.family))
  }
}

extension LostPacket {
  /// The route that it takes, as it came in or as this host made it.
  var onwardRoute: RouteMessage? {
    (route?.route ?? plainRoute?.route).map {
      snapshot.route(
        $0, out: outDevice, of: PolicyRouting(self).route, unanswered: stage == .output)
    }
  }

  /// Who the packet is handed to on the link: the gateway, or the destination itself.
  var nextHop: IPAddress? {
    guard let route = onwardRoute else { return nil }
    return route.gateway ?? routed?.packet.destination
  }
}
