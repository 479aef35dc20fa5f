import Report
import Testing
import Trace

/// What `-v` says of each packet's connection, told from recorded sessions.
@Suite struct ConnectionTextTests {
  private func told(
    _ name: String, _ verbosity: TextStyle.Verbosity = .verbose
  ) throws -> [String] {
    let style = TextStyle(verbosity: verbosity)
    var lines = try GoldenTests.render(name, style: style).split(separator: "\n")[...]
    var told: [String] = []
    while let at = lines.firstIndex(where: { $0.hasPrefix("  connection  ") }) {
      let more = lines[(at + 1)...].prefix { $0.hasPrefix("              ") }
      told += ([lines[at]] + more).map { String($0.dropFirst(14)) }
      lines = lines[more.endIndex...]
    }
    return told
  }

  @Test func whoTranslatedItAndWhatIsExpectedBack() throws {
    #expect(
      try told("walk-ipv4") == [
        "new, replied, source translated by ip nat postrouting handle 2",
        "192.168.69.1 → 119.29.29.29, back 119.29.29.29 → 172.16.16.15",
        "established, the one above, in the reply direction",
      ])
  }

  @Test func nothingCameBack() throws {
    #expect(
      try told("hairpin-v4") == [
        "new, unreplied, destination translated by ip fw pre handle 2",
        "10.77.1.2 → 198.51.100.5, back 10.77.1.50 → 10.77.1.2",
        "related to the one above, in the reply direction",
      ])
  }

  @Test func bothSidesAreTranslated() throws {
    #expect(
      try told("healthy-dnat-nft-v4").prefix(2) == [
        "new, replied, destination translated by ip portal pre handle 2,",
        "source translated by ip nat postrouting handle 2",
      ])
  }

  @Test func conntrackKeepsNothingOfADroppedPacket() throws {
    #expect(
      try told("drop-iptables-subchain-v4")
        == ["new, not kept, for this packet did not get through"])
  }

  @Test func onlyWhereAskedFor() throws {
    #expect(try told("walk-ipv4", .normal).isEmpty)
  }

  @Test(arguments: GoldenTests.names) func fits(_ name: String) throws {
    for line in try told(name) { #expect(line.count <= 80 - 14, "\(line)") }
  }
}
