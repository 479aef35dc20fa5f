internal import Wire

/// Packets of any other IP protocol, by its number, with the nonce as the first octets behind the IP
/// header, or that of GRE. What stands there no receiver understands: as a rule nobody answers, and a host that does not
/// know the protocol says so with an ICMP error.
struct OtherProbe: ProbeKind {
  private let proto: IPProtocol

  /// Probes of this protocol.
  init(_ proto: IPProtocol) { self.proto = proto }

  var name: String { "\(proto)" }
  func number(_ version: Int) -> IPProtocol { proto }
  var ports: ProbePorts { .none }
  var size: (usual: Int, least: Int) { (56, lead.count + ProbePlan.leastPayload) }
  var isAnswered: Bool { false }
  var carriesNonce: Bool { true }

  func segment(
    _ plan: ProbePlan, _ sequence: Int
  ) -> (transport: Transport, payload: [UInt8]) {
    let count = max(plan.size, size.least) - lead.count
    return (.other, lead + plan.payload(sequence, count: count))
  }

  /// What stands before the nonce: of GRE (RFC 2784 section 2) a header without options of something that nobody knows (IEEE 802's
  /// EtherType for experiments), for conntrack does not take what has another version.
  private var lead: [UInt8] { proto == .gre ? [0, 0, 0x88, 0xb5] : [] }

  func sequence(_ plan: ProbePlan, of packet: Packet, latest: Int?) -> Int? {
    let packet = packet.quoted ?? packet
    guard packet.proto == proto else { return nil }
    return plan.markedSequence(of: packet, behind: lead.count)
  }

  func marks(_ plan: ProbePlan) -> [ProbeMark] {
    [
      ProbeMark(proto, at: UInt32(lead.count), plan.mark),
      ProbeMark(plan.icmp, at: plan.quotedOffset + UInt32(lead.count), plan.mark),
    ]
  }

  /// Nobody is known to answer so; in a copy the world sends back what it gets.
  func isBackFromService(_ plan: ProbePlan, _ packet: Packet) -> Bool { packet.proto == proto }

  func direction(_ plan: ProbePlan, of packet: Packet) -> Journey.Direction? {
    packet.source == plan.destination ? .reply : .request
  }
}
