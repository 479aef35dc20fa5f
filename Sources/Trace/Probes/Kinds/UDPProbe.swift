internal import Wire

/// Datagrams, RFC 768, answered by a datagram from where they went to. They have the nonce; what answers
/// them has as a rule not, and is known by its addresses and ports.
struct UDPProbe: ProbeKind {
  var name: String { "udp" }
  func number(_ version: Int) -> IPProtocol { .udp }
  /// traceroute(8)'s first.
  var ports: ProbePorts { .usual(33434) }
  var size: (usual: Int, least: Int) { (56, ProbePlan.leastPayload) }
  var holdsPort: Bool { true }

  func segment(
    _ plan: ProbePlan, _ sequence: Int
  ) -> (transport: Transport, payload: [UInt8]) {
    let header = UDPHeader(
      sourcePort: plan.port(sequence), destinationPort: plan.destinationPort ?? 0)
    return (
      .udp(header), plan.payload(sequence, count: max(plan.size, ProbePlan.leastPayload))
    )
  }

  func sequence(_ plan: ProbePlan, of packet: Packet, latest: Int?) -> Int? {
    if packet.icmp?.isError(packet.proto) == true {
      if let quoted = packet.quoted, let marked = plan.markedSequence(of: quoted) { return marked }
      guard let ports = plan.quotedPorts(packet), ports.destination == plan.destinationPort,
        packet.quoted?.destination == plan.destination
      else { return nil }
      return plan.sequence(ofPort: ports.source, latest: latest)
    }
    guard packet.proto == .udp else { return nil }
    if let marked = plan.markedSequence(of: packet) { return marked }
    // A server may answer from another port, as TFTP's do, or from another of its addresses.
    guard
      packet.source == plan.destination
        || packet.sourcePort == plan.destinationPort && packet.destination == plan.source,
      let port = packet.destinationPort
    else { return nil }
    return plan.sequence(ofPort: port, latest: latest)
  }

  func marks(_ plan: ProbePlan) -> [ProbeMark] {
    let header: UInt32 = 8
    let port = Int(plan.destinationPort ?? 0)
    var marks = [
      ProbeMark(.udp, at: header, plan.mark),
      ProbeMark(plan.icmp, at: plan.quotedOffset + header, plan.mark),
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
    // Of a host that asks itself, the ports alone tell.
    if plan.source == plan.destination {
      return packet.destinationPort == plan.destinationPort ? .request : .reply
    }
    let isRequest =
      packet.source == plan.source
      || plan.markedSequence(of: packet) != nil && packet.sourcePort != plan.destinationPort
    return isRequest ? .request : .reply
  }
}
