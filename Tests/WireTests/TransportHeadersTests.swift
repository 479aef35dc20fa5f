import Testing
import Wire

@Suite struct TransportHeadersTests {
  static let v4 = (IPAddress.v4(0xc0a8_4564), IPAddress.v4(0xc633_640a))
  static let v6 = (
    IPAddress.v6(0xfd00_0069_0000_0000_0000_0000_0000_0100),
    IPAddress.v6(0x2001_0db8_0000_0000_0000_0000_0000_0010)
  )

  /// One packet of each kind, in both versions, with payloads of even and of odd length.
  static let packets: [Packet] = [v4, v6].flatMap { pair in
    let isV6 = pair.0.family == 6
    return [[], Array("nftrace".utf8), Array(0...99)].flatMap { (payload: [UInt8]) in
      [
        (
          IPProtocol.tcp,
          Transport.tcp(
            TCPHeader(
              sourcePort: 30001, destinationPort: 443, sequence: 0xfedc_ba98,
              acknowledgment: 0x0123_4567, flags: [.psh, .ack], window: 501))
        ),
        (.udp, .udp(UDPHeader(sourcePort: 65535, destinationPort: 1))),
        (isV6 ? .icmpv6 : .icmp, .icmp(ICMPHeader(type: isV6 ? 128 : 8, rest: 0xabcd_0001))),
        (IPProtocol(rawValue: 200), .other),
      ].map { proto, transport in
        Packet(
          source: pair.0, destination: pair.1, proto: proto, ttl: 63, tos: 0xb8,
          identification: isV6 ? nil : 0x1234, dontFragment: isV6, transport: transport,
          payload: payload)
      }
    }
  }

  @Test(arguments: packets)
  func writtenAndReadAgain(packet: Packet) throws {
    let bytes = packet.bytes
    var expected = packet
    expected.length = bytes.count
    if case .icmp(var header) = packet.transport {
      header.checksum = UInt16(bytes[bytes.count - packet.payload.count - 6]) << 8
      header.checksum |= UInt16(bytes[bytes.count - packet.payload.count - 5])
      expected.transport = .icmp(header)
    }
    #expect(try Packet(bytes) == expected)
  }

  @Test(arguments: packets)
  func checksumsAddUpToZero(packet: Packet) {
    let bytes = packet.bytes
    let headerLength = packet.source.family == 4 ? 20 : 40
    if headerLength == 20 { #expect(InternetChecksum.of(bytes.prefix(20)) == 0) }
    guard packet.transport != .other else { return }
    var checksum = InternetChecksum()
    if packet.proto != .icmp {
      checksum.add(packet.source.bytes + packet.destination.bytes)
      checksum.add([0, 0, 0, UInt8(bytes.count - headerLength), 0, 0, 0, packet.proto.rawValue])
    }
    checksum.add(bytes.dropFirst(headerLength))
    #expect(checksum.value == 0)
  }

  /// An INIT in which tshark 4.0 found the CRC-32C good.
  @Test func initiationsHaveTheirChecksum() throws {
    let packet = Packet(
      source: Self.v4.0, destination: Self.v4.1, proto: .sctp,
      transport: .sctp(
        SCTPHeader(
          sourcePort: 30001, destinationPort: 36412, verificationTag: 0, chunk: .initiation,
          initiateTag: 0xfedc_ba98)))
    var read = try Packet(packet.bytes)
    read.length = 0
    read.identification = nil
    #expect(read == packet)
    #expect(Array(packet.bytes[28..<32]) == [0xe0, 0x30, 0x31, 0xc6])
  }

  /// Packets in which tshark 4.0 found every checksum good: TCP, UDP and ICMP in both versions.
  @Test(arguments: [
    (
      4,
      "45b8002f123400003f063893c0a84564c633640a753101bbfedcba9801234567501801f55d5d00006e66"
        + "7472616365"
    ),
    (
      5,
      "45b80023123400003f113894c0a84564c633640affff0001000f26486e667472616365"
    ),
    (
      6,
      "45b80023123400003f0138a4c0a84564c633640a0800a2f4abcd00016e667472616365"
    ),
    (
      16,
      "6b800000001b063ffd00006900000000000000000000010020010db80000000000000000000000107531"
        + "01bbfedcba9801234567501801f5617500006e667472616365"
    ),
    (
      17,
      "6b800000000f113ffd00006900000000000000000000010020010db8000000000000000000000010ffff"
        + "0001000f2a606e667472616365"
    ),
    (
      18,
      "6b800000000f3a3ffd00006900000000000000000000010020010db80000000000000000000000108000"
        + "fe77abcd00016e667472616365"
    ),
  ])
  func knownPackets(index: Int, hex: String) {
    let text = Self.packets[index].bytes.map { byte in
      String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }
    #expect(text.joined() == hex)
  }

  @Test func checksumOfRFC1071() {
    // Section 3 sums these to ddf2.
    let octets: [UInt8] = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]
    #expect(InternetChecksum.of(octets) == ~0xddf2)
    var pieces = InternetChecksum()
    for piece in [octets[0..<3], octets[3..<4], octets[4..<8]] { pieces.add(piece) }
    #expect(pieces.value == ~0xddf2)
    #expect(InternetChecksum.of([]) == 0xffff)
    #expect(InternetChecksum.of([0x12]) == ~0x1200)
    #expect(InternetChecksum.of(Array(repeating: 0xff, count: 200_000)) == 0)
  }

