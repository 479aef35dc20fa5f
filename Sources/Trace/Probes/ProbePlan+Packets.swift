package import Wire

/// What the probes of a plan look like, and how they and what answers them are recognised.
extension ProbePlan {
  /// The number of ports that probes are sent from, and the first: Linux's own ephemeral ones.
  private static let ports = 28232
  private static let firstPort = 32768

  /// TCP sequence numbers of two probes are this far apart, so that what acknowledges one, with its
  /// octets or without, is not taken for an answer to the next.
  private var stride: Int { size + 2 }
  private var firstNumber: Int { Int(nonce & 0x7fff_ffff) }

  /// The plan with what a probe can have of everything: a file may say anything.
  var bounded: ProbePlan {
    var plan = self
    plan.count = min(max(count, 1), Int(UInt32.max))
    plan.size = min(max(size, 0), Int(UInt16.max))
    return plan
  }

  /// The probe of this sequence number, counted from 1.
  package func packet(sequence: Int) -> Packet? {
    guard let from = IPAddress(source), let to = IPAddress(destination),
      from.family == to.family
    else { return nil }
    let v6 = from.family == 6
    let ownPort = port(sequence)
    let port = destinationPort ?? 0
    let transport: Transport =
      switch proto {
      case "tcp":
        .tcp(
          TCPHeader(
            sourcePort: ownPort, destinationPort: port,
            sequence: UInt32(truncatingIfNeeded: firstNumber + sequence * stride), flags: .syn))
      case "udp": .udp(UDPHeader(sourcePort: ownPort, destinationPort: port))
      default:
        .icmp(
          ICMPHeader(
            type: v6 ? 128 : 8,
            rest: UInt32(identifier &+ UInt16(truncatingIfNeeded: sequence - 1)) << 16
              | UInt32(UInt16(truncatingIfNeeded: sequence))))
      }
    return Packet(
      source: from, destination: to, proto: ipProtocol(v6 ? 6 : 4), ttl: ttl, tos: tos,
      identification: v6 ? nil : identifier &+ UInt16(truncatingIfNeeded: sequence),
      dontFragment: dontFragment, transport: transport, payload: payload(sequence: sequence))
  }

  /// The segment that ends the connection which the TCP probe of this number began.
  package func reset(sequence: Int) -> Packet? {
    guard var packet = packet(sequence: sequence), var header = packet.tcp else { return nil }
    header.flags = .rst
    header.sequence &+= 1
    header.window = 0
    packet.transport = .tcp(header)
    packet.payload = []
    return packet
  }

  private func ipProtocol(_ version: Int) -> IPProtocol {
    switch proto {
    case "tcp": .tcp
    case "udp": .udp
    default: version == 6 ? .icmpv6 : .icmp
    }
  }

  /// The nonce, the sequence number in four octets, then the alphabet. A SYN has as a rule no octets.
  private func payload(sequence: Int) -> [UInt8] {
    var payload: [UInt8] = []
    payload.append(bigEndian: nonce)
    payload.append(bigEndian: UInt32(truncatingIfNeeded: sequence))
    while payload.count < size { payload.append(UInt8(97 + payload.count % 26)) }
    return Array(payload.prefix(proto == "tcp" ? size : max(size, 12)))
  }

  /// The port a probe is sent from.
  private func port(_ sequence: Int) -> UInt16 {
    sourcePort
      ?? UInt16(Self.firstPort + (Int(identifier) + max(sequence, 1) - 1) % Self.ports)
  }

  // MARK: Recognising

  /// The sequence number of the probe that `packet` is, answers with its payload, or quotes; nil
  /// for other people's packets. Where probes share a port and the answer tells no more, it is taken
  /// to answer the `latest`.
  package func sequence(of packet: Packet, latest: Int? = nil) -> Int? {
    let isError = packet.icmp?.isError(packet.proto) == true
    switch proto {
    case "tcp":
      if isError { return quotedNumber(packet).flatMap { self.sequence(ofNumber: $0, [0, 1]) } }
      guard let header = packet.tcp else { return nil }
      if header.flags.contains(.ack) {
        return self.sequence(ofNumber: header.acknowledgment, [1, size + 1])
      }
      guard !header.flags.isDisjoint(with: [.syn, .rst]) else { return nil }
      return self.sequence(ofNumber: header.sequence, header.flags.contains(.syn) ? [0] : [1])
    case "udp":
      if isError {
        if let quoted = packet.quoted, let marked = markedSequence(of: quoted) { return marked }
        guard let ports = quotedPorts(packet), ports.destination == destinationPort,
          packet.quoted?.destination == IPAddress(destination)
        else { return nil }
        return self.sequence(ofPort: ports.source, latest: latest)
      }
      guard packet.proto == .udp else { return nil }
      if let marked = markedSequence(of: packet) { return marked }
      guard packet.source == IPAddress(destination), packet.sourcePort == destinationPort,
        packet.destination == IPAddress(source), let port = packet.destinationPort
      else { return nil }
      return self.sequence(ofPort: port, latest: latest)
    default: return echoSequence(of: packet)
    }
  }

  private func echoSequence(of whole: Packet) -> Int? {
    // Errors are never about errors: RFC 1122 section 3.2.2.
    let packet = whole.quoted ?? whole
    if let marked = markedSequence(of: packet) { return marked }
    // An error may quote no more than the first eight octets of the transport header.
    guard packet.payload.isEmpty, let icmp = packet.icmp, icmp.isEchoRequest(packet.proto),
      icmp.identifier == identifier &+ icmp.sequence &- 1,
      packet.destination == IPAddress(destination)
    else { return nil }
    return Int(icmp.sequence)
  }

