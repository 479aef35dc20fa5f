internal import Wire

/// ICMP echo requests, RFC 792 and RFC 4443, answered by echo replies. Their payload has the nonce, and
/// so has all that belongs to them.
struct EchoProbe: ProbeKind {
  var name: String { "icmp" }
  func number(_ version: Int) -> IPProtocol { version == 6 ? .icmpv6 : .icmp }
  var ports: ProbePorts { .none }
  var size: (usual: Int, least: Int) { (56, ProbePlan.leastPayload) }
  var carriesNonce: Bool { true }
  var carriesContext: Bool { true }

  func segment(
    _ plan: ProbePlan, _ sequence: Int
  ) -> (transport: Transport, payload: [UInt8]) {
    let number = UInt16(truncatingIfNeeded: sequence)
    let header = ICMPHeader(
      type: plan.version == 6 ? 128 : 8,
      rest: UInt32(plan.identifier &+ number &- 1) << 16 | UInt32(number))
    return (
      .icmp(header), plan.payload(sequence, count: max(plan.size, ProbePlan.leastPayload))
    )
  }

  func sequence(_ plan: ProbePlan, of whole: Packet, latest: Int?) -> Int? {
    // Errors are never about errors: RFC 1122 section 3.2.2.
    let packet = whole.quoted ?? whole
    if let marked = plan.markedSequence(of: packet) { return marked }
    // An error may quote no more than the first eight octets of the transport header, or some of the payload.
    guard packet.payload.count < plan.size, let icmp = packet.icmp,
      icmp.isEchoRequest(packet.proto),
      icmp.identifier == plan.identifier &+ icmp.sequence &- 1,
      packet.destination == plan.destination,
      plan.payload(Int(icmp.sequence), count: plan.size).starts(with: packet.payload)
    else { return nil }
    return Int(icmp.sequence)
  }

  func marks(_ plan: ProbePlan) -> [ProbeMark] {
    let header = 8 + UInt32(plan.markOffset)
    return [
      ProbeMark(plan.icmp, at: header, plan.mark),
      ProbeMark(plan.icmp, at: plan.quotedOffset + header, plan.mark),
    ]
  }

  /// Its type says it of every ICMP packet, a probe's or not.
  func direction(_ plan: ProbePlan, of packet: Packet) -> Journey.Direction? { nil }

  func isBackFromService(_ plan: ProbePlan, _ packet: Packet) -> Bool {
    packet.icmp?.isEchoReply(packet.proto) == true
  }
}