  @Test func udpSendsAComputedZeroAsAllOnes() throws {
    var packet = Packet(
      source: .v4(0), destination: .v4(0), proto: .udp,
      transport: .udp(UDPHeader(sourcePort: 0, destinationPort: 0)), payload: [0, 0])
    // 17 + 10 + 10 + payload: the payload that makes the sum all ones.
    packet.payload = [0xff, 0xda]
    #expect(packet.bytes[26..<28] == [0xff, 0xff])
    packet.payload = [0xff, 0xd9]
    #expect(packet.bytes[26..<28] == [0x00, 0x01])
  }

  @Test func fragmentsAreWrittenInIPv4() throws {
    let packet = Packet(
      source: .v4(1), destination: .v4(2), proto: .udp, identification: 7,
      fragment: Packet.Fragment(identification: 7, offset: 1480, more: true), transport: .absent,
      payload: [1, 2, 3])
    let read = try Packet(packet.bytes)
    #expect(read.fragment == packet.fragment)
    #expect(read.transport == .absent && read.payload == [1, 2, 3])
  }

  @Test(arguments: [
    (IPProtocol.icmp, 3 as UInt8, 4 as UInt8, 0x0000_05dc as UInt32, 1500 as Int?),
    (.icmp, 3, 4, 0xffff_0000, 0), (.icmp, 3, 1, 1500, nil), (.icmp, 11, 0, 0, nil),
    (.icmpv6, 2, 0, 1280, 1280), (.icmpv6, 3, 0, 0, nil), (.icmpv6, 2, 0, .max, 4_294_967_295),
  ])
  func errorsTellAnMTU(proto: IPProtocol, type: UInt8, code: UInt8, rest: UInt32, mtu: Int?) {
    let header = ICMPHeader(type: type, code: code, rest: rest)
    #expect(header.mtu(proto) == mtu)
    #expect(header.isError(proto))
    #expect(!header.isEchoRequest(proto) && !header.isEchoReply(proto))
  }

  @Test func whatIsNoErrorQuotesNothing() {
    for (proto, types) in [(IPProtocol.icmp, [0, 8, 9, 10, 13]), (.icmpv6, [128, 129, 135])] {
      for type in types { #expect(!ICMPHeader(type: UInt8(type)).isError(proto)) }
    }
    let noise = Packet(
      source: .v4(1), destination: .v4(2), proto: .icmp, transport: .icmp(ICMPHeader(type: 3)),
      payload: [0x45, 0])
    #expect(noise.quoted == nil)
  }
}
