import Testing
import Wire

/// What routers write into a packet, RFC 9197 section 4.4.
struct IOAMTraceTests {
  /// Two nodes of Linux's, the one behind the other, at the end of the room.
  private static let nodes: [UInt8] =
    [0x3d, 0, 0, 3, 0, 31, 0, 32, 0x6b, 0x0b, 0x1e, 0x5f, 0, 0, 0x10, 0]
    + [0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 12, 0x6b, 0x0b, 0x1e, 0x5f, 0, 0, 0x0f, 0xf0]

  private static var filled: [UInt8] {
    var header = IOAMTrace.header(before: 58, namespace: 5)
    header.replaceSubrange((header.count - nodes.count)..., with: nodes)
    header[11] -= UInt8(nodes.count / 4)
    return header
  }

  @Test func theOrderIsThatOfTheWay() throws {
    let trace = try #require(IOAMTrace(Self.filled))
    #expect(trace.namespace == 5 && !trace.isFull)
    #expect(
      trace.nodes == [
        .init(hopLimit: 63, id: nil, input: nil, output: 12, time: 1_795_890_783_004_080_000),
        .init(hopLimit: 61, id: 3, input: 31, output: 32, time: 1_795_890_783_004_096_000),
      ])
  }

  @Test func aPacketKeepsIt() throws {
    var packet = Packet(
      source: IPAddress("fd00::1")!, destination: IPAddress("fd00::2")!, proto: .icmpv6,
      transport: .icmp(ICMPHeader(type: 128, rest: 7)), payload: [1, 2, 3])
    packet.options = Self.filled
    packet.flowLabel = 0xabcde
    let octets = packet.bytes
    let read = try Packet(octets)
    #expect(read.bytes == octets && read.proto == .icmpv6 && read.payload == [1, 2, 3])
    #expect(read.ioam?.nodes.count == 2 && read.flowLabel == 0xabcde)
    // Before a header that the destination is to refuse as well.
    packet.options =
      IOAMTrace.header(before: UnknownOption.headerNumber, namespace: 0, room: IOAMTrace.room - 1)
      + UnknownOption.header(before: 58)
    #expect(packet.options.count == Self.filled.count)
    #expect(try Packet(packet.bytes).icmp?.rest == 7)
    // In fragments, routers read it all the same.
    packet.payload = [UInt8](repeating: 7, count: 2000)
    let parts = PacketFragments.of(packet.bytes, atMost: 1280, identification: 9)
    #expect(parts.count == 2 && parts.allSatisfy { $0.count <= 1280 && $0[6] == 0 })
    #expect(try Packet(parts[0]).fragment?.more == true)
  }

  /// Whatever stands there, it is read or it is not.
  @Test func damagedOnes() {
    let whole = Self.filled
    for count in whole.indices { _ = IOAMTrace(Array(whole[..<count])) }
    for place in whole.indices {
      for value: UInt8 in [0, 1, 127, 128, 255] {
        var octets = whole
        octets[place] = value
        _ = IOAMTrace(octets)
      }
    }
    // Fields of another type are not taken for these.
    var other = whole
    other[12] = 0x80
    #expect(IOAMTrace(other) == nil)
  }
}
