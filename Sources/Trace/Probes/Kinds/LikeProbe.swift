internal import Wire

/// A packet that was captured somewhere, sent again as it was. What nobody changes on its way tells it from
/// others: TCP's sequence number, SCTP's tags, what it carries, an echo's number.
struct LikeProbe: ProbeKind {
  /// The packet; in a session, its payload may be cut.
  private let packet: Packet
  /// Octets of what it carries that rules look at.
  private static let most = 8

  /// Probes like this one.
  init(_ packet: Packet) { self.packet = packet }

  var name: String { packet.proto.isICMP ? "icmp" : "\(packet.proto)" }
  func number(_ version: Int) -> IPProtocol { packet.proto }
  var ports: ProbePorts { .none }
  var size: (usual: Int, least: Int) { (packet.payload.count, 0) }
  var holdsPort: Bool { packet.proto == .udp }
  var isAnswered: Bool {
    if let icmp = packet.icmp { return icmp.isEchoRequest(packet.proto) }
    return packet.sourcePort != nil && packet.tcp?.flags.contains(.rst) != true
  }
  /// All probes of a plan are the same.
  func canTellApart(count: Int, size: Int) -> Bool { count == 1 }

  func segment(_ plan: ProbePlan, _ sequence: Int) -> (transport: Transport, payload: [UInt8]) {
    (packet.transport, packet.payload)
  }

  func end(_ plan: ProbePlan, _ sequence: Int, answer: Packet?) -> Packet? {
    guard var header = packet.tcp, header.flags.contains(.syn), !header.flags.contains(.ack) else {
      return nil
    }
    header.flags = .rst
    header.sequence &+= 1
    header.window = 0
    var packet = packet
    packet.transport = .tcp(header)
    packet.payload = []
    return packet
  }

  func sequence(_ plan: ProbePlan, of other: Packet, latest: Int?) -> Int? {
    if other.icmp?.isError(other.proto) == true { return isQuoted(plan, by: other) ? 1 : nil }
    return isSame(other) || isAnswer(plan, other) || isEnd(other) ? 1 : nil
  }

  /// Whether a packet is the probe, which NAT may have given other addresses and ports, or an echo another id.
  private func isSame(_ other: Packet) -> Bool {
    guard other.proto == packet.proto, carriesTheSame(other) else { return false }
    switch (packet.transport, other.transport) {
    case (.tcp(let ours), .tcp(let theirs)):
      return ours.sequence == theirs.sequence && ours.flags == theirs.flags
    case (.icmp(let ours), .icmp(let theirs)):
      return ours.type == theirs.type && ours.code == theirs.code
        && ours.sequence == theirs.sequence
    case (.udp(let ours), .udp(let theirs)):
      return !packet.payload.isEmpty || ours.destinationPort == theirs.destinationPort
    case (.sctp, .sctp): return packet.transport.numbers == other.transport.numbers
    case (.other, .other): return !packet.payload.isEmpty
    default: return false
    }
  }

  /// Whether a packet carries the octets of the probe, as far as both are there. Of a segment, its number says
  /// enough.
  private func carriesTheSame(_ other: Packet) -> Bool {
    if packet.tcp != nil { return true }
    let count = min(packet.payload.count, other.payload.count)
    return packet.payload.prefix(count) == other.payload.prefix(count)
      && packet.payload.isEmpty == other.payload.isEmpty
  }

  private func isAnswer(_ plan: ProbePlan, _ other: Packet) -> Bool {
    guard other.proto == packet.proto else { return false }
    switch (packet.transport, other.transport) {
    case (.tcp(let ours), .tcp(let theirs)):
      let flags = theirs.flags
      // What an acknowledgement refers to is the segment, or what the receiver waited for before it.
      if flags.contains(.ack), theirs.acknowledgment &- ours.sequence <= UInt32(size(plan)) + 1 {
        return true
      }
      // What acknowledges is reset with the number that it acknowledged: RFC 9293 section 3.10.7.1.
      return flags.contains(.rst) && ours.flags.contains(.ack)
        && theirs.sequence == ours.acknowledgment
    case (.icmp(let ours), .icmp(let theirs)):
      return ours.isEchoRequest(packet.proto) && theirs.isEchoReply(packet.proto)
        && ours.sequence == theirs.sequence && carriesTheSame(other)
    case (.udp, .udp), (.sctp, .sctp):
      return other.source == plan.destination && hasTurnedPorts(other)
    default: return false
    }
  }

  /// Whether it is the reset by which the connection is ended that the probe may have begun.
  private func isEnd(_ other: Packet) -> Bool {
    guard let ours = packet.tcp, let theirs = other.tcp, ours.flags.contains(.syn) else {
      return false
    }
    return theirs.flags == .rst && theirs.sequence == ours.sequence &+ 1
  }

  private func hasTurnedPorts(_ other: Packet) -> Bool {
    other.sourcePort == packet.destinationPort && other.destinationPort == packet.sourcePort
  }

