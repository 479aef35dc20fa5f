internal import Wire

extension FindingID {
  static let unroutableSNAT = FindingID(rawValue: "unroutable-snat")
}

/// The source was translated to an address that does not lead back here.
enum UnroutableSNAT: Cause {
  static let page = FindingPage(
    .unroutableSNAT, "Translated to an address that is not this host's",
    meaning: """
      A SNAT rule put an address into the packet that no interface of this host has. Answers go to
      whoever has it, and to nobody if it is on the link and nobody answers ARP for it.
      """,
    certainty: """
      Always likely: the other side may route that address to this host all the same.
      """,
    conclusion: """
      The source changed on the packet's way to one that is not among this host's addresses, the packet
      was sent, and nothing came back. The rule that translated it is in the evidence.
      """,
    advice: """
      Correct the address in the rule, or use `masquerade`, which takes the interface's own. If the
      address is meant to be this host's, add it to an interface; if it is routed here, see that the
      upstream router has that route.
      """)

  static let needs: [Need] = [.neighbours]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, let change = lost.sourceChange,
      let address = IPAddress(change.to), !lost.snapshot.isLocal(address)
    else { return nil }
    let rule = lost.journey.rules.last { $0.translation != nil }
    return error(
      "its source was translated to \(address), which is no address of this host: the answer goes "
        + "elsewhere", confidence: .likely,
      evidence: [.noInterfaceHas(address)] + (rule?.evidence ?? []))
  }
}
