import Testing
import Wire

struct DropEventTests {
  private static let full = DropEvent(
    time: 1_700_000_000_123_456_789, reasonNumber: 8, reasonName: "NETFILTER_DROP",
    location: "nft_do_chain+0x3e8 [nf_tables]", device: 3, namespace: 4_026_532_000,
    packet: [0x45, 0, 0, 21] + Array(repeating: 7, count: 17))

  @Test func roundTrips() throws {
    var bare = Self.full
    bare.reasonNumber = nil
    bare.reasonName = nil
    bare.location = nil
    bare.packet = []
    var foreign = Self.full
    foreign.place = "web"
    for event in [Self.full, bare, foreign] {
      #expect(try DropEvent(parsing: event.bytes) == event)
      #expect(try DropEvent(parsing: event.message) == event)
    }
  }

  @Test func reasons() {
    var event = Self.full
    #expect(event.reason == "NETFILTER_DROP")
    event.reasonName = nil
    #expect(event.reason == "reason 8")
    event.reasonNumber = nil
    #expect(event.reason == nil)
  }

  @Test func everyTruncation() {
    let bytes = Self.full.bytes
    // The packet comes last, so without all of it there is no event; three octets are padding.
    for count in 0..<(bytes.count - 3) {
      #expect(throws: WireError.self, "\(count)") {
        try DropEvent(parsing: Array(bytes.prefix(count)))
      }
    }
  }

  @Test func otherMessages() {
    #expect(throws: WireError.self) {
      try DropEvent(parsing: NetlinkMessage(type: 0x0a11, payload: Self.full.bytes))
    }
  }
}
