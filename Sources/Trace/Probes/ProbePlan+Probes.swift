package import Wire

/// What the probes of a plan look like, and how they and what answers them are recognised: as their
/// protocol has it.
extension ProbePlan {
  private var kind: any ProbeKind { proto.kind }

  /// The probe of this sequence number, counted from 1.
  package func packet(sequence: Int) -> Packet {
    if let like, let packet = try? Packet(like) { return packet }
    let segment = kind.segment(self, sequence)
    var packet = Packet(
      source: source, destination: destination, proto: kind.number(version), ttl: ttl, tos: tos,
      identification: version == 6 ? nil : identifier &+ UInt16(truncatingIfNeeded: sequence),
      dontFragment: setsDontFragment, transport: segment.transport, payload: segment.payload)
    packet.options = options(sequence)
    if let context, carriers.contains(.flowLabel) { packet.flowLabel = context.flowLabel }
    return packet
  }

  /// Whether the header forbids fragments: what was cut already may be cut again.
  private var setsDontFragment: Bool { dontFragment || discoversMTU == true && fragmentSize == nil }

  /// The packet that ends what the probe of this number may have begun, after this answer or none; nil
  /// where nothing is to be ended.
  package func end(sequence: Int, answer: Packet?) -> Packet? {
    kind.end(self, sequence, answer: answer)
  }

  /// The sequence number of the probe that `packet` is, answers with its payload, or quotes; nil
  /// for other people's packets. Where probes share a port and the answer tells no more, it is taken
  /// to answer the `latest`.
  package func sequence(of packet: Packet, latest: Int? = nil) -> Int? {
    sequence(ofFragment: packet) ?? kind.sequence(self, of: packet, latest: latest)
  }

  /// The marks of the probes, of their answers and of errors about them.
  package var marks: [ProbeMark] { kind.marks(self) + fragmentMarks }

  /// Which way a packet goes that belongs to a probe; nil where its header does not say.
  func direction(of packet: Packet) -> Journey.Direction? { kind.direction(self, of: packet) }

  /// Whether whoever sent the probe that `packet` belongs to would take it for what came of it: an answer from the
  /// address and port that were asked, to its own, or an error that refuses the probe.
  ///
  /// What is sent `toMany`, each answers with its own address.
  func isAnswer(_ packet: Packet, toMany: Bool = false) -> Bool {
    guard packet.destination == source else { return false }
    if packet.quoted != nil { return !packet.isRedirect }
    return (packet.source == destination || toMany) && kind.isBackFromService(self, packet)
  }
}

/// What protocols make their probes of.
extension ProbePlan {
  /// The number of ports that probes are sent from, and the first: Linux's own ephemeral ones.
  private static let ports = 28232
  private static let firstPort = 32768

  /// The port a probe is sent from.
  func port(_ sequence: Int) -> UInt16 {
    if let witnessPort, sequence > count { return witnessPort }
    return sourcePort
      ?? UInt16(
        Self.firstPort + (Int(identifier) + max(connection(of: sequence), 1) - 1) % Self.ports)
  }

  /// Chooses a `witnessPort` for probes that are sent from a port that was asked for.
  package mutating func takeWitness() {
    let port = UInt16(Self.firstPort + Int(identifier) % Self.ports)
    witnessPort = port == sourcePort ? port + 1 : port
  }

  /// The probe that was sent from this port; nil if none was. Where probes share one, the `latest`.
  func sequence(ofPort port: UInt16, latest: Int?) -> Int? {
    if port == witnessPort { return witness }
    let latest = latest ?? count
    if let sourcePort { return port == sourcePort && latest > 0 ? latest : nil }
    guard Int(port) >= Self.firstPort, Int(port) < Self.firstPort + Self.ports else { return nil }
    let first =
      (Int(port) - Self.firstPort + Self.ports - Int(identifier) % Self.ports) % Self.ports + 1
    guard first <= latest else { return nil }
    // The same port comes again after so many probes.
    return first + (latest - first) / Self.ports * Self.ports
  }

  /// The octets by which payloads are known: the nonce, or where they have a `traceparent`, the first digits of it.
  var mark: [UInt8] {
    if context != nil, isTraceParent { return Array(TraceContext.text(nonce).utf8) }
    var mark: [UInt8] = []
    mark.append(bigEndian: nonce)
    return mark
  }

  /// Where these stand in a payload: behind "00-".
  var markOffset: Int { isTraceParent ? TraceContext.versionLength : 0 }

