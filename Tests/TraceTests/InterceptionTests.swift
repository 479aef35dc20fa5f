import Testing
import Trace
import Wire

struct InterceptionTests {
  private func packet(_ port: UInt16, to destination: String = "198.51.100.7") -> [UInt8] {
    Packet(
      source: .v4(0xc000_0201), destination: IPAddress(destination)!, proto: .udp,
      transport: .udp(UDPHeader(sourcePort: 4000, destinationPort: port)), payload: [1, 2, 3]
    ).bytes
  }

  @Test func theChosenAreChanged() throws {
    var interception = Interception(
      matches: [try PacketMatch(parsing: "*/udp/53")],
      list: PrefixList.parse("198.51.100.0/24\n!198.51.100.9").list, action: .change([.ttl(5)]))
    // TTLs as they go back into the kernel, which takes one off.
    for (port, destination, fate, ttl) in [
      (53, "198.51.100.7", Interception.Fate.changed, 6), (54, "198.51.100.7", .passed, 65),
      (53, "198.51.100.9", .passed, 65), (53, "198.51.99.7", .passed, 65),
      (53, "224.0.0.22", .foreign, 64),
    ] as [(UInt16, String, Interception.Fate, UInt8)] {
      var bytes = packet(port, to: destination)
      #expect(interception.handle(&bytes, count: bytes.count) == fate)
      #expect(try Packet(bytes).ttl == ttl)
      #expect(InternetChecksum.of(bytes[..<20]) == 0)
    }
    #expect(interception.counts.packets == 4 && interception.counts.changed == 1)
  }

  /// Ports and ICMP types are in the first fragment alone; the others share its fate.
  @Test func fragmentsShareTheirFate() throws {
    let matches = [try PacketMatch(parsing: "*/udp/53")]
    var interception = Interception(matches: matches, action: .drop, forgesEcho: true)
    func fragment(_ whole: [UInt8], _ id: UInt32, _ offset: Int) throws -> [UInt8] {
      let packet = try Packet(whole)
      return Packet(
        source: packet.source, destination: packet.destination, proto: packet.proto,
        identification: UInt16(id), fragment: .init(identification: id, offset: offset, more: true),
        transport: .absent, payload: Array(whole[20..<28])
      ).bytes
    }
    for (port, id, offset, fate) in [
      (53, 1, 0, Interception.Fate.dropped), (54, 2, 0, .passed), (53, 1, 8, .dropped),
      (54, 2, 8, .passed), (53, 3, 8, .passed),
    ] as [(UInt16, UInt32, Int, Interception.Fate)] {
      var bytes = try fragment(packet(port), id, offset)
      #expect(interception.handle(&bytes, count: bytes.count) == fate, "\(id) at \(offset)")
    }
    #expect(interception.counts.orphans == 1)
  }

  @Test func manyFragments() throws {
    var interception = Interception(action: .drop)
    var bytes = packet(53)
    for id in 0..<UInt16(1000) {
      (bytes[4], bytes[5]) = (UInt8(id >> 8), UInt8(id & 255))
      for place: (UInt8, UInt8) in [(0x20, 0), (0, 1)] {
        (bytes[6], bytes[7]) = place
        #expect(interception.handle(&bytes, count: bytes.count) == .dropped)
      }
    }
    #expect(interception.counts.orphans == 0)
  }

  @Test func whatCannotBeChangedPasses() throws {
    let edit = PacketEdit.destination(.v6(1), port: nil)
    var interception = Interception(action: .change([edit]))
    var bytes = packet(53)
    #expect(interception.handle(&bytes, count: bytes.count) == .unchangeable)
    var short: [UInt8] = [0x45, 0, 0, 40]
    #expect(interception.handle(&short, count: 4) == .foreign)
  }
}
