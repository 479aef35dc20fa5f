internal import Wire

extension FindingID {
  static let replyFiltered = FindingID(rawValue: "reply-filtered")
}

/// The request got through, and a rule stopped what answered it.
enum ReplyFiltered: Cause {
  static let page = FindingPage(
    .replyFiltered, "The answer was stopped by a rule here",
    meaning: """
      The request passed this host and was answered. The answer came back, and a rule or the policy of a
      chain on this host dropped or refused it. Most often the firewall lets the request out, and has no
      rule that lets packets of established connections in.
      """,
    certainty: """
      Always certain: the answer itself was seen, and the kernel's trace names the rule or policy that
      ended its way. Where the trace of iptables-legacy is not to be had, the table is named and not
      the rule.
      """,
    conclusion: """
      The answer was seen at the hooks of this host and not sent on; its trace ends with the verdict
      drop. If a policy dropped it, the rules of that chain are asked for, to know where a new rule
      belongs.
      """,
    advice: """
      Run the remedy: it accepts packets of established and related connections, or, where conntrack
      does not know the connection, this answer alone. It belongs before the rule that dropped the
      answer. Write it into the configuration that your firewall loads at boot as well.
      """)

  static let needs: [Need] = [.policyChain, .ruleBeforePolicy, .trackingRules, .host(.rulesBeside)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.isReply, let step = lost.decider ?? lost.legacyTable else { return nil }
    let ruling = Ruling(lost, step)
    if let parted = PartedZones(ofAnswer: lost), !step.isLegacy {
      return error(
        sentence(lost, step) + "; " + parted.words, by: ruling, evidence: parted.evidence,
        remedy: try Remedy.first(parted.remedy, ruling.remedy))
    }
    return error(
      step.refuses(lost) ? RuleReject.refusal(lost, by: step) : sentence(lost, step), by: ruling,
      remedy: try step.isPolicy && !step.refuses(lost) && ruling.owner == nil
        ? Remedy.acceptEstablished(lost, step) : ruling.remedy,
      alternatives: step.isPolicy ? [] : ruling.alternatives)
  }

  private static func sentence(_ lost: LostPacket, _ step: RuleStep) -> String {
    "the request got through, its answer did not: "
      + (step.isPolicy
        ? "no rule of \(RuleNames.chain(step)) accepts "
          + (Remedy.followsAnswer(lost, step) ? "packets of established connections" : "it")
        : "\(RuleNames.rule(step)) dropped it")
  }
}
