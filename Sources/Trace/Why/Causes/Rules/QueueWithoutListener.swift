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
      Certain where the queues were listed, or the kernel says that it could not put the packet into one.
      Likely in recorded traffic: there it is only seen that the packet did not come out again.
      """,
    conclusion: """
      The verdict of the last rule in the kernel's trace is a queue, the rule does not have the flag
      `bypass`, no program is in the list of those that read it, and the packet was not seen again
      behind it.
      """,
    advice: """
      Start the program that should read the queue; `/proc/net/netfilter/nfnetlink_queue` lists the
      queues that are read. If packets are to pass while the program is not running, run the remedy: it
      adds `bypass` to the rule (`--queue-bypass` in iptables), and what the program inspects while it
      runs stays inspected.
      """)

  static let needs: [Need] = [.host(.queues)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let queue = QueuedPacket(lost), queue.reader == nil, !queue.bypasses else { return nil }
    let step = queue.step
    return error(
      "\(RuleNames.rule(step)) hands it to \(queue.name), and no program reads that queue",
      confidence: queue.isKnown ? .certain : .likely,
      evidence: step.evidence + lost.reasonEvidence,
      remedy: try Remedy.bypass(lost, step), at: RuleNames.place(step, lost))
  }
}
