internal import Wire

/// TCP's SYN, RFC 9293, answered by a SYN-ACK or a reset, and ended by a reset of ours; with data, its handshake and
/// a segment, answered by what acknowledges it. Sequence numbers tell probes apart.
struct TCPProbe: ProbeKind {
  var name: String { "tcp" }
  func number(_ version: Int) -> IPProtocol { .tcp }
  var ports: ProbePorts { .required }
  /// A SYN has as a rule no octets.
  var size: (usual: Int, least: Int) { (0, 0) }

  /// Sequence numbers of two connections are this far apart, so that what acknowledges one, with its
  /// octets or without, is not taken for an answer to the next.
  private func stride(_ plan: ProbePlan) -> Int { plan.size + 2 }

  func canTellApart(count: Int, size: Int) -> Bool { (count + 1) * (size + 2) <= 1 << 31 }

  func segment(
    _ plan: ProbePlan, _ sequence: Int
  ) -> (transport: Transport, payload: [UInt8]) {
    var header = header(plan, sequence)
    guard let data = plan.data else {
      return (
        .tcp(header), plan.contextData(sequence) ?? plan.payload(sequence, count: plan.size)
      )
    }
    guard plan.carriesData(sequence) else { return (.tcp(header), []) }
    header.sequence &+= 1
    header.flags = [.psh, .ack]
    header.maximumSegment = nil
    return (.tcp(header), data)
  }

  private func header(_ plan: ProbePlan, _ sequence: Int) -> TCPHeader {
    let number = UInt32(
      truncatingIfNeeded: plan.firstNumber + plan.connection(of: sequence) * stride(plan))
    let acknowledges = plan.tcpFlags.contains(.ack)
    // What resets a segment has the number that it acknowledges.
    var header = TCPHeader(
      sourcePort: plan.port(sequence), destinationPort: plan.destinationPort ?? 0,
      sequence: number, acknowledgment: acknowledges ? number &+ 1 : 0, flags: plan.tcpFlags)
    header.maximumSegment = plan.tcpFlags == .syn ? plan.maximumSegment : nil
    header.hasTimestamp = plan.data == nil
    if plan.carriers.contains(.tcpOption) { header.traceOption = plan.context?.traceID }
    return header
  }

  func end(_ plan: ProbePlan, _ sequence: Int, answer: Packet?) -> Packet? {
    guard plan.tcpFlags == .syn else { return nil }
    var header = header(plan, sequence)
    header.flags = .rst
    header.sequence &+= 1
    // Of a connection that stands, no other number than the next one ends it: RFC 5961 section 3.2.
    if plan.carriesData(sequence), let answer = answer?.tcp, answer.flags.contains(.ack) {
      header.sequence = answer.acknowledgment
    }
    header.window = 0
    header.maximumSegment = nil
    header.traceOption = nil
    var packet = plan.packet(sequence: sequence)
    packet.transport = .tcp(header)
    packet.payload = []
    return packet
  }

  /// The connection of which a sequence number is, and how far it is behind that of the SYN.
  private func place(
    _ plan: ProbePlan, _ number: UInt32
  ) -> (connection: Int, distance: Int)? {
    let distance = Int(number) - plan.firstNumber
    let connection = distance / stride(plan)
    guard distance >= stride(plan), connection <= plan.lastConnection else { return nil }
    return (connection, distance % stride(plan))
  }

