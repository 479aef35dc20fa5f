/// What somebody far away would answer: who has an address, that it is there, that a connection stands, and
/// a datagram with the same. Of a frame of Ethernet the frames that come back.
///
/// What it said itself comes back to it where the asker stands, and is not answered again.
package struct FarAnswers: Sendable {
  /// What was said lately, by its fingerprint.
  private var said: [UInt64] = []
  /// So many are remembered.
  private static let mostSaid = 256

  private let stations: KnownStations

  private static let arp: [UInt8] = [0x08, 0x06]
  /// IEEE 802.1Q.
  private static let vlan: [UInt8] = [0x81, 0x00]

  /// Nothing was said yet. Who is known to be behind a port of a bridge answers there alone.
  package init(_ stations: KnownStations = KnownStations()) { self.stations = stations }

  /// Whether there is an answer to packets of this protocol.
  package static func knows(_ proto: IPProtocol) -> Bool {
    [.icmp, .icmpv6, .tcp, .udp].contains(proto)
  }

  /// The answers to a frame that came out of this interface.
  package mutating func frames(to frame: [UInt8], interface: UInt32) -> [[UInt8]] {
    guard frame.count >= 14 else { return [] }
    let type = Array(frame[12..<14])
    if type == Self.vlan, frame.count >= 18 {
      let untagged = frames(to: Array(frame[..<12]) + frame[16...], interface: interface)
      return untagged.map { Array($0[..<12]) + frame[12..<16] + $0[12...] }
    }
    let rest = Array(frame[14...])
    if type == Self.arp { return arpAnswer(rest, interface).map { [$0] } ?? [] }
    guard let packet = try? Packet(rest), packet.fragment == nil else { return [] }
    let (to, from) = (Array(frame[..<6]), Array(frame[6..<12]))
    if let solicited = Self.solicited(packet, rest) {
      let isSearch = packet.source.isUnspecified
      guard let own = hardware(toSay: solicited, interface, isSearch: isSearch) else { return [] }
      return [Self.advertisement(of: solicited, own, to: packet.source, from)]
    }
    // What is for many is answered by none, and what is for somebody else by who that is.
    guard to[0] & 1 == 0, !stations.isElsewhere(to, than: interface), !packet.source.isUnspecified,
      !said.contains(Self.fingerprint(packet)),
      let answer = Self.answer(to: packet)
    else { return [] }
    said = (said + [Self.fingerprint(answer)]).suffix(Self.mostSaid)
    return [from + to + type + answer.bytes]
  }

  /// The link-layer address of who has an address, behind this interface: one that nobody else gives out.
  package static func hardware(of address: IPAddress, _ interface: UInt32) -> [UInt8] {
    [0x02, UInt8(truncatingIfNeeded: interface)] + address.bytes.suffix(4)
  }

  /// What who has an address is to say behind this interface; nil where it is behind another one. Who was not there in the
  /// original is not found by a search either, which decides where frames go.
  private func hardware(
    toSay address: IPAddress, _ interface: UInt32, isSearch: Bool
  ) -> [UInt8]? {
    if isSearch, stations.isAbsent(address, near: interface) { return nil }
    guard let known = stations.hardware(of: address, near: interface) else {
      return Self.hardware(of: address, interface)
    }
    return stations.isElsewhere(known, than: interface) ? nil : known
  }

  /// By what no NAT on the way changes.
  private static func fingerprint(_ packet: Packet) -> UInt64 {
    var sum = Fingerprint()
    sum.add([packet.proto.rawValue])
    if case .tcp(let header) = packet.transport {
      var numbers: [UInt8] = []
      numbers.append(bigEndian: header.sequence)
      numbers.append(bigEndian: header.acknowledgment)
      sum.add(numbers)
    }
    sum.add(packet.payload)
    return sum.value
  }

  // MARK: Neighbours

  /// RFC 826. Who says that an address is its own gets no answer. One who does not say an address looks for somebody: a
  /// copy's kernel does not ask whether an address is free.
  private func arpAnswer(_ request: [UInt8], _ interface: UInt32) -> [UInt8]? {
    guard request.count >= 28, Array(request[..<8]) == [0, 1, 8, 0, 6, 4, 0, 1] else { return nil }
    let (asker, askerAddress) = (Array(request[8..<14]), Array(request[14..<18]))
    let target = Array(request[24..<28])
    guard askerAddress != target, let address = IPAddress(bytes: target),
      let own = hardware(toSay: address, interface, isSearch: askerAddress == [0, 0, 0, 0])
    else { return nil }
    return asker + own + Self.arp + [0, 1, 8, 0, 6, 4, 0, 2] + own + target + asker + askerAddress
  }

  /// The address that a neighbour solicitation (RFC 4861 section 4.3) asks for.
  private static func solicited(_ packet: Packet, _ octets: [UInt8]) -> IPAddress? {
    guard packet.proto == .icmpv6, octets.count >= 64, octets[40] == 135 else { return nil }
    return IPAddress(bytes: Array(octets[48..<64]))
  }

  /// RFC 4861 section 4.4: solicited, and in the place of what was known. To one without an address it goes to all nodes, in
  /// a frame for that one alone.
  private static func advertisement(
    of address: IPAddress, _ own: [UInt8], to asker: IPAddress, _ askerHardware: [UInt8]
  ) -> [UInt8] {
    let isToAll = asker.isUnspecified
    let asker = isToAll ? IPAddress("ff02::1")! : asker
    var message: [UInt8] =
      [136, 0, 0, 0, isToAll ? 0x20 : 0x60, 0, 0, 0] + address.bytes + [2, 1] + own
    let length = UInt8(message.count)
    let sum = InternetChecksum.of(
      address.bytes + asker.bytes + [0, 0, 0, length, 0, 0, 0, 58] + message)
    message[2] = UInt8(sum >> 8)
    message[3] = UInt8(sum & 0xff)
    return askerHardware + own + [0x86, 0xdd, 0x60, 0, 0, 0, 0, length, 58, 255] + address.bytes
      + asker.bytes + message
  }

  // MARK: Packets

  /// The number that a connection's first segment has.
  private static let firstSequence: UInt32 = 0x4e46_5452

  private static func answer(to packet: Packet) -> Packet? {
    var answer = packet
    (answer.source, answer.destination) = (packet.destination, packet.source)
    answer.ttl = 64
    switch packet.transport {
    case .icmp(let header):
      guard header.isEchoRequest(packet.proto) else { return nil }
      answer.transport = .icmp(
        ICMPHeader(type: packet.proto == .icmp ? 0 : 129, rest: header.rest))
    case .udp: answer.transport = packet.transport.turned
    case .tcp(let header):
      guard let (reply, carries) = segment(to: header, octets: packet.payload.count) else {
        return nil
      }
      answer.transport = .tcp(reply)
      if !carries { answer.payload = [] }
    default: return nil
    }
    return answer
  }

  /// A SYN gets a SYN-ACK, data its acknowledgment and the same back.
  private static func segment(
    to header: TCPHeader, octets: Int
  ) -> (TCPHeader, carriesData: Bool)? {
    var reply = TCPHeader(
      sourcePort: header.destinationPort, destinationPort: header.sourcePort,
      sequence: firstSequence, flags: [.syn, .ack])
    if header.flags.contains(.rst) { return nil }
    if header.flags.contains(.syn), !header.flags.contains(.ack) {
      reply.acknowledgment = header.sequence &+ 1
      reply.maximumSegment = 1460
      return (reply, false)
    }
    guard octets > 0, header.flags.contains(.ack) else { return nil }
    reply.sequence = header.acknowledgment
    reply.acknowledgment = header.sequence &+ UInt32(truncatingIfNeeded: octets)
    reply.flags = [.ack, .psh]
    return (reply, true)
  }
}