  /// Eight octets of them that stand at a multiple of four octets of the packet, as a number in network order.
  package var alignedMark: UInt64 {
    let offset = isTraceParent ? kind.contextOffset + TraceContext.versionLength : 0
    let start = (4 - offset % 4) % 4
    return mark[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Whether payloads have the context as `traceparent` writes it, each with its number at the end of the span's id.
  var isTraceParent: Bool {
    context != nil && like == nil && kind.carriesContext && size >= kind.contextSize
  }

  /// Makes them a part of this trace. What carries its context has the first half of its id for a nonce, and is as long as
  /// it takes, if nobody has chosen how long it is.
  package mutating func setContext(_ context: TraceContext, isSizeChosen: Bool) {
    self.context = context
    if !isSizeChosen, kind.carriesContext { size = usualSize }
    // Other octets than these cannot stand in a question.
    if isTraceParent || !kind.carriesContext {
      nonce = UInt64(truncatingIfNeeded: context.traceID >> 64)
      // Where numbers are all that tells, they are those of the span as well.
      if !isTraceParent { nonce ^= context.spanID >> 32 }
    }
  }

  /// Octets of payload where nobody asks for others.
  package var usualSize: Int { context == nil ? kind.size.usual : kind.contextSize }

  /// The nonce, the sequence number in four octets, then the alphabet; or the `traceparent`, and the alphabet: `count`
  /// octets of that.
  func payload(_ sequence: Int, count: Int) -> [UInt8] {
    var payload = mark
    if let context, isTraceParent {
      payload = Array(context.probe(UInt32(truncatingIfNeeded: sequence)).traceParent.utf8)
    } else {
      payload.append(bigEndian: UInt32(truncatingIfNeeded: sequence))
    }
    while payload.count < count { payload.append(UInt8(97 + payload.count % 26)) }
    return Array(payload.prefix(count))
  }

  /// Octets that a payload needs to say whose it is: the nonce and the sequence number.
  static let leastPayload = 12

  /// The number of the probe in a payload that begins as theirs do, `behind` so many octets.
  func markedSequence(of packet: Packet, behind count: Int = 0) -> Int? {
    let payload = packet.payload.dropFirst(count)
    if let context, isTraceParent { return context.sequence(in: payload) }
    guard payload.count >= Self.leastPayload, payload.starts(with: mark) else { return nil }
    return payload.dropFirst(8).prefix(4).reduce(0) { $0 << 8 | Int($1) }
  }

  /// The first octets behind the IP header that an ICMP error quotes of a packet of this protocol, if
  /// `count` of them are there. All that an error must quote are eight.
  func quotedTransport(_ error: Packet, count: Int = 8) -> [UInt8]? {
    guard let first = error.payload.first, let quoted = error.quoted,
      quoted.proto == proto.kind.number(quoted.source.family), quoted.fragment?.offset ?? 0 == 0
    else { return nil }
    let start = first >> 4 == 4 ? Int(first & 15) * 4 : 40 + quoted.options.count
    guard error.payload.count >= start + count else { return nil }
    return Array(error.payload[start..<start + count])
  }

  /// The ports that an ICMP error quotes.
  func quotedPorts(_ error: Packet) -> (source: UInt16, destination: UInt16)? {
    quotedTransport(error).map {
      (UInt16($0[0]) << 8 | UInt16($0[1]), UInt16($0[2]) << 8 | UInt16($0[3]))
    }
  }

  // MARK: Numbers that tell probes apart

  /// The first of the numbers that protocols with a number of 32 bits give their probes.
  var firstNumber: Int { Int(nonce & 0x7fff_ffff) }

  /// The probe to which a number belongs, where those of two probes are `stride` apart and this one's
  /// distance from its probe's own is one of `rests`.
  func sequence(ofNumber number: UInt32, stride: Int, _ rests: Set<Int>) -> Int? {
    let distance = Int(number) - firstNumber
    guard distance >= stride, distance / stride <= lastSequence, rests.contains(distance % stride)
    else { return nil }
    return distance / stride
  }

  // MARK: Marks

  /// Octets of the transport header behind which an ICMP error has that of the packet it quotes: its own
  /// header and the quoted IP header.
  var quotedOffset: UInt32 { 8 + (version == 6 ? 40 : 20) + UInt32(optionLength) }

  /// ICMP of the plan's version.
  var icmp: IPProtocol { version == 6 ? .icmpv6 : .icmp }
}

extension ProbeMark {
  /// A mark of one field, which has these octets.
  init(_ proto: IPProtocol, at offset: UInt32, _ octets: [UInt8]) {
    self.init(proto: proto, fields: [Field(offset: offset, least: octets, most: octets)])
  }

  /// A mark of one field, a number of this many octets in this range.
  init(_ proto: IPProtocol, at offset: UInt32, _ values: ClosedRange<Int>, octets: Int = 4) {
    self.init(proto: proto, fields: [Field(offset: offset, values, octets: octets)])
  }
}

extension ProbeMark.Field {
  /// A number of this many octets in this range.
  init(isNetwork: Bool = false, offset: UInt32, _ values: ClosedRange<Int>, octets: Int) {
    func bytes(_ value: Int) -> [UInt8] {
      (0..<octets).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
    self.init(
      isNetwork: isNetwork, offset: offset, least: bytes(values.lowerBound),
      most: bytes(values.upperBound))
  }
}
