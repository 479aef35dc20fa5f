internal import Wire

/// TCP's SYN, RFC 9293, answered by a SYN-ACK or a reset, and ended by a reset of ours. Sequence numbers
/// tell probes apart.
struct TCPProbe: ProbeKind {
  var name: String { "tcp" }
  func number(_ version: Int) -> IPProtocol { .tcp }
  var ports: ProbePorts { .required }
  /// A SYN has as a rule no octets.
  var size: (usual: Int, least: Int) { (0, 0) }

  /// Sequence numbers of two probes are this far apart, so that what acknowledges one, with its
  /// octets or without, is not taken for an answer to the next.
  private func stride(_ plan: ProbePlan) -> Int { plan.size + 2 }

  func canTellApart(count: Int, size: Int) -> Bool { (count + 1) * (size + 2) <= 1 << 31 }

  func segment(
    _ plan: ProbePlan, _ sequence: Int
  ) -> (transport: Transport, payload: [UInt8]) {
    (.tcp(header(plan, sequence)), plan.payload(sequence, count: plan.size))
  }

  private func header(_ plan: ProbePlan, _ sequence: Int) -> TCPHeader {
    let number = UInt32(truncatingIfNeeded: plan.firstNumber + sequence * stride(plan))
    let acknowledges = plan.tcpFlags.contains(.ack)
    // What resets a segment has the number that it acknowledges.
    return TCPHeader(
      sourcePort: plan.port(sequence), destinationPort: plan.destinationPort ?? 0,
      sequence: number, acknowledgment: acknowledges ? number &+ 1 : 0, flags: plan.tcpFlags)
  }

  func end(_ plan: ProbePlan, _ sequence: Int, answer: Packet?) -> Packet? {
    guard plan.tcpFlags == .syn else { return nil }
    var header = header(plan, sequence)
    header.flags = .rst
    header.sequence &+= 1
    header.window = 0
    var packet = plan.packet(sequence: sequence)
    packet.transport = .tcp(header)
    packet.payload = []
    return packet
  }

  func sequence(_ plan: ProbePlan, of packet: Packet, latest: Int?) -> Int? {
    func sequence(_ number: UInt32, _ rests: Set<Int>) -> Int? {
      plan.sequence(ofNumber: number, stride: stride(plan), rests)
    }
    if packet.icmp?.isError(packet.proto) == true {
      let quoted = plan.quotedTransport(packet).map {
        $0.dropFirst(4).reduce(0) { $0 << 8 | UInt32($1) }
      }
      return quoted.flatMap { sequence($0, [0, 1]) }
    }
    guard let header = packet.tcp else { return nil }
    if plan.tcpFlags != .syn, header.flags == plan.tcpFlags,
      let number = sequence(header.sequence, [0])
    {
      return number
    }
    if header.flags.contains(.ack) { return sequence(header.acknowledgment, [1, plan.size + 1]) }
    guard !header.flags.isDisjoint(with: [.syn, .rst]) else { return nil }
    return sequence(header.sequence, header.flags.contains(.syn) ? [0] : [1])
  }

  func numbers(_ plan: ProbePlan) -> [ProbeMark] { marks(plan) }

  func marks(_ plan: ProbePlan) -> [ProbeMark] {
    let stride = stride(plan)
    let first = plan.firstNumber
    let numbers = (first + stride)...(first + (plan.lastSequence + 1) * stride - 1)
    let (sequence, acknowledgment): (UInt32, UInt32) = (4, 8)
    return [
      ProbeMark(.tcp, at: sequence, numbers), ProbeMark(.tcp, at: acknowledgment, numbers),
      ProbeMark(plan.icmp, at: plan.quotedOffset + sequence, numbers),
    ]
  }

  func isBackFromService(_ plan: ProbePlan, _ packet: Packet) -> Bool {
    packet.tcp.map { !$0.flags.isDisjoint(with: [.ack, .rst]) } == true
      && hasPortsOfAnswer(plan, packet)
  }

  func direction(_ plan: ProbePlan, of packet: Packet) -> Journey.Direction? {
    packet.tcp.map { header in
      if plan.tcpFlags != .syn { return isProbe(header, plan) ? .request : .reply }
      return header.flags.contains(.ack) ? .reply : .request
    }
  }

  /// Whether a segment with other flags than a SYN's is a probe itself.
  private func isProbe(_ header: TCPHeader, _ plan: ProbePlan) -> Bool {
    header.flags == plan.tcpFlags
      && plan.sequence(ofNumber: header.sequence, stride: stride(plan), [0]) != nil
  }
}
