internal import Wire

extension Journey {
  /// The rule of netdev that gave it to another interface (`fwd`).
  var handedOnBy: RuleStep? {
    way.rules.last { $0.verdict == .stolen && $0.family == NFProto.netdev }
  }
}

extension NoReply {
  /// A rule gave the packet to another interface: not to the one that routing had chosen, or before
  /// routing saw it.
  enum HandedOn: Cause {
    static var page: FindingPage { NoReply.page }

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.stage == .sent, lost.errorFromAfar == nil, let device = lost.lowestDevice,
        let rule = lost.journey.handedOnBy
      else { return nil }
      let isRouted = lost.metIP
      let instead =
        isRouted
        ? "not out of \(lost.outDevice ?? "?"), where routing led it"
        : "past routing and all tables of IP"
      return error(
        "\(RuleNames.rule(rule)) sends \(lost.isReply ? "the answer" : "it") out of \(device) ('fwd'), \(instead), "
          + (lost.isReply
            ? "and it did not come to \(lost.packet.destination)"
            : "and \(lost.wordsElsewhere() ?? "nothing came back: look at what is behind \(device)")"),
        confidence: .likely,
        evidence: [.sent(through: device, source: lost.packet.source)]
          + (isRouted ? [] : [.seenAtInterfacesOnly]) + rule.evidence,
        at: RuleNames.place(rule, lost))
    }
  }
}
