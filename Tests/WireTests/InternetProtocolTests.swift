import Recordings
import Testing
import Wire

@Suite struct InternetProtocolTests {
  /// The packet of a recorded log message; at egress of Ethernet it stands behind 14 octets.
  static func octets(_ name: String) throws -> [UInt8] {
    let message = try LogMessage(Recordings.log[name].payload)
    return Array(message.payload.dropFirst(message.hook == .egress ? 14 : 0))
  }

  static func packet(_ name: String) throws -> Packet { try Packet(octets(name)) }

  /// Recordings of whole packets without TCP options or fragments, which `bytes` does not write.
  static let whole = [
    "IPv4 echo, raw-PREROUTING", "IPv4 echo, nat-POSTROUTING", "IPv4 echo, egress s0",
    "IPv4 echo, nat-PREROUTING", "UDP over IPv4, raw-PREROUTING", "IPv4 DNAT, nat-PREROUTING 2",
    "IPv4 closed port, raw-PREROUTING 2", "IPv4 closed port, nat-POSTROUTING",
    "reject, filter-OUTPUT", "TCP reset, raw-PREROUTING 2", "IPv4 TTL, filter-OUTPUT",
    "loopback, nat-POSTROUTING", "bridge, bridge 2",
  ]

  @Test(arguments: whole)
  func aRecordedPacketIsWrittenAsItWasRead(name: String) throws {
    let octets = try Self.octets(name)
    let packet = try Packet(octets)
    #expect(packet.length == octets.count)
    #expect(InternetChecksum.of(octets.prefix(20)) == 0)
    // The kernel fills in the checksum of UDP and TCP later, if the device is to do it.
    switch packet.transport {
    case .icmp: #expect(packet.bytes == octets)
    case .udp:
      #expect(packet.bytes.prefix(26) == octets.prefix(26))
      #expect(packet.bytes.dropFirst(28) == octets.dropFirst(28))
    default:
      #expect(packet.bytes.prefix(36) == octets.prefix(36))
      #expect(packet.bytes.count == octets.count)
    }
  }

  @Test(arguments: [
    "IPv6 echo, raw-PREROUTING", "IPv6 echo, raw-PREROUTING 2", "IPv6 echo, egress s0",
    "IPv6 closed port, raw-PREROUTING 2", "IPv6 local, filter-OUTPUT",
  ])
  func aRecordedIPv6PacketIsWrittenAsItWasRead(name: String) throws {
    let octets = try Self.octets(name)
    #expect(try Packet(octets).bytes == octets)
  }

  @Test func echoRequestAndReply() throws {
    let request = try Self.packet("IPv4 echo, raw-PREROUTING")
    #expect(request.source == IPAddress("192.168.69.100"))
    #expect(request.destination == IPAddress("198.51.100.10"))
    #expect(request.proto == .icmp && request.proto.isICMP)
    #expect((request.ttl, request.tos, request.length) == (64, 0, 84))
    #expect(request.identification == 21118 && request.dontFragment && request.fragment == nil)
    #expect(request.icmp?.isEchoRequest(.icmp) == true)
    #expect(request.icmp?.identifier == 20295 && request.icmp?.sequence == 1)
    #expect(request.payload.count == 56)
    #expect(request.quoted == nil && request.sourcePort == nil && request.tcp == nil)
    let reply = try Self.packet("IPv4 echo, nat-PREROUTING")
    #expect(reply.icmp?.isEchoReply(.icmp) == true)
    #expect(reply.icmp?.rest == request.icmp?.rest)
    let v6 = try Self.packet("IPv6 echo, raw-PREROUTING")
    #expect(v6.icmp?.isEchoRequest(.icmpv6) == true && v6.icmp?.isEchoReply(.icmpv6) == false)
    #expect(v6.identification == nil && v6.length == 104)
    #expect(try Self.packet("IPv6 echo, raw-PREROUTING 2").icmp?.isEchoReply(.icmpv6) == true)
  }

  @Test func sourceNATShowsInThePacket() throws {
    #expect(try Self.packet("IPv4 echo, filter-FORWARD").source == IPAddress("192.168.69.100"))
    #expect(try Self.packet("IPv4 echo, egress s0").source == IPAddress("172.20.0.2"))
    #expect(try Self.packet("IPv4 echo, filter-FORWARD").ttl == 63)
    #expect(try Self.packet("IPv6 echo, egress s0").source == IPAddress("fd00:20::2"))
  }

  @Test func fragments() throws {
    let first = try Self.packet("IPv4 fragments, raw-PREROUTING")
    #expect(first.fragment == Packet.Fragment(identification: 21132, offset: 0, more: true))
    #expect(first.icmp?.isEchoRequest(.icmp) == true)
    #expect(first.length == 1500 && first.payload.count == 100)
    let last = try Self.packet("IPv4 fragments, raw-PREROUTING 2")
    #expect(last.fragment == Packet.Fragment(identification: 21132, offset: 1480, more: false))
    #expect(last.transport == .absent && last.payload.count == 108)
    let joined = try Self.packet("IPv4 fragments, conntrack-PREROUTING")
    #expect(joined.fragment == nil && joined.length == 2028)
  }

