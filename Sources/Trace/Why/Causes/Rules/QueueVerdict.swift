internal import Wire

extension FindingID {
  static let queueVerdict = FindingID(rawValue: "queue-verdict")
}

/// The program that reads a queue did not let the packet pass.
enum QueueVerdict: Cause {
  static let page = FindingPage(
    .queueVerdict, "The program that reads a queue did not let the packet pass",
    meaning: """
      A rule with NFQUEUE (iptables) or `queue` (nft) gave the packet to a program in user space, which
      decides about it: an intrusion prevention system such as Suricata, a filter, a DPI tool. The packet
      did not come out again: the program dropped it, or has not decided yet.
      """,
    certainty: """
      Certain where the kernel said that it dropped the packet; that the program had it do so is what is
      left. Likely otherwise: the program may be holding the packet, or the queue may have been full.
      """,
    conclusion: """
      The verdict of the last rule in the kernel's trace is a queue, a program reads that queue, and the
      packet was not seen again behind it.
      """,
    advice: """
      Look into the program's own log and rules. `/proc/net/netfilter/nfnetlink_queue` has for each queue
      who reads it (second column: netlink port, mostly the process), how many packets wait (third), and
      how many found no room (sixth and seventh). Packets that wait point to a program that hangs.
      """)

  static let needs: [Need] = [.host(.queues)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let queue = QueuedPacket(lost), queue.reader != nil || queue.bypasses else { return nil }
    let step = queue.step
    let program = queue.reader?.program.map { Escape.name($0) } ?? "a program"
    return error(
      "\(RuleNames.rule(step)) hands the \(RuleNames.what(lost)) to \(queue.name), which \(program) "
        + "reads: it did not let it pass",
      confidence: lost.dropReason != nil ? .certain : .likely,
      evidence: step.evidence + (queue.reader.map { [.queueReader($0)] } ?? [])
        + lost.reasonEvidence, at: RuleNames.place(step, lost))
  }
}
