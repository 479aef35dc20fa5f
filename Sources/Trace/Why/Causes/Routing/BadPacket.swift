internal import Wire

extension FindingID {
  static let badPacket = FindingID(rawValue: "bad-packet")
}

extension Counter {
  fileprivate static let wrongChecksum = Counter("IpExtInCsumErrors")
  fileprivate static let truncated4 = Counter("IpExtInTruncatedPkts")
  fileprivate static let truncated6 = Counter("Ip6InTruncatedPkts")
  fileprivate static let badHeader4 = Counter("IpInHdrErrors")
  fileprivate static let badHeader6 = Counter("Ip6InHdrErrors")
}

/// Refused before PREROUTING: header checksum, length or version.
enum BadPacket: Cause {
  static let page = FindingPage(
    .badPacket, "The packet is damaged, and the kernel refused it on arrival",
    meaning: """
      The kernel looks at each IP header before the first hook of IP. The checksum of this one is wrong,
      the packet is shorter than its header says, or the header makes no sense. Nobody is told.
      """,
    certainty: """
      Certain where the kernel gives its reason for the drop. Likely where only its counters say it:
      these count the damaged packets of everybody.
      """,
    conclusion: """
      The packet was seen at the interface and not at PREROUTING, and the kernel's drop reason, or one
      of its counters of damaged packets, says what is wrong. Rules at the interface that the packet
      met are named, for they may have damaged it.
      """,
    advice: """
      If a rule at the interface rewrites packets (`ip … set` in a netdev chain, a tc action), have it
      write the checksum as well, or do it where the kernel does that: in PREROUTING. Otherwise look at
      who sent the packet, and at devices and drivers on the way (`ethtool -S`, offloads switched off
      for a test with `ethtool -K`).
      """)

  /// What can be wrong with a header, and what tells it: counters and the drop reason. The general
  /// case comes last, for the others raise its counters, too.
  private static let damages: [(what: String, counters: [Counter], reason: String)] = [
    ("the checksum of its IP header is wrong", [.wrongChecksum], "IP_CSUM"),
    ("it is shorter than its IP header says", [.truncated4, .truncated6], "PKT_TOO_SMALL"),
    ("its IP header is damaged", [.badHeader4, .badHeader6], "IP_INHDR"),
  ]

  static let needs: [Need] = [.ingressRules] + damages.flatMap(\.counters).map { .counter($0) }

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .arrival,
      let damage = damages.first(where: { damage in
        damage.reason == lost.dropReason
          || lost.dropReason == nil && damage.counters.contains { lost.delta($0) > 0 }
      })
    else { return nil }
    // A rule that rewrites a field may leave the checksum as it was.
    let rules = lost.journey.way.trailingRules.filter { $0.handle != nil }
    return error(
      "\(damage.what): the kernel refused the \(RuleNames.what(lost)) on arrival at "
        + "\(lost.inDevice ?? "the interface")",
      confidence: lost.dropReason == nil ? .likely : .certain,
      evidence: lost.rises(damages.flatMap(\.counters)) + rules.map { .metBefore($0) }
        + lost.reasonEvidence)
  }
}
