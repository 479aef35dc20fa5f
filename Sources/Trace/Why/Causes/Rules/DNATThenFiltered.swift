internal import Wire

extension FindingID {
  static let dnatThenFiltered = FindingID(rawValue: "dnat-then-filtered")
}

/// A port forwarding translated the packet, and another rule dropped what came of it.
enum DNATThenFiltered: Cause {
  static let page = FindingPage(
    .dnatThenFiltered, "Translated by DNAT, then dropped",
    meaning: """
      A rule translated the packet's destination, as a port forwarding does, and a rule or policy behind
      it dropped the translated packet. Translation does not accept a packet: filters behind it see
      the new destination, and need a rule that accepts that one.
      """,
    certainty: """
      Always certain: the change of the destination and the verdict behind it were both seen.
      """,
    conclusion: """
      The destination differs between two points of this host, and the trace of the same packet ends
      with the verdict drop.
      """,
    advice: """
      Accept the translated packet: the new address and port, in FORWARD if another machine has them.
      The remedy does that for this packet.
      """)

  static let needs: [Need] = [.policyChain, .ruleBeforePolicy, .host(.rulesBeside)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let step = lost.decider ?? lost.legacyTable, let change = lost.destinationChange else {
      return nil
    }
    let ruling = Ruling(lost, step)
    return error(
      "\(change.from) is translated to \(change.to), and \(RuleNames.rule(step)) drops that",
      by: ruling, remedy: try ruling.remedy, alternatives: ruling.alternatives)
  }
}
