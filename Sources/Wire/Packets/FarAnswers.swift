/// What somebody far away would answer: who has an address, that it is there, that a connection or an association stands, and
/// everything else with the same. Of a frame of Ethernet the frames that come back.
///
/// What it said itself comes back to it where the asker stands, and is not answered again.
package struct FarAnswers: Sendable {
  /// What was said lately, by its fingerprint.
  private var said: [UInt64] = []
  /// So many are remembered.
  private static let mostSaid = 256

  private let stations: KnownStations
  private var fragments = FragmentAssembly()
  /// Answers that wait until it is known who has their address.
  private var waiting: [Waiting] = []
  /// So many wait.
  private static let mostWaiting = 16

  private struct Waiting {
    var question: NeighbourQuestion
    var interface: UInt32
    var vlan: UInt16?
    var packets: [[UInt8]]
  }

  private static let arp: [UInt8] = [0x08, 0x06]
  /// IEEE 802.1Q.
  private static let vlan: [UInt8] = [0x81, 0x00]

  /// Nothing was said yet. Who is known to be behind a port of a bridge answers there alone.
  package init(_ stations: KnownStations = KnownStations()) { self.stations = stations }

  /// The answers to a frame that came out of this interface.
  package mutating func frames(to frame: [UInt8], interface: UInt32) -> [[UInt8]] {
    guard frame.count >= 18, Array(frame[12..<14]) == Self.vlan else {
      return frames(to: frame, interface, vlan: nil)
    }
    let vlan = (UInt16(frame[14]) << 8 | UInt16(frame[15])) & 0x0fff
    let untagged = frames(to: Array(frame[..<12]) + frame[16...], interface, vlan: vlan)
    return untagged.map { Array($0[..<12]) + frame[12..<16] + $0[12...] }
  }

  private mutating func frames(
    to frame: [UInt8], _ interface: UInt32, vlan: UInt16?
  ) -> [[UInt8]] {
    guard frame.count >= 14 else { return [] }
    if let found = found(in: frame, interface, vlan) { return found }
    let type = Array(frame[12..<14])
    let rest = Array(frame[14...])
    if type == Self.arp { return arpAnswer(rest, interface).map { [$0] } ?? [] }
    guard var packet = try? Packet(rest) else { return [] }
    var longest: Int?
    if packet.fragment != nil {
      // What is longer than it says is padded.
      let octets = Array(rest.prefix(packet.length))
      guard let whole = fragments.take(octets, packet), let joined = try? Packet(whole.octets)
      else { return [] }
      (packet, longest) = (joined, whole.longest)
    }
    let (to, from) = (Array(frame[..<6]), Array(frame[6..<12]))
    if let solicited = Self.solicited(packet, rest) {
      let isSearch = packet.source.isUnspecified
      guard let own = hardware(toSay: solicited, interface, isSearch: isSearch) else { return [] }
      return [Self.advertisement(of: solicited, own, to: packet.source, from)]
    }
    // What is for many is answered by none, and what is for somebody else by who that is. What a link without neighbours
    // carries is for nobody: it has the address of who sent it.
    guard to[0] & 1 == 0, !stations.isElsewhere(to, than: interface), !packet.source.isUnspecified,
      !stations.isOwn(to), !stations.isSilent(packet.destination, interface),
      !said.contains(Self.fingerprint(packet)),
      !stations.isUnreturned(packet.source), let wanted = Self.answer(to: packet)
    else { return [] }
    let answer = stations.refusal?.refusing(packet, rest) ?? wanted
    said = (said + [Self.fingerprint(answer)]).suffix(Self.mostSaid)
    // As long as those of the question, for these came through.
    let packets =
      longest.map {
        PacketFragments.of(answer.bytes, atMost: $0, identification: Self.firstSequence)
      } ?? [answer.bytes]
    // Who takes the packet off this link is a neighbour of its source, and asks for that.
    if let asker = asker(for: packet, from, to, interface, vlan) {
      let question = NeighbourQuestion(for: packet.source, from: HardwareAddress(to), at: asker)
      waiting = waiting.suffix(Self.mostWaiting - 1)
      waiting.append(
        Waiting(question: question, interface: interface, vlan: vlan, packets: packets))
      return [question.frame]
    }
    return packets.map { from + to + type + $0 }
  }

  /// Who asks for the source of a packet before it is answered: of what a router sent, the neighbour who took it, of a source that
  /// is on that link and not the router's own. Nil where nobody does, and where the neighbour's address is not known.
  private func asker(
    for packet: Packet, _ from: [UInt8], _ to: [UInt8], _ interface: UInt32, _ vlan: UInt16?
  ) -> IPAddress? {
    guard stations.isOwn(from), stations.isOnLink(packet.source, interface, vlan: vlan) else {
      return nil
    }
    if stations.isOnLink(packet.destination, interface, vlan: vlan) { return packet.destination }
    if let known = stations.address(of: to, packet.source.family) { return known }
    // As this gives them out.
    guard packet.source.family == 4, let address = IPAddress(bytes: Array(to.suffix(4))),
      Self.hardware(of: address, interface) == to
    else { return nil }
    return address
  }

  /// What waited for who says here that he has an address; nil where the frame says it to nobody who asked.
  private mutating func found(
    in frame: [UInt8], _ interface: UInt32, _ vlan: UInt16?
  ) -> [[UInt8]]? {
    var frames: [[UInt8]]?
    // One who was asked in vain before may say it now, to all who asked.
    waiting.removeAll { answer in
      guard answer.interface == interface, answer.vlan == vlan,
        let who = answer.question.answer(in: frame)
      else { return false }
      let head = who.bytes + answer.question.asker.bytes
      frames =
        (frames ?? [])
        + answer.packets.map { head + ($0[0] >> 4 == 4 ? [0x08, 0x00] : [0x86, 0xdd]) + $0 }
      return true
    }
    return frames
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
    if case .icmp = packet.transport {
    } else {
      let numbers = packet.transport.numbers
      var octets: [UInt8] = []
      octets.append(bigEndian: numbers.0)
      octets.append(bigEndian: numbers.1)
      sum.add(octets)
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
    answer.fragment = nil
    switch packet.transport {
    case .icmp(let header):
      guard header.isEchoRequest(packet.proto) else { return nil }
      answer.transport = .icmp(
        ICMPHeader(type: packet.proto == .icmp ? 0 : 129, rest: header.rest))
    case .udp: answer.transport = packet.transport.turned
    case .sctp(let header):
      guard header.chunk == .initiation, let tag = header.initiateTag else { return nil }
      answer.transport = .sctp(
        SCTPHeader(
          sourcePort: header.destinationPort, destinationPort: header.sourcePort,
          verificationTag: tag, chunk: .initiationAnswer, initiateTag: firstSequence))
      answer.payload = []
    // What is in it nobody knows; that it comes back shows that it can.
    case .other: break
    case .tcp(let header):
      guard let (reply, carries) = segment(to: header, octets: packet.payload.count) else {
        return nil
      }
      answer.transport = .tcp(reply)
      if !carries { answer.payload = [] }
    case .absent: return nil
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
