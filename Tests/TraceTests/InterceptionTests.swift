import Testing
import Wire

@testable import Trace

struct InterceptionTests {
  private func packet(_ port: UInt16, to destination: String = "198.51.100.7") -> [UInt8] {
    Packet(
      source: .v4(0xc000_0201), destination: IPAddress(destination)!, proto: .udp,
      transport: .udp(UDPHeader(sourcePort: 4000, destinationPort: port)), payload: [1, 2, 3]
    ).bytes
  }

  /// A firewall that drops what is given back is told of before the first packet.
  @Test func policiesOfForward() throws {
    func chain(
      _ family: UInt8, _ table: String, _ name: String, _ policy: Int32
    ) throws -> ChainMessage {
      var chain = try ChainMessage(NetfilterHeader(family: family).bytes)
      (chain.table, chain.name, chain.type) = (table, name, "filter")
      (chain.hookNumber, chain.priority, chain.policy) = (2, 0, Verdict(rawValue: policy))
      return chain
    }
    let chains = [
      try chain(NFProto.inet, "filter", "forward", 0), try chain(NFProto.ipv6, "six", "f", 0),
      try chain(NFProto.ipv4, "four", "f", 1),
    ]
    let told = ForwardPolicy.remarks(chains, versions: [4], device: "nftrace0")
    #expect(told.count == 1)
    #expect(
      told.first?.hasSuffix(
        "to let them pass: nft insert rule inet filter forward iifname '\"nftrace0\"' accept")
        == true)
    #expect(ForwardPolicy.remarks(chains, versions: [4, 6], device: "t").count == 2)
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
      #expect(interception.handle(&bytes, count: bytes.count).fate == fate)
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
      #expect(interception.handle(&bytes, count: bytes.count).fate == fate, "\(id) at \(offset)")
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
        #expect(interception.handle(&bytes, count: bytes.count).fate == .dropped)
      }
    }
    #expect(interception.counts.orphans == 0)
  }

  @Test func whatCannotBeChangedPasses() throws {
    let edit = PacketEdit.destination(.v6(1), port: nil)
    var interception = Interception(action: .change([edit]))
    var bytes = packet(53)
    #expect(interception.handle(&bytes, count: bytes.count).fate == .unchangeable)
    var short: [UInt8] = [0x45, 0, 0, 40]
    #expect(interception.handle(&short, count: 4).fate == .foreign)
  }

  /// By whom an answer is known, and from where it comes for who asked: once for each flow.
  @Test func answersAreTranslated() throws {
    let edit = PacketEdit.destination(IPAddress("198.51.100.9")!, port: 5353)
    var interception = Interception(action: .change([edit]))
    func change(_ port: UInt16) -> AnswerChange? {
      var bytes = packet(port)
      return interception.handle(&bytes, count: bytes.count).answers
    }
    let first = try #require(change(53))
    #expect(first.removed == nil)
    #expect(first.added.asked == IPAddress("198.51.100.7") && first.added.askedPort == 53)
    let flow = first.added.flow
    #expect(flow.proto == 17 && flow.remote == IPAddress("198.51.100.9"))
    #expect(flow.local == .v4(0xc000_0201))
    #expect(flow.ports == .init(remote: 5353, local: 4000))
    #expect(change(53) == nil)
    // From one port to two that were asked: the latest gets the answers.
    let second = try #require(change(54))
    #expect(second.removed == first.added && second.added.askedPort == 54)
  }

  /// Of too many flows, one goes that was not used lately.
  @Test func flowsAreForgotten() {
    var memory = AnswerMemory(capacity: 3)
    func translation(_ port: UInt16) -> AnswerTranslation {
      AnswerTranslation(
        flow: .init(
          proto: 17, remote: .v4(9), local: .v4(1), ports: .init(remote: 53, local: port)),
        asked: .v4(7), askedPort: 53)
    }
    for port in 1...3 { #expect(memory.note(translation(UInt16(port)))?.removed == nil) }
    // All were used; the hand passes each, and finds the first.
    #expect(memory.note(translation(4))?.removed == translation(1))
    #expect(memory.note(translation(2)) == nil)
    #expect(memory.note(translation(5))?.removed == translation(3))
    #expect(memory.note(translation(1))?.removed == translation(2))
  }
}
