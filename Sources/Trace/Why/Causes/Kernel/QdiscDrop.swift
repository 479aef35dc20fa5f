internal import Wire

extension FindingID {
  static let qdiscDrop = FindingID(rawValue: "qdisc-drop")
}

/// The queue of the outgoing interface dropped it.
enum QdiscDrop: KernelCause {
  static let page = FindingPage(
    .qdiscDrop, "The queue of the outgoing interface dropped the packet",
    meaning: """
      What leaves by an interface waits in its queue (its queueing discipline) until it can be sent. The
      queue had no room for the packet, or does not let such packets pass: it is full, or a limit of
      traffic shaping is reached.
      """,
    certainty: """
      Always certain: the kernel gave this reason for the drop.
      """,
    conclusion: """
      The packet was through with the last hook, and the kernel's drop reason is QDISC_DROP or another
      of a queue's.
      """,
    advice: """
      `tc -s qdisc show dev IFACE` counts what each queue has dropped; `tc class show` has the limits of
      shaping. A link that is always full needs a higher limit, less traffic, or a queue that shares
      fairly (`fq_codel`, `cake`).
      """)

  static let reasons: Set<String> = [
    "QDISC_DROP", "QDISC_OVERLIMIT", "QDISC_CONGESTED", "QDISC_BURST_DROP", "CAKE_FLOOD",
    "FQ_BAND_LIMIT", "FQ_HORIZON_LIMIT", "FQ_FLOW_LIMIT", "DUALPI2_STEP_DROP",
  ]

  static func finding(_ verdict: KernelVerdict) -> Finding {
    let programs = verdict.programs([.qdisc])
    let device = verdict.device ?? "the interface"
    return error(
      "the queue\(KernelVerdict.names(programs)) of \(device) dropped the \(verdict.what) behind the "
        + "last hook: it is full, or lets no more pass; see '"
        + Remedy.look("tc -s qdisc show dev", at: device) + "'",
      evidence: verdict.evidence + programs.map { .deviceProgram($0) }, at: verdict.at)
  }
}
