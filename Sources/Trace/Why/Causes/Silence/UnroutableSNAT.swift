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
      Likely where the address is in the subnet of the interface that the packet left by, for there nobody
      answers ARP for it. Possible otherwise: a pool of addresses is usually routed to the host that translates
      into it.
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
    let rule = lost.journey.way.rules.last { $0.translation != nil }
    let subnet = lost.snapshot.address(of: lost.outDevice, version: lost.version)?.network
    let isOnLink = subnet?.contains(address) == true
    return error(
      "its source was translated to \(address), which is no address of this host"
        + (isOnLink
          ? ": the answer goes elsewhere"
          : ", and nothing came back: if the way to \(address) leads here, look at \(lost.packet.destination)"),
      confidence: isOnLink ? .likely : .possible,
      evidence: [.noInterfaceHas(address)] + (rule?.evidence ?? []),
      // Of a pool that is routed here, the rule is right.
      alternatives: isOnLink ? [rule.flatMap { try? Remedy.masquerade(lost, inPlaceOf: $0) }] : []
    ).withoutWayBack(to: address)
  }
}
