internal import Wire

/// SCTP's INIT, RFC 9260, answered by an INIT-ACK or an ABORT. The tags that answers have to carry tell
/// probes apart. What is answered keeps nothing at the far end, which remembers an association once its
/// cookie comes back; so nothing is to be ended.
struct SCTPProbe: ProbeKind {
  var name: String { "sctp" }
  func number(_ version: Int) -> IPProtocol { .sctp }
  var ports: ProbePorts { .required }
  /// An INIT has no data with it.
  var size: (usual: Int, least: Int) { (0, 0) }

  /// RFC 9260 section 3.3.2: no tag is 0. Those of a plan begin with its first number.
  private func tag(_ plan: ProbePlan, _ sequence: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: plan.firstNumber + sequence)
  }

  func segment(_ plan: ProbePlan, _ sequence: Int) -> (transport: Transport, payload: [UInt8]) {
    let header = SCTPHeader(
      sourcePort: plan.port(sequence), destinationPort: plan.destinationPort ?? 0,
      verificationTag: 0, chunk: .initiation, initiateTag: tag(plan, sequence))
    return (.sctp(header), [])
  }

  func sequence(_ plan: ProbePlan, of packet: Packet, latest: Int?) -> Int? {
    func sequence(_ tag: UInt32) -> Int? { plan.sequence(ofNumber: tag, stride: 1, [0]) }
    if packet.icmp?.isError(packet.proto) == true {
      if let quoted = plan.quotedTransport(packet, count: 20) {
        return sequence(quoted[16...].reduce(0) { $0 << 8 | UInt32($1) })
      }
      // RFC 792 has an error quote no more than the ports and the tag, which is 0.
      guard let ports = plan.quotedPorts(packet), ports.destination == plan.destinationPort,
        packet.quoted?.destination == plan.destination
      else { return nil }
      return plan.sequence(ofPort: ports.source, latest: latest)
    }
    guard case .sctp(let header) = packet.transport else { return nil }
    if header.chunk == .initiation { return header.initiateTag.flatMap { sequence($0) } }
    return sequence(header.verificationTag)
  }

  func numbers(_ plan: ProbePlan) -> [ProbeMark] { marks(plan) }

  func marks(_ plan: ProbePlan) -> [ProbeMark] {
    let tags = (plan.firstNumber + 1)...(plan.firstNumber + plan.lastSequence)
    let (verification, initiate): (UInt32, UInt32) = (4, 16)
    return [
      ProbeMark(.sctp, at: initiate, tags), ProbeMark(.sctp, at: verification, tags),
      ProbeMark(plan.icmp, at: plan.quotedOffset + initiate, tags),
    ]
  }

  func direction(_ plan: ProbePlan, of packet: Packet) -> Journey.Direction? {
    guard case .sctp(let header) = packet.transport else { return nil }
    return header.chunk == .initiation ? .request : .reply
  }
}