  func sequence(_ plan: ProbePlan, of packet: Packet, latest: Int?) -> Int? {
    if plan.data != nil { return sequenceWithData(plan, of: packet) }
    func sequence(_ number: UInt32, _ rests: Set<Int>) -> Int? {
      guard let place = place(plan, number), rests.contains(place.distance) else { return nil }
      return place.connection
    }
    if packet.icmp?.isError(packet.proto) == true {
      return quotedNumber(plan, packet).flatMap { sequence($0, [0, 1]) }
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

  /// The sequence number that an ICMP error quotes.
  private func quotedNumber(_ plan: ProbePlan, _ error: Packet) -> UInt32? {
    plan.quotedTransport(error).map { $0.dropFirst(4).reduce(0) { $0 << 8 | UInt32($1) } }
  }

  /// The same of connections with data: all up to the end of the handshake is of one probe, what carries the data
  /// and what comes of it is of the next.
  private func sequenceWithData(_ plan: ProbePlan, of packet: Packet) -> Int? {
    func sequence(_ connection: Int, hasData: Bool) -> Int {
      2 * connection - (hasData ? 0 : 1)
    }
    if packet.icmp?.isError(packet.proto) == true {
      return quotedNumber(plan, packet).flatMap { place(plan, $0) }.map {
        sequence($0.connection, hasData: $0.distance > 0)
      }
    }
    guard let header = packet.tcp else { return nil }
    if let place = ownPlace(plan, header) {
      return sequence(place.connection, hasData: place.distance > 1 || packet.carriesData)
    }
    if header.flags.contains(.ack) {
      guard let place = place(plan, header.acknowledgment), place.distance > 0 else { return nil }
      return sequence(place.connection, hasData: place.distance > 1)
    }
    // What refuses a segment that acknowledges something has none of our numbers: RFC 9293 section 3.10.7.1.
    guard header.flags == .rst else { return nil }
    return plan.sequence(ofPort: header.destinationPort, latest: plan.lastConnection).map {
      sequence($0, hasData: true)
    }
  }

  /// Where a segment of the client's stands in its connection; nil if it is none.
  private func ownPlace(
    _ plan: ProbePlan, _ header: TCPHeader
  ) -> (connection: Int, distance: Int)? {
    guard let place = place(plan, header.sequence) else { return nil }
    let isFirst = header.flags.contains(.syn) && !header.flags.contains(.ack)
    return isFirst == (place.distance == 0) ? place : nil
  }

  func numbers(_ plan: ProbePlan) -> [ProbeMark] {
    let stride = stride(plan)
    let first = plan.firstNumber
    let numbers = (first + stride)...(first + (plan.lastConnection + 1) * stride - 1)
    let (sequence, acknowledgment): (UInt32, UInt32) = (4, 8)
    return [
      ProbeMark(.tcp, at: sequence, numbers), ProbeMark(.tcp, at: acknowledgment, numbers),
      ProbeMark(plan.icmp, at: plan.quotedOffset + sequence, numbers),
    ]
  }

  func marks(_ plan: ProbePlan) -> [ProbeMark] {
    var marks = numbers(plan)
    let (first, last) = (Int(plan.port(1)), Int(plan.port(plan.lastSequence)))
    if plan.data != nil, first <= last, last - first < 256 {
      let (receiver, flags): (UInt32, UInt32) = (2, 13)
      let reset = Int(TCPHeader.Flags.rst.rawValue)
      marks.append(
        ProbeMark(
          proto: .tcp,
          fields: [
            .init(offset: receiver, first...last, octets: 2),
            .init(offset: flags, reset...reset, octets: 1),
          ]))
    }
    return marks
  }

  func isBackFromService(_ plan: ProbePlan, _ packet: Packet) -> Bool {
    packet.tcp.map { !$0.flags.isDisjoint(with: [.ack, .rst]) } == true
      && hasPortsOfAnswer(plan, packet) && !plan.isUnready(packet)
  }

  func direction(_ plan: ProbePlan, of packet: Packet) -> Journey.Direction? {
    packet.tcp.map { header in
      if plan.data != nil { return ownPlace(plan, header) == nil ? .reply : .request }
      if plan.tcpFlags != .syn { return isProbe(header, plan) ? .request : .reply }
      return header.flags.contains(.ack) ? .reply : .request
    }
  }

  /// Whether a segment with other flags than a SYN's is a probe itself.
  private func isProbe(_ header: TCPHeader, _ plan: ProbePlan) -> Bool {
    header.flags == plan.tcpFlags && place(plan, header.sequence)?.distance == 0
  }
}

extension Packet {
  /// Whether a segment has data behind its header, of which there may be more than was kept.
  package var carriesData: Bool {
    // The longest headers are 20 or 40 octets of IP's and 60 of TCP's.
    !payload.isEmpty || length > (source.family == 4 ? 80 : 100)
  }
}
