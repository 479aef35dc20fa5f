internal import Wire

/// Datagrams, RFC 768, answered by a datagram from where they went to. They are DNS questions, for of the services
/// that answer a stranger those of DNS are the most, also behind a port that is translated; to others they are as
/// any octets are. They have the nonce; what answers them has as a rule not, and is known by its addresses and ports.
struct UDPProbe: ProbeKind {
  var name: String { "udp" }
  func number(_ version: Int) -> IPProtocol { .udp }
  /// traceroute(8)'s first.
  var ports: ProbePorts { .usual(33434) }
  var size: (usual: Int, least: Int) { (56, ProbePlan.leastPayload) }
  var holdsPort: Bool { true }
  var carriesContext: Bool { true }
  var contextSize: Int { DNSQuestion.leastWithContext }
  var contextOffset: Int { DNSQuestion.nameOffset }

  func segment(
    _ plan: ProbePlan, _ sequence: Int
  ) -> (transport: Transport, payload: [UInt8]) {
    let header = UDPHeader(
      sourcePort: plan.port(sequence), destinationPort: plan.destinationPort ?? 0)
    let count = max(plan.size, ProbePlan.leastPayload)
    return (
      .udp(header),
      DNSQuestion.fits(plan)
        ? DNSQuestion.octets(plan, sequence, count: count) : plan.payload(sequence, count: count)
    )
  }

  func sequence(_ plan: ProbePlan, of packet: Packet, latest: Int?) -> Int? {
    if packet.icmp?.isError(packet.proto) == true {
      if let quoted = packet.quoted, let marked = marked(plan, quoted) { return marked }
      guard let ports = plan.quotedPorts(packet), ports.destination == plan.destinationPort,
        packet.quoted?.destination == plan.destination
      else { return nil }
      return plan.sequence(ofPort: ports.source, latest: latest)
    }
    guard packet.proto == .udp else { return nil }
    if let marked = marked(plan, packet) { return marked }
    // A server may answer from another port, as TFTP's do, or from another of its addresses.
    guard
      packet.source == plan.destination
        || packet.sourcePort == plan.destinationPort && packet.destination == plan.source,
      let port = packet.destinationPort
    else { return nil }
    return plan.sequence(ofPort: port, latest: latest)
  }

  private func marked(_ plan: ProbePlan, _ packet: Packet) -> Int? {
    DNSQuestion.fits(plan)
      ? DNSQuestion.sequence(plan, in: packet.payload) : plan.markedSequence(of: packet)
  }

  func nonce(of random: UInt64) -> UInt64 { DNSQuestion.nonce(of: random) }

  /// What tells a probe's payload, which begins at this offset.
  private func payloadMark(_ proto: IPProtocol, at offset: UInt32, _ plan: ProbePlan) -> ProbeMark {
    guard DNSQuestion.fits(plan) else {
      return ProbeMark(proto, at: offset + UInt32(plan.markOffset), plan.mark)
    }
    let identifier = DNSQuestion.identifier(plan)
    return ProbeMark(
      proto: proto,
      fields: [
        .init(offset: offset, least: identifier, most: identifier),
        .init(
          offset: offset + UInt32(DNSQuestion.nonceOffset), least: plan.mark, most: plan.mark),
      ])
  }

  func marks(_ plan: ProbePlan) -> [ProbeMark] {
    let header: UInt32 = 8
    let port = Int(plan.destinationPort ?? 0)
    var marks = [
      payloadMark(.udp, at: header, plan),
      payloadMark(plan.icmp, at: plan.quotedOffset + header, plan),
      ProbeMark(
        proto: .udp,
        fields: [
          .init(
            isNetwork: true, offset: plan.version == 6 ? 8 : 12, least: plan.destination.bytes,
            most: plan.destination.bytes),
          .init(offset: 0, port...port, octets: 2),
        ]),
    ]
    // NAT keeps the port where it can; then an answer is known by it also where the destination
    // was translated. Too many ports would be other people's, too.
    let (first, last) = (Int(plan.port(1)), Int(plan.port(plan.count)))
    if plan.count <= 256, first <= last {
      marks.append(ProbeMark(.udp, at: 2, first...last, octets: 2))
    }
    return marks
  }

  func direction(_ plan: ProbePlan, of packet: Packet) -> Journey.Direction? {
    guard packet.proto == .udp else { return nil }
    let isMarked = marked(plan, packet) != nil
    // Translation may have changed every port and address.
    if isMarked, DNSQuestion.fits(plan), DNSQuestion.isAnswer(packet.payload) { return .reply }
    // Of a host that asks itself, the ports alone tell.
    if plan.source == plan.destination {
      return packet.destinationPort == plan.destinationPort ? .request : .reply
    }
    let isRequest =
      packet.source == plan.source
      || isMarked && packet.sourcePort != plan.destinationPort
    return isRequest ? .request : .reply
  }
}