  private func isQuoted(_ plan: ProbePlan, by error: Packet) -> Bool {
    if let quoted = error.quoted, quoted.transport != .absent, !quoted.payload.isEmpty {
      return isSame(quoted)
    }
    // RFC 792 has it quote no more than eight octets. NAT may have changed the ports and an echo's id, and the
    // checksum with them.
    guard let quoted = plan.quotedTransport(error) else { return false }
    let ours = Array(segment.prefix(8))
    guard ours.count == 8 else { return false }
    func agrees(_ range: Range<Int>) -> Bool { quoted[range].elementsEqual(ours[range]) }
    switch packet.transport {
    case .tcp, .sctp: return agrees(4..<8)
    case .icmp: return agrees(0..<2) && agrees(6..<8)
    case .udp:
      let length = Int(quoted[4]) << 8 | Int(quoted[5])
      return agrees(2..<4) && length == 8 + size(plan)
        && error.quoted?.destination == plan.destination
    case .other, .absent: return quoted == ours
    }
  }

  /// The octets behind the IP header.
  private var segment: [UInt8] {
    Array(packet.bytes.dropFirst(packet.source.family == 4 ? 20 : 40))
  }

  /// Octets of what it carries. A file may say anything.
  private func size(_ plan: ProbePlan) -> Int { min(max(plan.size, 0), Int(UInt16.max)) }

  func marks(_ plan: ProbePlan) -> [ProbeMark] {
    let segment = segment
    let carried = Array(packet.payload.prefix(Self.most))
    /// The mark of these octets in the probe, and in an error about it.
    func both(at place: Int, _ octets: [UInt8]) -> [ProbeMark] {
      [
        ProbeMark(packet.proto, at: UInt32(place), octets),
        ProbeMark(plan.icmp, at: plan.quotedOffset + UInt32(place), octets),
      ]
    }
    switch packet.transport {
    case .tcp(let header):
      var marks = both(at: 4, Array(segment[4..<8]))
      let first = Int(header.sequence)
      let last = first + size(plan) + 1
      marks.append(ProbeMark(.tcp, at: 8, first...min(last, Int(UInt32.max))))
      // The numbers begin again with 0.
      if last > UInt32.max { marks.append(ProbeMark(.tcp, at: 8, 0...(last & 0xffff_ffff))) }
      if header.flags.contains(.syn) {
        let next = Int(header.sequence &+ 1)
        marks.append(ProbeMark(.tcp, at: 4, next...next))
      }
      if header.flags.contains(.ack) {
        let next = Int(header.acknowledgment)
        marks.append(ProbeMark(.tcp, at: 4, next...next))
      }
      return marks
    case .icmp:
      return carried.isEmpty ? both(at: 6, Array(segment[6..<8])) : both(at: 8, carried)
    case .udp, .sctp:
      let source = ProbeMark.Field(
        isNetwork: true, offset: plan.version == 6 ? 8 : 12, least: plan.destination.bytes,
        most: plan.destination.bytes)
      let (from, to) = (Array(segment[0..<2]), Array(segment[2..<4]))
      let answer = ProbeMark(
        proto: packet.proto, fields: [source, .init(offset: 0, least: to, most: to)])
      var marks =
        packet.proto == .sctp
        ? both(at: 4, Array(segment[4..<8]))
        : carried.isEmpty ? both(at: 2, to) : both(at: 8, carried)
      marks += [answer, ProbeMark(plan.icmp, at: plan.quotedOffset + 2, to)]
      // NAT keeps the port where it can: then the answer is known by it also before its source is set back. The
      // port of a service would be other people's, too.
      if packet.sourcePort ?? 0 >= 1024 { marks.append(ProbeMark(packet.proto, at: 2, from)) }
      return marks
    case .other, .absent: return both(at: 0, carried)
    }
  }

  func numbers(_ plan: ProbePlan) -> [ProbeMark] {
    if packet.tcp != nil { return marks(plan) }
    let place = packet.sourcePort == nil && packet.icmp == nil ? 0 : 8
    let octets = Array(packet.payload.prefix(4))
    // Few octets others carry as well.
    guard octets.count == 4, packet.proto != .sctp else { return [] }
    return [
      ProbeMark(packet.proto, at: UInt32(place), octets),
      ProbeMark(plan.icmp, at: plan.quotedOffset + UInt32(place), octets),
    ]
  }

  func direction(_ plan: ProbePlan, of other: Packet) -> Journey.Direction? {
    if packet.icmp != nil { return nil }
    if packet.tcp != nil { return isSame(other) || isEnd(other) ? .request : .reply }
    // What answers may carry the same.
    if plan.source == plan.destination { return hasTurnedPorts(other) ? .reply : .request }
    if other.source == plan.source { return .request }
    guard isSame(other), packet.sourcePort != nil else {
      return other.source == plan.destination ? .reply : .request
    }
    return other.sourcePort == packet.destinationPort ? .reply : .request
  }

  func isBackFromService(_ plan: ProbePlan, _ other: Packet) -> Bool {
    if packet.icmp != nil { return other.icmp?.isEchoReply(other.proto) == true }
    return hasTurnedPorts(other)
  }
}
