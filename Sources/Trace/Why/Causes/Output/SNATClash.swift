internal import Wire

extension FindingID {
  static let snatClash = FindingID(rawValue: "snat-clash")
}

extension Counter {
  fileprivate static let insertFailed = Counter("ct.insert_failed")
}

/// Conntrack found no free tuple for what NAT made of the packet.
enum SNATClash: Cause {
  static let page = FindingPage(
    .snatClash, "No free port is left for the translated source",
    meaning: """
      NAT gives each connection a source address and port of its own, so that answers can be told apart.
      For this packet there was none left: too many connections from one address to the same
      destination, or a rule with a range of ports that is too small. The packet passed every rule and
      was dropped where conntrack enters the connection into its table.
      """,
    certainty: """
      Certain where the kernel gives its reason for the drop. Likely where only conntrack's counters say
      it: these count the packets of everybody.
      """,
    conclusion: """
      The packet was translated, was accepted by every rule, and stopped in POSTROUTING or behind it,
      and conntrack's counters `insert_failed` or `drop` went up.
      """,
    advice: """
      Give the rule more ports or more addresses (`snat to 192.0.2.1-192.0.2.8`), or add `random` or
      `fully-random`. Count the connections to that destination with `conntrack -L -d ADDRESS`: clients
      that open a new connection for each request may be the real fault.
      """)

  static let needs: [Need] = [.counter(.insertFailed), .counter(.conntrackDrop)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .output || lost.stage == .within(.postrouting),
      lost.sourceChange != nil
        || lost.journey.connection?.status.contains(.sourceNAT) == true
        || lost.delta(.insertFailed) > 0
    else { return nil }
    let rises = lost.rises([.insertFailed, .conntrackDrop])
    guard !rises.isEmpty else { return nil }
    return error(
      "no free port or identifier is left for the translated source"
        + (lost.sourceChange.map { " \($0.to)" } ?? ""),
      // The counters are everybody's.
      confidence: lost.dropReason == nil ? .likely : .certain,
      evidence: rises + lost.reasonEvidence)
  }
}
