import Testing
import Wire

/// What neighbours are asked.
struct NeighbourQuestionTests {
  /// Who looks for an address does not seem to be about to take it himself (RFC 4862, section 5.4.3).
  @Test func searchesComeFromAnAddress() throws {
    let asker = HardwareAddress([2, 0x6e, 0x66, 0x74, 0x72, 1])
    #expect(asker.linkLocal == IPAddress("fe80::6e:66ff:fe74:7201"))
    #expect(HardwareAddress([]).linkLocal == nil)
    let target = IPAddress("fd00::2")!
    let own = IPAddress("fe80::9")!
    for (sender, expected) in [(nil, asker.linkLocal), (own, own)] {
      let question = NeighbourQuestion(searching: target, as: asker, at: sender)
      let packet = try Packet(Array(question.frame[14...]))
      #expect(packet.source == expected)
      // The option with the source's link-layer address, without which nobody answers.
      #expect(Array(question.frame.suffix(8)) == [1, 1] + asker.bytes)
    }
    let arp = NeighbourQuestion(searching: IPAddress("10.0.0.2")!, as: asker, at: own)
    #expect(Array(arp.frame[28..<32]) == [0, 0, 0, 0])
  }
}