  private func markedSequence(of packet: Packet) -> Int? {
    var mark: [UInt8] = []
    mark.append(bigEndian: nonce)
    guard packet.payload.count >= 12, packet.payload.starts(with: mark) else { return nil }
    return packet.payload[8..<12].reduce(0) { $0 << 8 | Int($1) }
  }

  private func sequence(ofNumber number: UInt32, _ rests: Set<Int>) -> Int? {
    let distance = Int(number) - firstNumber
    guard distance >= stride, distance / stride <= count, rests.contains(distance % stride)
    else { return nil }
    return distance / stride
  }

  private func sequence(ofPort port: UInt16, latest: Int?) -> Int? {
    let latest = latest ?? count
    if let sourcePort { return port == sourcePort && latest > 0 ? latest : nil }
    guard Int(port) >= Self.firstPort, Int(port) < Self.firstPort + Self.ports else { return nil }
    let first =
      (Int(port) - Self.firstPort + Self.ports - Int(identifier) % Self.ports) % Self.ports + 1
    guard first <= latest else { return nil }
    // The same port comes again after so many probes.
    return first + (latest - first) / Self.ports * Self.ports
  }

  /// The first eight octets behind the quoted IP header: all that an error must quote of them.
  private func quotedTransport(_ packet: Packet) -> ArraySlice<UInt8>? {
    guard let first = packet.payload.first, let quoted = packet.quoted,
      quoted.proto == ipProtocol(quoted.source.family), quoted.fragment?.offset ?? 0 == 0
    else { return nil }
    let start = first >> 4 == 4 ? Int(first & 15) * 4 : 40
    guard packet.payload.count >= start + 8 else { return nil }
    return packet.payload[start..<start + 8]
  }

  private func quotedNumber(_ packet: Packet) -> UInt32? {
    quotedTransport(packet).map { $0.dropFirst(4).reduce(0) { $0 << 8 | UInt32($1) } }
  }

  private func quotedPorts(_ packet: Packet) -> (source: UInt16, destination: UInt16)? {
    guard let octets = quotedTransport(packet).map(Array.init) else { return nil }
    return (
      UInt16(octets[0]) << 8 | UInt16(octets[1]), UInt16(octets[2]) << 8 | UInt16(octets[3])
    )
  }

  /// Which way a packet goes that belongs to a TCP or UDP probe; nil for other protocols.
  func direction(of packet: Packet) -> Journey.Direction? {
    switch packet.transport {
    case .tcp(let header): return header.flags.contains(.ack) ? .reply : .request
    case .udp(let header):
      let isRequest =
        packet.source == IPAddress(source)
        || markedSequence(of: packet) != nil && header.sourcePort != destinationPort
      return isRequest ? .request : .reply
    default: return nil
    }
  }

  /// Whether a packet that came out of the TUN device is addressed to the prober. What is not went
  /// out of the device by which it came in.
  func isAnswer(_ packet: Packet) -> Bool {
    if proto == "tcp" || proto == "udp" { return packet.destination == IPAddress(source) }
    return packet.icmp?.isEchoRequest(packet.proto) != true
  }
}

extension ProbePlan {
  /// The marks of the probes; empty for ICMP, which the nonce marks.
  package var marks: [ProbeMark] {
    guard let to = IPAddress(destination) else { return [] }
    let isV6 = to.family == 6
    let icmp = isV6 ? IPProtocol.icmpv6 : .icmp
    let quoted: UInt32 = 8 + (isV6 ? 40 : 20)
    func field(_ offset: UInt32, _ values: ClosedRange<Int>, octets: Int = 4) -> ProbeMark.Field {
      func bytes(_ value: Int) -> [UInt8] {
        (0..<octets).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
      }
      return ProbeMark.Field(
        offset: offset, least: bytes(values.lowerBound), most: bytes(values.upperBound))
    }
    switch proto {
    case "tcp":
      let numbers = (firstNumber + stride)...(firstNumber + (count + 1) * stride - 1)
      return [
        ProbeMark(proto: .tcp, fields: [field(4, numbers)]),
        ProbeMark(proto: .tcp, fields: [field(8, numbers)]),
        ProbeMark(proto: icmp, fields: [field(quoted + 4, numbers)]),
      ]
    case "udp":
      var mark: [UInt8] = []
      mark.append(bigEndian: nonce)
      let port = Int(destinationPort ?? 0)
      var marks = [
        ProbeMark(proto: .udp, fields: [.init(offset: 8, least: mark, most: mark)]),
        ProbeMark(proto: icmp, fields: [.init(offset: quoted + 8, least: mark, most: mark)]),
        ProbeMark(
          proto: .udp,
          fields: [
            .init(isNetwork: true, offset: isV6 ? 8 : 12, least: to.bytes, most: to.bytes),
            field(0, port...port, octets: 2),
          ]),
      ]
      // NAT keeps the port where it can; then an answer is known by it also where the destination
      // was translated. Too many ports would be other people's, too.
      let (first, last) = (Int(self.port(1)), Int(self.port(count)))
      if count <= 256, first <= last {
        marks.append(ProbeMark(proto: .udp, fields: [field(2, first...last, octets: 2)]))
      }
      return marks
    default: return []
    }
  }
}
