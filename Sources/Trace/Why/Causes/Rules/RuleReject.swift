internal import Wire

extension FindingID {
  static let ruleReject = FindingID(rawValue: "rule-reject")
}

/// A rule of this host refused the packet, and said so to its sender.
enum RuleReject: Cause {
  static let page = FindingPage(
    .ruleReject, "A rule on this host refuses the packet",
    meaning: """
      A rule with `reject` (nft) or REJECT (iptables) dropped the packet and sent its sender an ICMP
      error or a TCP reset. The refusal looks as if it came from the destination, or from a router on
      the way; it was made by this host.
      """,
    certainty: """
      Always certain: the kernel's trace names the rule, and the error was seen as this host sent it.
      """,
    conclusion: """
      The rule that decided is a reject rule, or this host answered the packet with an error after a
      rule had dropped it. An answer that is refused on its way back is `reply-filtered`.
      """,
    advice: """
      If the packet should pass, run the remedy: it accepts this packet before the rule. If the
      finding says that a program owns the table, no other program can change the rule: change it in
      the configuration of that program.
      """)

  static let needs: [Need] = [.ruleBeforePolicy, .zoneRules, .host(.rulesBeside)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard !lost.isReply, let step = lost.decider, step.refuses(lost) else { return nil }
    let ruling = Ruling(lost, step)
    return error(
      refusal(lost, by: step), by: ruling, remedy: try ruling.remedy,
      alternatives: ruling.alternatives)
  }

  /// The sentence, for an answer as well.
  static func refusal(_ lost: LostPacket, by step: RuleStep) -> String {
    let answer = lost.error.flatMap(RuleNames.error).map { " and answers with \($0)" }
    return "\(RuleNames.rule(step)) on this host refuses the \(RuleNames.what(lost))\(answer ?? "")"
  }
}

extension RuleStep {
  /// Whether it dropped the packet and told the sender.
  func refuses(_ lost: LostPacket) -> Bool {
    verdict == .drop && (rejects || lost.journey.end.kind == .rejected)
  }
}
