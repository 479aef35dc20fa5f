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
      addresses, and answers with another than it was asked at; or the protocol has it so, as TFTP's servers answer from a
      port of their own. To conntrack it is then a new connection, which NAT does not bring back, and which a firewall
      that lets answers in does not know.
      """,
    certainty: """
      Always certain: the answer was seen as it came to the client.
      """,
    conclusion: """
      The answer belongs to the probe by its numbers or its payload, it was sent to the client or delivered,
      and its source is not what was asked. No translation of this host is at fault: where it is, the
      finding is `hairpin-without-masquerade` or `not-translated`. Or the answer came from elsewhere than where the
      probe was sent to, and conntrack made a new connection of it.
      """,
    advice: """
      Find out who translates the question: a router on the way, a load balancer, a published port. The answer has to
      go back through it. If it lies in the client's own network, that router has to translate the
      source as well (masquerade what goes from the subnet back into it). If the server has several
      addresses, let the service answer from the one that was asked (a UDP service has to bind to it). Where the
      protocol has it so, conntrack has a helper for some (TFTP, NetBIOS, SNMP), which a rule has to assign
      (`ct helper`, `-j CT --helper`).
      """)

  static func examine(_ lost: LostPacket) -> Finding? {
    // Any router may send an ICMP error.
    guard lost.journey.direction == .reply, lost.stage == .sent || lost.stage == .delivered,
      let plan = lost.header?.probe, lost.last.packet.destination == plan.source,
      !isFromService(lost.last.packet, plan), !lost.snapshot.isForMany(plan.destination)
    else { return nil }
    let packet = lost.last.packet
    let asked = RuleNames.end(plan.destination, plan.destinationPort)
    if lost.journey.hops.first?.point.hook == .output, lost.snapshot.isLocal(plan.destination),
      let device = lost.outDevice
    {
      return error(
        "this host was asked at \(asked), and answers from \(RuleNames.end(packet.source, packet.sourcePort)): its answer "
          + "leaves \(device), and a program that has no address of its own gets one by that; the client does not take it: "
          + "have the program bind to \(plan.destination)",
        evidence: [.answerFrom(packet), .sent(through: device, source: packet.source)])
    }
    return error(
      "the answer comes from \(RuleNames.end(packet.source, packet.sourcePort)), and "
        + "\(RuleNames.end(plan.destination, plan.destinationPort)) was asked, so the client does not "
        + "take it: look for who translates the question on its way, or for a service that answers from another "
        + "address than it was asked at",
      evidence: [.answerFrom(packet)])
  }

  private static func isFromService(_ packet: Packet, _ plan: ProbePlan) -> Bool {
    packet.source == plan.destination && packet.sourcePort == plan.destinationPort
  }

  /// The same of what conntrack took for a new connection: it is neither translated back nor let in as an answer.
  enum AsNewConnection: Cause {
    static var page: FindingPage { ReplyFromStranger.page }

    /// What conntrack has helpers for, which expect answers from elsewhere, by the port that is asked.
    private static let helpers: [UInt16: String] = [
      69: "tftp", 137: "netbios-ns", 161: "snmp", 10080: "amanda",
    ]

    static func examine(_ lost: LostPacket) -> Finding? {
      let answer = lost.journey.packet
      guard lost.journey.direction == .reply, lost.journey.connection?.state == .new,
        let plan = lost.header?.probe, let asked = lost.request?.packet,
        !lost.snapshot.isForMany(plan.destination),
        answer.source != asked.destination || answer.sourcePort != asked.destinationPort
      else { return nil }
      let helper = plan.destinationPort.flatMap { helpers[$0] }.map {
        "; conntrack has a helper for such answers, '\($0)', which a rule has to assign"
      }
      return error(
        "the answer comes from \(RuleNames.end(answer.source, answer.sourcePort)), and "
          + "\(RuleNames.end(asked.destination, asked.destinationPort)) was asked: to conntrack it is a new "
          + "connection, " + outcome(lost, answer, plan) + (helper ?? ""),
        evidence: [.answerFrom(answer), .answerState(.new)] + (lost.decider?.evidence ?? []),
        at: lost.decider.flatMap { RuleNames.place($0, lost) })
    }

    private static func outcome(_ lost: LostPacket, _ answer: Packet, _ plan: ProbePlan) -> String {
      if let step = lost.decider {
        return "and "
          + (step.isPolicy
            ? "no rule of \(RuleNames.chain(step)) accepts it"
            : "\(RuleNames.rule(step)) dropped it")
      }
      return answer.destination == plan.source
        ? "and the client does not take it"
        : "which NAT does not bring back to \(plan.source)"
    }
  }
}
