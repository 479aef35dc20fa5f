internal import Wire

extension FindingID {
  static let ruleDrop = FindingID(rawValue: "rule-drop")
}

/// A rule of nf_tables dropped the packet, and no other cause knows more about it.
enum RuleDrop: Cause {
  static let page = FindingPage(
    .ruleDrop, "A rule drops the packet",
    meaning: """
      A rule of nf_tables, or of iptables on top of it, has the verdict drop, and the packet met it. The
      rule may stand in any table, in a chain that was jumped to, or at the interface itself (netdev
      ingress or egress). The finding has the rule as its owner wrote it.
      """,
    certainty: """
      Always certain: the kernel's trace names the rule.
      """,
    conclusion: """
      The last step of the kernel's trace of this packet is a rule with the verdict drop. Its text is
      read from nft or iptables, and the packet was not seen behind it.
      """,
    advice: """
      Read the rule: it may be right. If the packet should pass, run the remedy, which accepts this
      packet just before the rule, or takes it out of the set that the rule asks. If the rule drops what has no way back by the interface it came in
      (`fib … oif missing`, `-m rpfilter`), the remedy is a route, not a rule. If the finding says that
      a program owns the table, or that one manages rules here, make the change with that program.
      """)

  static let needs: [Need] = [.routes, .wayBack, .neighbours, .policyChain, .host(.rulesBeside)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let step = lost.decider, step.verdict == .drop else { return nil }
    let ruling = Ruling(lost, step)
    if lost.version == 6, lost.packet.tcp?.flags == .syn, !step.isLegacy,
      step.text?.contains("synproxy") == true
    {
      return error(
        "\(RuleNames.rule(step)) drops it: nf_tables' synproxy checks IPv6 segments as if they were IPv4's, and "
          + "takes none whose checksum is still to be checked, as from a TUN device or a card that leaves it to the "
          + "kernel; iptables' SYNPROXY takes them", by: ruling,
        remedy: nil)
    }
    // A rule that does what rp_filter does: its remedy is a route, not a rule.
    let back = ruling.checksReversePath ? ReversePath(lost) : nil
    return error(
      "\(RuleNames.rule(step)) drops \(back == nil ? "it" : step.dropsForReversePath)", by: ruling,
      evidence: back?.evidence ?? [],
      remedy: try back == nil ? ruling.remedy : back?.remedy(loosened: nil),
      alternatives: back == nil ? ruling.alternatives : [])
  }
}

extension RuleStep {
  /// What a rule drops that does what rp_filter does.
  var dropsForReversePath: String { "what has no way back by the interface it came in" }
}
