internal import Wire

extension FindingID {
  static let queueWithoutListener = FindingID(rawValue: "queue-without-listener")
}

/// A rule handed the packet to user space, where nobody takes it.
enum QueueWithoutListener: Cause {
  static let page = FindingPage(
    .queueWithoutListener, "A rule hands the packet to a queue that no program reads",
    meaning: """
      A rule with NFQUEUE (iptables) or `queue` (nft) gives packets to a program in user space, which
      decides about them: an intrusion detection system such as Suricata, a filter, a test tool. No
      program reads this queue, so the kernel drops what is put into it.
      """,
    certainty: """
      Always certain: the trace ends with the rule's verdict, and that verdict has no bypass.
      """,
    conclusion: """
      The verdict of the last rule in the kernel's trace is a queue, the rule does not have the flag
      `bypass`, and the packet was not seen again behind it.
      """,
    advice: """
      Start the program that should read the queue; `/proc/net/netfilter/nfnetlink_queue` lists the
      queues that are read. If packets are to pass while the program is not running, add `bypass` to the
      rule (`--queue-bypass` in iptables). The remedy accepts this packet before the rule.
      """)

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let (step, number) = handover(lost) else { return nil }
    return error(
      "\(RuleNames.rule(step)) hands it to \(number.map { "queue \($0)" } ?? "a queue"), and no "
        + "program reads that queue",
      evidence: step.evidence + lost.reasonEvidence,
      remedy: try Remedy.accept(lost, before: step), at: RuleNames.place(step, lost))
  }

  /// The last rule that handed the packet to user space, and the queue's number. Of iptables-legacy
  /// only the rule's text tells that it did.
  private static func handover(_ lost: LostPacket) -> (step: RuleStep, number: UInt16?)? {
    if let step = lost.decider, step.isLegacy, step.text?.contains("-j NFQUEUE") == true {
      return (step, nil)
    }
    guard lost.stage != .sent, lost.stage != .delivered,
      let step = lost.journey.way.trailingRules.last(where: { $0.verdict.queueNumber != nil }),
      let number = step.verdict.queueNumber, !step.verdict.bypasses
    else { return nil }
    return (step, number)
  }
}
