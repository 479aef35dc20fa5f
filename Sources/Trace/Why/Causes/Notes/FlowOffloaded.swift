internal import Wire

extension FindingID {
  /// A flowtable takes packets past the hooks: why a timeline has none.
  package static let flowOffloaded = FindingID(rawValue: "flow-offloaded")
}

/// A flowtable takes packets of the connection past the hooks.
enum FlowOffloaded: ExchangeNote {
  static let page = FindingPage(
    .flowOffloaded, "A flowtable takes packets past the hooks",
    meaning: """
      Once a connection is established, a flowtable (`flow add @…` in nft, `flow_offloading` in OpenWrt)
      forwards its packets from interface to interface, or the network card does so by itself. Neither
      rules nor nftrace see them. That is quick, and means that rules made later have no effect on
      connections that are open.
      """,
    certainty: """
      A note, and always certain.
      """,
    conclusion: """
      Conntrack's status of the connection has IPS_OFFLOAD or IPS_HW_OFFLOAD. Before Linux 6.16, where
      no message has that status: a packet came in and left with a TTL that is smaller by 1, and no hook
      of IP saw it.
      """,
    advice: """
      Nothing, if that is wanted. `nft list flowtables` lists the tables and their devices. To see the
      packets at every hook, take the flowtable's rule away while you look.
      """)

  static func examine(_ exchange: Exchange, _ answers: () -> Answers) -> Finding? {
    takenOver(exchange) ?? carriedPast(exchange)
  }

  /// Flowtables set a bit in conntrack's status of the connections that they take over.
  private static func takenOver(_ exchange: Exchange) -> Finding? {
    let offloads: ConntrackMessage.Status = [.offload, .hardwareOffload]
    let journey = exchange.journeys.first {
      guard let connection = $0.connection else { return false }
      return !connection.status.union(connection.tracedStatus).isDisjoint(with: offloads)
    }
    guard let connection = journey?.connection else { return nil }
    let isHardware = connection.status.union(connection.tracedStatus).contains(.hardwareOffload)
    return note(
      "\(isHardware ? "the interface's hardware" : "a flowtable") takes packets of this connection "
        + "past the hooks: neither rules nor nftrace see those; 'nft list flowtables' lists it",
      evidence: [.offloaded(toHardware: isHardware)])
  }

  /// Before Linux 6.16 no message has the status of a packet's connection. What a flowtable does is
  /// seen nevertheless: a packet came in and left with a smaller TTL, and IP's hooks never had it.
  private static func carriedPast(_ exchange: Exchange) -> Finding? {
    for journey in exchange.journeys {
      let (first, last) = (journey.way.first, journey.end.decider?.hop ?? journey.way.last)
      guard first.point.hook == .ingress, last.point.hook == .egress,
        first.packet.ttl == last.packet.ttl &+ 1,
        journey.hops.allSatisfy({ $0.point.hook == .ingress || $0.point.hook == .egress })
      else { continue }
      return note(
        "it was forwarded past the hooks, as a flowtable does with packets of a known connection: "
          + "no rule sees them; 'nft list flowtables' lists the devices",
        evidence: [
          .forwardedPastHooks(
            packet: journey.id, version: first.packet.source.family, ttl: first.packet.ttl,
            now: last.packet.ttl)
        ])
    }
    return nil
  }
}