  @Test func fragmentsInIPv6() throws {
    let first = try Self.packet("IPv6 fragments, raw-PREROUTING")
    #expect(first.fragment?.offset == 0 && first.fragment?.more == true)
    #expect(first.proto == .icmpv6 && first.icmp?.isEchoRequest(.icmpv6) == true)
    let last = try Self.packet("IPv6 fragments, raw-PREROUTING 2")
    #expect(last.fragment?.identification == first.fragment?.identification)
    #expect(last.fragment?.offset == 1448 && last.fragment?.more == false)
    #expect(last.proto == .icmpv6 && last.transport == .absent)
    #expect(try Self.packet("IPv6 fragments, conntrack-PREROUTING").fragment == nil)
  }

  @Test(
    arguments: [
      ("IPv4 closed port, nat-POSTROUTING", 3, 3, "192.168.69.100", "198.51.100.10", 30002),
      ("IPv4 closed port, raw-PREROUTING 2", 3, 3, "172.20.0.2", "198.51.100.10", 30002),
      ("IPv6 closed port, raw-PREROUTING 2", 1, 4, "fd00:20::2", "2001:db8::10", 30002),
      ("reject, filter-OUTPUT", 3, 3, "192.168.69.100", "198.51.100.10", 30008),
      ("IPv4 TTL, filter-OUTPUT", 11, 0, "192.168.69.100", "198.51.100.10", nil),
      ("IPv6 hop limit, filter-OUTPUT", 3, 0, "fd00:69::100", "2001:db8::10", nil),
    ] as [(String, UInt8, UInt8, String, String, UInt16?)])
  func errorsQuoteThePacket(
    name: String, type: UInt8, code: UInt8, source: String, destination: String, port: UInt16?
  ) throws {
    let packet = try Self.packet(name)
    let icmp = try #require(packet.icmp)
    #expect((icmp.type, icmp.code) == (type, code))
    #expect(icmp.isError(packet.proto))
    let quoted = try #require(packet.quoted)
    #expect(quoted.source == IPAddress(source))
    #expect(quoted.destination == IPAddress(destination))
    #expect(quoted.sourcePort == port)
  }

  @Test func tcp() throws {
    let syn = try Self.packet("TCP over IPv4, raw-PREROUTING")
    #expect(syn.tcp?.flags == .syn && syn.tcp?.acknowledgment == 0)
    #expect((syn.sourcePort, syn.destinationPort) == (30012, 8080))
    #expect(syn.payload == [] && syn.length == 60)
    let answer = try Self.packet("TCP over IPv4, raw-PREROUTING 2")
    #expect(answer.tcp?.flags == [.syn, .ack])
    #expect(answer.tcp?.acknowledgment == (syn.tcp?.sequence ?? 0) + 1)
    let reset = try Self.packet("TCP reset, raw-PREROUTING 2").tcp?.flags
    #expect(reset == [.rst, .ack])
    let v6 = try Self.packet("TCP over IPv6, raw-PREROUTING 2")
    #expect(v6.tcp?.flags.description == "SYN-ACK" && v6.sourcePort == 8080)
    #expect(TCPHeader.Flags(rawValue: 0).description == "none")
    #expect(TCPHeader.Flags(rawValue: 0xff).description == "SYN-FIN-RST-PSH-ACK")
  }

