import Testing
import Wire

@Suite struct AddressRangeTests {
  @Test(arguments: [
    ([], []), (["10.0.0.0/8"], ["10.0.0.0-10.255.255.255"]),
    // One inside the other, twice the same, given host bits.
    (["10.0.0.0/8", "10.1.0.0/16", "10.0.0.1/8"], ["10.0.0.0-10.255.255.255"]),
    // Touching ones become one, whatever their order.
    (["10.0.1.0/24", "10.0.0.0/24"], ["10.0.0.0-10.0.1.255"]),
    (["10.0.0.0/24", "10.0.1.0/32", "10.0.1.2/32"], ["10.0.0.0-10.0.1.0", "10.0.1.2-10.0.1.2"]),
    // The family's highest address has none behind it.
    (["255.255.255.255"], ["255.255.255.255-255.255.255.255"]),
    (["255.255.255.254", "255.255.255.255"], ["255.255.255.254-255.255.255.255"]),
    (["128.0.0.0/1", "255.255.255.255"], ["128.0.0.0-255.255.255.255"]),
    (["240.0.0.0/4", "1.0.0.0/8"], ["1.0.0.0-1.255.255.255", "240.0.0.0-255.255.255.255"]),
    // The whole space.
    (["0.0.0.0/0", "10.0.0.0/8"], ["0.0.0.0-255.255.255.255"]),
    (["128.0.0.0/1", "0.0.0.0/1"], ["0.0.0.0-255.255.255.255"]),
    // The other version is left out.
    (["2001:db8::/32", "1.2.3.4"], ["1.2.3.4-1.2.3.4"]),
  ])
  func merged(prefixes: [String], ranges: [String]) throws {
    let prefixes = try prefixes.map { try #require(Prefix($0)) }
    #expect(AddressRange.merged(prefixes, version: 4).map { "\($0.first)-\($0.last)" } == ranges)
  }

  @Test func mergedInIPv6() throws {
    let texts = ["ffff::/16", "2001:db8::/33", "2001:db8:8000::/33", "1.2.3.4", "::/128"]
    let prefixes = try texts.map { try #require(Prefix($0)) }
    #expect(
      AddressRange.merged(prefixes, version: 6).map { "\($0.first) \($0.last)" } == [
        ":: ::", "2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "ffff:: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
      ])
  }

  @Test func mergedRangesHoldWhatThePrefixesHold() {
    var numbers = SteadyNumbers(state: 4)
    for _ in 0..<300 {
      // In the last 64 addresses, so that they overlap and touch often.
      let prefixes = (0..<5).compactMap { _ in
        Prefix(
          .v4(.max - .random(in: 0..<64, using: &numbers)),
          length: .random(in: 27...32, using: &numbers))
      }
      let ranges = AddressRange.merged(prefixes, version: 4)
      for value in (UInt32.max - 70)...UInt32.max {
        let inRanges = ranges.filter { range in
          if case .v4(let low) = range.first, case .v4(let high) = range.last {
            low...high ~= value
          } else {
            false
          }
        }
        #expect(inRanges.count == (prefixes.contains { $0.contains(.v4(value)) } ? 1 : 0))
      }
      for (one, next) in zip(ranges, ranges.dropFirst()) { #expect(one.behind != next.first) }
    }
  }
}
