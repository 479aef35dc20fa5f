internal import Wire

/// Causes that lie behind the last hook: the packet was through with POSTROUTING and was not sent.
enum OutputDiagnoses {
  static let all: [Diagnosis.Cause] = [
    noCarrier, discoveryFiltered, neighbourUnresolved, snatClash,
  ]

  static func snatClash(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .output || lost.stage == .within(.postrouting),
      lost.sourceChange != nil
        || lost.journey.connection?.status.contains(.sourceNAT) == true
        || lost.delta("ct.insert_failed") > 0,
      lost.delta("ct.insert_failed") > 0 || lost.delta("ct.drop") > 0
    else { return nil }
    return .error(
      "snat-clash",
      "no free port or identifier is left for the translated source"
        + (lost.sourceChange.map { " \($0.to)" } ?? ""),
      // The counters are everybody's.
      confidence: lost.dropReason == nil ? .likely : .certain,
      evidence: ["ct.insert_failed", "ct.drop"].filter { lost.delta($0) > 0 }.map {
        "conntrack's counter \($0.dropFirst(3)) went up by \(lost.delta($0))"
      } + lost.reasonEvidence)
  }

  static func noCarrier(_ lost: LostPacket) -> Finding? {
    // Whether it was lost for its neighbour, by its queue, or as if sent: an interface that asks for
    // no neighbour, as a TUN device, drops it behind all hooks.
    let hasLeft = lost.stage == .behindEgress || lost.stage == .sent && !lost.isReply
    guard lost.stage == .output || hasLeft, let device = lost.outDevice,
      let link = lost.snapshot.link(device),
      !link.flags.contains(.loopback),
      !link.flags.contains(.up) || !link.flags.contains(.lowerUp) || link.carrier == false
    else { return nil }
    let isDown = !link.flags.contains(.up)
    let isAbandoned = link.kind == "tun"
    // The probe's own device has nftrace for the program that has it open.
    if isAbandoned, !isDown, device == lost.header?.probe?.device { return nil }
    return .error(
      "no-carrier",
      isDown
        ? "\(device) is down"
        : isAbandoned
          ? "no program has \(device) open: start the one that should, a VPN's for instance"
          : "\(device) has no carrier: look at the cable and the other end",
      evidence: ["the state of \(device) is \(link.state)"] + lost.reasonEvidence,
      remedy: try isDown ? "ip link set \(Word.device(device)) up" : nil)
  }

  /// The next hop is silent because a rule here drops the question or the answer.
  static func discoveryFiltered(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .output || lost.stage == .beforePostrouting,
      let step = lost.snapshot.discoveryDrops.last(where: {
        ($0.family == NFProto.arp) == (lost.version == 4) || $0.family == NFProto.netdev
      })
    else { return nil }
    var named = step
    if let text = lost.snapshot.text(step) {
      named.text = text.text
      named.position = text.position
    }
    let what = lost.version == 4 ? "ARP" : "neighbour discovery"
    return .error(
      "neighbour-discovery-filtered",
      "\(RuleNames.rule(named)) drops \(what), so \(nextHop(lost).map { "\($0)" } ?? "the next hop") "
        + "is not found", evidence: RuleNames.evidence(named) + lost.reasonEvidence,
      remedy: try Remedy.acceptDiscovery(lost, before: named),
      at: Finding.Place(
        hook: lost.snapshot.place(of: step)?.hook, table: step.table, chain: step.chain,
        handle: step.handle, rule: named.text))
  }

  /// Who the packet is handed to on the link: the gateway, or the destination itself.
  private static func nextHop(_ lost: LostPacket) -> IPAddress? {
    guard let route = lost.route?.route ?? lost.plainRoute?.route else { return nil }
    return route.gateway ?? lost.routed?.packet.destination
  }

  static func neighbourUnresolved(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .output,
      let route = lost.route?.route ?? lost.plainRoute?.route,
      let hop = nextHop(lost)
    else { return nil }
    let neighbour = lost.snapshot.addresses.neighbour(hop, on: route.outputInterface)
    guard let neighbour,
      !neighbour.state.isDisjoint(with: [.incomplete, .failed])
    else { return nil }
    let device = lost.snapshot.name(neighbour.interface) ?? "?"
    let asks = hop.family == 4 ? "ARP" : "neighbour discovery"
    let role = route.gateway == nil ? "destination" : "next hop"
    return .error(
      "neighbour-unresolved",
      "the \(role) \(hop) does not answer \(asks) on \(device): see that it is there and up",
      evidence: ["ip neigh: \(hop) dev \(device) \(neighbour.state)"] + lost.reasonEvidence)
  }
}