  @Test func otherPacketsThanIPAreRefused() throws {
    #expect(throws: WireError("IP version 0", at: 0)) { try Self.packet("bridge, bridge") }
    #expect(throws: WireError("needs 1 octets, 0 left", at: 0)) { try Packet([]) }
    #expect(throws: WireError("IPv4 header length 16", at: 0)) {
      try Packet([0x44] + Array(repeating: 0, count: 19))
    }
  }

  @Test(arguments: Recordings.log)
  func everyTruncationIsReadOrRefused(recording: Recording) throws {
    let message = try LogMessage(recording.payload)
    let octets = Array(message.payload.dropFirst(message.hook == .egress ? 14 : 0))
    guard let whole = try? Packet(octets) else { return }
    let fixed = whole.source.family == 4 ? 20 : 40
    // What stands in TCP's options may be cut off.
    var withoutOptions = whole.transport
    if case .tcp(var header) = whole.transport {
      header.announcedSegment = nil
      withoutOptions = .tcp(header)
    }
    for part in prefixes(octets) {
      if part.count < fixed {
        #expect(throws: WireError.self) { try Packet(part) }
      } else {
        let packet = try Packet(part)
        #expect(packet.source == whole.source && packet.length == whole.length)
        #expect([whole.transport, withoutOptions, .absent].contains(packet.transport))
        _ = packet.bytes
      }
    }
  }

  @Test func mutatedPacketsAreReadOrRefused() throws {
    var numbers = SteadyNumbers(state: 5)
    for recording in Recordings.log {
      let message = try LogMessage(recording.payload)
      let octets = Array(message.payload.dropFirst(message.hook == .egress ? 14 : 0))
      for _ in 0..<300 {
        guard let packet = try? Packet(octets.mutated(by: &numbers)) else { continue }
        _ = packet.quoted
        // What bytes can say is read as it was meant.
        let again = try Packet(packet.bytes)
        #expect(again.source == packet.source && again.destination == packet.destination)
        #expect(again.ttl == packet.ttl && again.tos == packet.tos)
      }
    }
  }

  // MARK: Hand-made headers

  /// An IPv6 packet of these octets behind its fixed header.
  static func v6(next: UInt8, _ rest: [UInt8], length: Int? = nil) -> [UInt8] {
    var bytes: [UInt8] = [0x6a, 0xb0, 0, 0]
    bytes.append(bigEndian: UInt16(length ?? rest.count))
    bytes += [next, 64]
    bytes += Array(repeating: 0, count: 15) + [1] + Array(repeating: 0, count: 15) + [2]
    return bytes + rest
  }

  static let udp: [UInt8] = [0, 53, 1, 0, 0, 8, 0, 0]

  @Test func extensionHeadersAreSteppedOver() throws {
    let options: [UInt8] = [43, 0, 1, 4, 0, 0, 0, 0]
    let routing: [UInt8] = [60, 1] + Array(repeating: 0, count: 14)
    let destination: [UInt8] = [17, 0, 1, 4, 0, 0, 0, 0]
    let packet = try Packet(Self.v6(next: 0, options + routing + destination + Self.udp))
    #expect(packet.proto == .udp && packet.sourcePort == 53)
    #expect(packet.tos == 0xab)
    #expect(packet.payload == [])
    // Cut off within the second: what the packet is, is not known.
    let cut = try Packet(Self.v6(next: 0, options + routing.prefix(5), length: 40))
    #expect(cut.transport == .absent && cut.proto.rawValue == 43)
  }

  @Test func anExtensionHeaderLongerThanThePacketEndsIt() throws {
    let packet = try Packet(Self.v6(next: 0, [17, 255, 0, 0, 0, 0, 0, 0] + Self.udp))
    #expect(packet.transport == .absent)
  }

  @Test func paddingBehindThePacketIsNoPayload() throws {
    let packet = Packet(
      source: .v4(1), destination: .v4(2), proto: .udp,
      transport: .udp(UDPHeader(sourcePort: 1, destinationPort: 2)), payload: [7])
    #expect(try Packet(packet.bytes + [0, 0, 0]).payload == [7])
    #expect(try Packet(Self.v6(next: 17, Self.udp + [9, 9], length: 8)).payload == [])
  }

  @Test func lengthZeroIsThatOfSegmentationOffload() throws {
    var bytes = Packet(
      source: .v4(1), destination: .v4(2), proto: .udp,
      transport: .udp(UDPHeader(sourcePort: 1, destinationPort: 2)), payload: [7]
    ).bytes
    bytes[2] = 0
    bytes[3] = 0
    let packet = try Packet(bytes)
    #expect(packet.length == 0 && packet.sourcePort == 1 && packet.payload == [7])
    // Shorter than its own header: nothing follows.
    bytes[3] = 10
    #expect(try Packet(bytes).transport == .absent)
  }

  @Test func optionsAreSteppedOver() throws {
    let packet = Packet(
      source: .v4(1), destination: .v4(2), proto: .udp,
      transport: .udp(UDPHeader(sourcePort: 1, destinationPort: 2)), payload: [7])
    var bytes = packet.bytes
    bytes[0] = 0x46
    bytes[3] += 4
    bytes.insert(contentsOf: [1, 1, 1, 0], at: 20)
    #expect(try Packet(bytes).destinationPort == 2)
    #expect(try Packet(bytes).payload == [7])
    // Cut off within the options.
    #expect(try Packet(Array(bytes.prefix(22))).transport == .absent)
  }

  @Test func protocolsHaveNames() {
    let known: [UInt8] = [1, 2, 4, 6, 17, 41, 47, 50, 51, 58, 89, 112, 132, 136, 253]
    #expect(
      known.map { IPProtocol(rawValue: $0).description }.joined(separator: " ")
        == "icmp igmp ipip tcp udp ipv6 gre esp ah icmpv6 ospf vrrp sctp udplite 253")
    let gre = Packet(
      source: .v4(1), destination: .v4(2), proto: IPProtocol(rawValue: 47), transport: .other,
      payload: [0, 0, 8, 0])
    #expect((try? Packet(gre.bytes))?.transport == .other)
    #expect((try? Packet(gre.bytes))?.payload == [0, 0, 8, 0])
  }

  @Test(
    arguments: [
      ("PIM", 103), ("ipencap", 4), ("ipip", 4), ("eigrp", 88), ("l2tp", 115), ("ipv6-icmp", 58),
      ("ospfigp", 89), ("ospf", 89), ("47", 47), ("255", 255),
    ] as [(String, UInt8)]) func protocolNames(_ name: String, _ number: UInt8)
  {
    #expect(IPProtocol(name)?.rawValue == number)
    let known = IPProtocol(rawValue: number)
    #expect(IPProtocol("\(known)") == known)
  }

  @Test func noProtocol() { #expect(IPProtocol("256") == nil && IPProtocol("pigeon") == nil) }
}
