import Testing
import Wire

/// Edits, whose results are compared with packets made anew: their checksums are computed whole.
struct PacketEditTests {
  static let payloads: [[UInt8]] = [[], [1], Array(0..<101)]

  private static func packet(
    _ version: Int, _ transport: Transport, _ proto: IPProtocol, _ payload: [UInt8]
  ) -> Packet {
    Packet(
      source: IPAddress(version == 4 ? "192.0.2.1" : "2001:db8::1")!,
      destination: IPAddress(version == 4 ? "198.51.100.7" : "2001:db8:7::7")!, proto: proto,
      ttl: 64, tos: 0x28, identification: version == 4 ? 77 : nil, transport: transport,
      payload: payload)
  }

  static var packets: [Packet] {
    var all: [Packet] = []
    for version in [4, 6] {
      for payload in payloads {
        all.append(
          packet(
            version,
            .tcp(TCPHeader(sourcePort: 4000, destinationPort: 80, sequence: 9, flags: .syn)),
            .tcp, payload))
        all.append(
          packet(version, .udp(UDPHeader(sourcePort: 4000, destinationPort: 53)), .udp, payload))
        all.append(
          packet(
            version, .icmp(ICMPHeader(type: version == 4 ? 8 : 128, rest: 0x1234_0001)),
            version == 4 ? .icmp : .icmpv6, payload))
      }
    }
    return all
  }

  @Test(arguments: packets) func checksumsAreRight(_ packet: Packet) throws {
    let version = packet.source.family
    let address = try #require(IPAddress(version == 4 ? "203.0.113.200" : "fd00::beef"))
    let other = try #require(IPAddress(version == 4 ? "2001:db8::2" : "203.0.113.1"))
    let edits: [(PacketEdit, (inout Packet) -> Void)] = [
      (.ttl(1), { $0.ttl = 1 }), (.ttl(255), { $0.ttl = 255 }),
      (.tos(0), { $0.tos = 0 }), (.tos(0xb9), { $0.tos = 0xb9 }),
      (.source(address), { $0.source = address }),
      (.destination(address, port: nil), { $0.destination = address }),
    ]
    for (edit, change) in edits {
      var bytes = packet.bytes
      let layout = try #require(PacketLayout(bytes, count: bytes.count))
      #expect(edit.apply(to: &bytes, layout))
      var wanted = packet
      change(&wanted)
      #expect(bytes == wanted.bytes, "\(edit)")
    }
    var bytes = packet.bytes
    let layout = try #require(PacketLayout(bytes, count: bytes.count))
    #expect(!PacketEdit.source(other).apply(to: &bytes, layout))
    let hasPorts = packet.destinationPort != nil
    #expect(PacketEdit.destination(address, port: 5353).apply(to: &bytes, layout) == hasPorts)
    var wanted = packet
    if hasPorts { wanted.destination = address }
    switch wanted.transport {
    case .tcp(var header):
      header.destinationPort = 5353
      wanted.transport = .tcp(header)
    case .udp(var header):
      header.destinationPort = 5353
      wanted.transport = .udp(header)
    default: break
    }
    #expect(bytes == wanted.bytes)
  }

  @Test(arguments: packets) func echoIsForged(_ packet: Packet) throws {
    var bytes = packet.bytes
    let layout = try #require(PacketLayout(bytes, count: bytes.count))
    #expect(layout.isEchoRequest(bytes) == (packet.icmp != nil))
    guard case .icmp(var header) = packet.transport else { return }
    layout.makeEchoReply(in: &bytes)
    var wanted = packet
    (wanted.source, wanted.destination) = (packet.destination, packet.source)
    header.type = packet.source.family == 4 ? 0 : 129
    wanted.transport = .icmp(header)
    #expect(bytes == wanted.bytes)
  }

  /// Every 16-bit sum is met: also those where zero has two forms.
  @Test func noSumGoesWrong() throws {
    var numbers = SteadyNumbers(state: 5)
    for index in 0..<3_000 {
      var packet = Self.packets[index % Self.packets.count]
      packet.payload = [UInt8(index & 255), UInt8(index >> 8)]
      var bytes = packet.bytes
      let layout = try #require(PacketLayout(bytes, count: bytes.count))
      let value = UInt32.random(in: 1...0xdfff_ffff, using: &numbers)
      let address: IPAddress = layout.version == 4 ? .v4(value) : .v6(UInt128(value) << 64 | 1)
      _ = PacketEdit.source(address).apply(to: &bytes, layout)
      packet.source = address
      #expect(bytes == packet.bytes)
    }
  }

  @Test func noUDPChecksumStaysNone() throws {
    var bytes = Self.packets[1].bytes
    bytes[26] = 0
    bytes[27] = 0
    let layout = try #require(PacketLayout(bytes, count: bytes.count))
    #expect(PacketEdit.source(.v4(0x0a00_0001)).apply(to: &bytes, layout))
    #expect(bytes[26] == 0 && bytes[27] == 0)
    #expect(InternetChecksum.of(bytes[..<20]) == 0)
  }

