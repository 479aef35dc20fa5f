internal import Wire

/// Packets of any other IP protocol, by its number, with the nonce as the first octets behind the IP
/// header. What stands there no receiver understands: as a rule nobody answers, and a host that does not
/// know the protocol says so with an ICMP error.
struct OtherProbe: ProbeKind {
  private let proto: IPProtocol

  /// Probes of this protocol.
  init(_ proto: IPProtocol) { self.proto = proto }

  var name: String { "\(proto)" }
  func number(_ version: Int) -> IPProtocol { proto }
  var ports: ProbePorts { .none }
  var size: (usual: Int, least: Int) { (56, ProbePlan.leastPayload) }
  var isAnswered: Bool { false }
  var carriesNonce: Bool { true }

  func segment(
    _ plan: ProbePlan, _ sequence: Int
  ) -> (transport: Transport, payload: [UInt8]) {
    (.other, plan.payload(sequence, count: max(plan.size, ProbePlan.leastPayload)))
  }

  func sequence(_ plan: ProbePlan, of packet: Packet, latest: Int?) -> Int? {
    let packet = packet.quoted ?? packet
    return packet.proto == proto ? plan.markedSequence(of: packet) : nil
  }

  func marks(_ plan: ProbePlan) -> [ProbeMark] {
    [
      ProbeMark(proto, at: 0, plan.mark),
      ProbeMark(plan.icmp, at: plan.quotedOffset, plan.mark),
    ]
  }

  func direction(_ plan: ProbePlan, of packet: Packet) -> Journey.Direction? {
    packet.source == plan.destination ? .reply : .request
  }
}
