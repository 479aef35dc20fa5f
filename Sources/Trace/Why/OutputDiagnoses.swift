internal import Wire

/// Causes that lie behind the last hook: the packet was through with POSTROUTING and was not sent.
enum OutputDiagnoses {
  static let all: [Diagnosis.Cause] = [
    noCarrier, discoveryFiltered, neighbourUnresolved, snatClash,
  ]

  static func snatClash(_ examined: Case) -> Finding? {
    guard examined.stage == .output || examined.stage == .within(.postrouting),
      examined.sourceChange != nil
        || examined.journey.connection?.status.contains(.sourceNAT) == true
        || examined.delta("ct.insert_failed") > 0,
      examined.delta("ct.insert_failed") > 0 || examined.delta("ct.drop") > 0
    else { return nil }
    return .error(
      "snat-clash",
      "no free port or identifier is left for the translated source"
        + (examined.sourceChange.map { " \($0.to)" } ?? ""),
      // The counters are everybody's.
      confidence: examined.dropReason == nil ? .likely : .certain,
      evidence: ["ct.insert_failed", "ct.drop"].filter { examined.delta($0) > 0 }.map {
        "conntrack's counter \($0.dropFirst(3)) went up by \(examined.delta($0))"
      } + examined.reasonEvidence)
  }

  static func noCarrier(_ examined: Case) -> Finding? {
    // Whether it was lost for its neighbour, by its queue, or as if sent: an interface that asks for
    // no neighbour, as a TUN device, drops it behind all hooks.
    let hasLeft = examined.stage == .behindEgress || examined.stage == .sent && !examined.isReply
    guard examined.stage == .output || hasLeft, let device = examined.outDevice,
      let link = examined.environment.link(device),
      !link.flags.contains(.loopback),
      !link.flags.contains(.up) || !link.flags.contains(.lowerUp) || link.carrier == false
    else { return nil }
    let isDown = !link.flags.contains(.up)
    let isAbandoned = link.kind == "tun"
    // The probe's own device has nftrace for the program that has it open.
    if isAbandoned, !isDown, device == examined.header?.probe?.device { return nil }
    return .error(
      "no-carrier",
      isDown
        ? "\(device) is down"
        : isAbandoned
          ? "no program has \(device) open: start the one that should, a VPN's for instance"
          : "\(device) has no carrier: look at the cable and the other end",
      evidence: ["the state of \(device) is \(link.state)"] + examined.reasonEvidence,
      remedy: try isDown ? "ip link set \(Word.device(device)) up" : nil)
  }

  /// The next hop is silent because a rule here drops the question or the answer.
  static func discoveryFiltered(_ examined: Case) -> Finding? {
    guard examined.stage == .output || examined.stage == .beforePostrouting,
      let step = examined.environment.discoveryDrops.last(where: {
        ($0.family == NFProto.arp) == (examined.version == 4) || $0.family == NFProto.netdev
      })
    else { return nil }
    var named = step
    if let text = examined.environment.text(step) {
      named.text = text.text
      named.position = text.position
    }
    let what = examined.version == 4 ? "ARP" : "neighbour discovery"
    return .error(
      "neighbour-discovery-filtered",
      "\(RuleNames.rule(named)) drops \(what), so \(nextHop(examined).map { "\($0)" } ?? "the next hop") "
        + "is not found", evidence: RuleNames.evidence(named) + examined.reasonEvidence,
      remedy: try Remedy.acceptDiscovery(examined, before: named),
      at: Finding.Place(
        hook: examined.environment.place(of: step)?.hook, table: step.table, chain: step.chain,
        handle: step.handle, rule: named.text))
  }

  /// Who the packet is handed to on the link: the gateway, or the destination itself.
  private static func nextHop(_ examined: Case) -> IPAddress? {
    guard let route = examined.route?.route ?? examined.plainRoute?.route else { return nil }
    return route.gateway ?? examined.routed?.packet.destination
  }

  static func neighbourUnresolved(_ examined: Case) -> Finding? {
    guard examined.stage == .output,
      let route = examined.route?.route ?? examined.plainRoute?.route,
      let hop = nextHop(examined)
    else { return nil }
    let neighbour = examined.environment.addresses.neighbour(hop, on: route.outputInterface)
    guard let neighbour,
      !neighbour.state.isDisjoint(with: [.incomplete, .failed])
    else { return nil }
    let device = examined.environment.name(neighbour.interface) ?? "?"
    let asks = hop.family == 4 ? "ARP" : "neighbour discovery"
    let role = route.gateway == nil ? "destination" : "next hop"
    return .error(
      "neighbour-unresolved",
      "the \(role) \(hop) does not answer \(asks) on \(device): see that it is there and up",
      evidence: ["ip neigh: \(hop) dev \(device) \(neighbour.state)"] + examined.reasonEvidence)
  }
}