  /// The fragments of one packet, changed each for itself, make up the changed packet.
  @Test func fragmentsFitTogether() throws {
    let whole = Self.packet(
      4, .udp(UDPHeader(sourcePort: 4000, destinationPort: 53)), .udp, Array(0..<100))
    let segment = Array(whole.bytes[20...])
    var parts: [UInt8] = []
    for (offset, end) in [(0, 48), (48, 96), (96, 108)] {
      let fragment = Packet(
        source: whole.source, destination: whole.destination, proto: .udp, identification: 77,
        fragment: .init(identification: 77, offset: offset, more: end < 108), transport: .absent,
        payload: Array(segment[offset..<end]))
      var bytes = fragment.bytes
      let layout = try #require(PacketLayout(bytes, count: bytes.count))
      #expect(layout.part == (offset == 0 ? .firstFragment : .laterFragment))
      let address = IPAddress.v4(0x0a01_0203)
      #expect(PacketEdit.destination(address, port: 99).apply(to: &bytes, layout))
      #expect(InternetChecksum.of(bytes[..<20]) == 0)
      parts += bytes[20...]
    }
    var wanted = whole
    wanted.destination = .v4(0x0a01_0203)
    wanted.transport = .udp(UDPHeader(sourcePort: 4000, destinationPort: 99))
    #expect(parts == Array(wanted.bytes[20...]))
  }

  /// Whatever stands in the buffer, nothing behind the packet changes and nothing traps; what was
  /// found of a packet is what `Packet` finds.
  @Test func anyOctets() throws {
    var numbers = SteadyNumbers(state: 11)
    let edits: [PacketEdit] = [
      .ttl(9), .tos(1), .source(.v4(1)), .destination(.v4(2), port: 7), .source(.v6(1)),
      .destination(.v6(2), port: 7),
    ]
    for index in 0..<6_000 {
      let original = Self.packets[index % Self.packets.count].bytes.mutated(by: &numbers)
      var bytes = original + [0xaa, 0xbb]
      guard let layout = PacketLayout(bytes, count: original.count) else { continue }
      #expect(layout.count <= original.count && layout.transport <= layout.count)
      let packet = try Packet(original)
      if let port = layout.destinationPort(bytes) {
        #expect(packet.proto.rawValue == layout.proto)
        if let parsed = packet.destinationPort { #expect(parsed == port) }
      }
      for edit in edits { _ = edit.apply(to: &bytes, layout) }
      layout.makeEchoReply(in: &bytes)
      layout.raiseTTL(in: &bytes)
      #expect(bytes.count == original.count + 2 && bytes.suffix(2) == [0xaa, 0xbb])
    }
  }

  @Test(arguments: [
    ("ttl=1", PacketEdit.ttl(1)), ("tos=255", .tos(255)),
    ("source=10.0.0.1", .source(.v4(0x0a00_0001))),
    ("dest=10.0.0.1:53", .destination(.v4(0x0a00_0001), port: 53)),
    ("dest=::2", .destination(.v6(2), port: nil)),
    ("dest=[fd00::2]:53", .destination(.v6(0xfd00 << 112 | 2), port: 53)),
    ("ttl=0", nil), ("ttl=256", nil), ("ttl=+1", nil), ("ttl", nil), ("mark=1", nil),
    ("dest=10.0.0.1:0", nil), ("dest=10.0.0.1:x", nil), ("dest=[10.0.0.1]:5", nil),
    ("source=10.0.0.1:5", nil), ("dest=127.0.0.1", nil), ("dest=224.0.0.1", nil),
    ("source=::", nil), ("dest=", nil),
  ])
  func parses(_ text: String, _ edit: PacketEdit?) {
    #expect((try? PacketEdit(parsing: text)) == edit)
  }
}

struct PacketMatchTests {
  @Test(arguments: [
    ("*", [true, true, true]), ("198.51.100.7", [true, true, true]),
    ("198.51.100.0/24", [true, true, true]), ("198.51.100.8", [false, false, false]),
    ("2001:db8::/32", [false, false, false]), ("0.0.0.0/0/tcp", [true, false, false]),
    ("*/udp/53", [false, true, false]), ("udp", [false, true, false]),
    ("udp/54", [false, false, false]), ("*/*/80", [true, false, false]),
    ("icmp", [false, false, true]), ("198.51.100.7/tcp/80", [true, false, false]),
  ])
  func matches(_ text: String, _ expected: [Bool]) throws {
    let match = try PacketMatch(parsing: text)
    for (packet, expected) in zip(PacketEditTests.packets, expected) {
      let bytes = packet.bytes
      let layout = try #require(PacketLayout(bytes, count: bytes.count))
      #expect(match.matches(bytes, layout) == expected, "\(packet.proto)")
    }
  }

  @Test(arguments: [
    "", "10.0.0.1/8", "10.0.0.1/33", "example.org", "*/sctp", "*/icmp/5", "*/tcp/0", "*/tcp/65536",
    "*/tcp/80/1", "10.0.0.0/8/tcp/x", "*/tcp/+5", "/tcp",
  ])
  func refuses(_ text: String) {
    #expect(throws: PacketMatch.Fault.self) { try PacketMatch(parsing: text) }
  }
}
