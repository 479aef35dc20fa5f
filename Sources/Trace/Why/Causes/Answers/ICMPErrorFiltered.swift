internal import Wire

extension FindingID {
  static let icmpErrorFiltered = FindingID(rawValue: "icmp-error-filtered")
}

/// An ICMP error that the sender needs was stopped here.
enum ICMPErrorFiltered: Cause {
  static let page = FindingPage(
    .icmpErrorFiltered, "An ICMP error about the packet was dropped on its way to the sender",
    meaning: """
      Somebody refused the packet and said so: a router for whose link it is too long, one where its TTL ran
      out, a host without that service. The error came to this host, or was made here, and a rule or policy
      dropped it. The sender waits in vain; where the error says that packets are too long, connections begin, and hang
      as soon as there is much to send: a path MTU black hole.
      """,
    certainty: """
      Always certain: the kernel's trace names the rule that dropped the error.
      """,
    conclusion: """
      An ICMP error that quotes the packet ends in the verdict of a rule or policy, and the packet itself in
      none.
      """,
    advice: """
      Run the remedy: it lets this kind of error through. These errors belong to connections, and a rule for
      `ct state related` lets all of them pass (RFC 4890 says which IPv6 cannot do without). Where a rule drops all of
      ICMP, take it away: hosts need these messages.
      """)

  static let needs: [Need] = [.policyChain, .ruleBeforePolicy, .host(.rulesBeside)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.exchange.request?.end.decider == nil,
      let journey = lost.exchange.journeys.first(where: {
        $0.direction == .error && $0.end.decider != nil
      }), let step = journey.end.decider?.rule, let name = RuleNames.error(journey.packet)
    else { return nil }
    let ruling = Ruling(lost.looking(at: journey), step)
    let packet = journey.packet
    let mtu = packet.icmp?.mtu(packet.proto).map { " takes \($0) octets at most and" } ?? ""
    let who = lost.snapshot.isLocal(packet.source) ? "this host" : "\(packet.source)"
    return error(
      "\(who)\(mtu) told the sender so with \(name), and \(RuleNames.rule(step)) "
        + (step.isPolicy ? "drops that error" : "drops it"),
      by: ruling, evidence: [.refusal(packet, isOurs: lost.snapshot.isLocal(packet.source))],
      remedy: try ruling.owner == nil ? Remedy.acceptError(ruling) : nil)
  }
}
