internal import Wire

extension FindingID {
  static let replyFromStranger = FindingID(rawValue: "reply-from-stranger")
}

/// What answered has another address or port than was asked, and the client takes no notice of it.
enum ReplyFromStranger: Cause {
  static let page = FindingPage(
    .replyFromStranger, "The answer came from another address or port than was asked",
    meaning: """
      An answer to the probe was seen, and it does not come from the address and port that were asked.
      Whoever asked does not take it: a TCP client sends a reset, a UDP client waits on. The question was
      translated somewhere on its way, and the answer did not go back through that translation; or the server has several
      addresses, and answers with another than it was asked at.
      """,
    certainty: """
      Always certain: the answer was seen as it came to the client.
      """,
    conclusion: """
      The answer belongs to the probe by its numbers or its payload, it was sent to the client or delivered,
      and its source is not what was asked. No translation of this host is at fault: where it is, the
      finding is `hairpin-without-masquerade` or `not-translated`.
      """,
    advice: """
      Find out who translates the question: a router on the way, a load balancer, a published port. The answer has to
      go back through it. If it lies in the client's own network, that router has to translate the
      source as well (masquerade what goes from the subnet back into it). If the server has several
      addresses, let the service answer from the one that was asked (a UDP service has to bind to it).
      """)

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.isReply, lost.stage == .sent || lost.stage == .delivered,
      let plan = lost.header?.probe, lost.last.packet.destination == plan.source,
      !isFromService(lost.last.packet, plan), !lost.snapshot.isForMany(plan.destination)
    else { return nil }
    let packet = lost.last.packet
    return error(
      "the answer comes from \(RuleNames.end(packet.source, packet.sourcePort)), and "
        + "\(RuleNames.end(plan.destination, plan.destinationPort)) was asked, so the client does not "
        + "take it: look for who translates the question on its way",
      evidence: [.answerFrom(packet)])
  }

  private static func isFromService(_ packet: Packet, _ plan: ProbePlan) -> Bool {
    packet.source == plan.destination && packet.sourcePort == plan.destinationPort
  }
}
