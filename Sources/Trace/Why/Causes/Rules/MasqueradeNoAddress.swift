internal import Wire

extension FindingID {
  static let masqueradeNoAddress = FindingID(rawValue: "masquerade-no-address")
}

/// A masquerade rule found no address to translate to, and dropped the packet.
enum MasqueradeNoAddress: Cause {
  static let page = FindingPage(
    .masqueradeNoAddress, "Masquerading, and the interface has no address",
    meaning: """
      A masquerade rule puts the address of the outgoing interface into the packet. That interface has
      no usable address of the packet's IP version, so the rule drops the packet instead.
      """,
    certainty: """
      Always certain: the kernel's trace has the verdict drop for a rule that only masquerades.
      """,
    conclusion: """
      The rule that decided is a masquerade rule, and its verdict is drop. A masquerade rule drops only
      where it finds no address.
      """,
    advice: """
      Give the interface an address (`ip addr add … dev …`), or see why it lost the one it had: a DHCP
      client that stopped, a PPP link that is down. There is no command to paste, for nftrace cannot
      know the address.
      """)

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let step = lost.decider, step.translation == .masquerade, step.verdict == .drop else {
      return nil
    }
    return error(
      "\(lost.outDevice ?? "the interface") has no usable IPv\(lost.version) address to masquerade "
        + "with", evidence: step.evidence + lost.reasonEvidence, at: RuleNames.place(step, lost))
  }
}
