import Testing
import Wire

struct PrefixListTests {
  @Test(arguments: [
    ("10.0.0.0/8", "10.1.2.3", PrefixList.Decision.listed),
    ("10.0.0.0/8", "11.0.0.0", .absent),
    ("10.0.0.0/8\n!10.1.0.0/16", "10.1.255.255", .excluded),
    ("10.0.0.0/8\n!10.1.0.0/16", "10.2.0.0", .listed),
    ("!10.1.0.0/16 # not these\n10.0.0.0/8\n\n# but\n10.1.2.3", "10.1.2.3", .listed),
    ("0.0.0.0/0\n! 255.255.255.255", "255.255.255.255", .excluded),
    ("0.0.0.0/0", "255.255.255.255", .listed),
    ("0.0.0.0/0", "::1", .absent),
    ("2001:db8::/32\r\n!2001:db8:1::/48\r\n", "2001:db8:1::5", .excluded),
    ("2001:db8::/32\n!2001:db8:1::/48", "2001:db8:2::", .listed),
    ("", "10.0.0.1", .absent),
  ])
  func decides(_ text: String, _ address: String, _ decision: PrefixList.Decision) throws {
    let (list, faults) = PrefixList.parse(text)
    #expect(faults.isEmpty)
    #expect(list.decision(try #require(IPAddress(address))) == decision)
  }

  @Test func faultsNameTheirLines() {
    let text = """
      10.0.0.0/8
      10.0.0.0/33
      # fine
      10.0.0.1/8
      !10.0.0.0/8
      192.0.2.1 192.0.2.2
      !
      example.org
      """
    let faults = PrefixList.parse(text).faults
    #expect(faults.map(\.line) == [2, 4, 5, 6, 7, 8])
    #expect(faults[1].message == "'10.0.0.1/8' has host bits set: the prefix is 10.0.0.0/8")
    #expect(faults[2].message == "10.0.0.0/8 stands in line 1 already")
  }

  /// Beside one that looks at every entry.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func agreesWithLookingAtAll(_ seed: UInt64) throws {
    var numbers = SteadyNumbers(state: seed)
    let version6 = seed % 2 == 0
    // Few bits, so that many nest and touch.
    func address() -> IPAddress {
      let low = UInt32.random(in: 0...255, using: &numbers) << 4
      let value = Bool.random(using: &numbers) ? low : .max - low
      return version6
        ? .v6(Bool.random(using: &numbers) ? UInt128(value) : .max - UInt128(value)) : .v4(value)
    }
    let entries = (0..<40).map { _ in
      let given = address()
      let length = given.bitWidth - Int.random(in: 0...14, using: &numbers)
      return PrefixList.Entry(
        Prefix(given, length: Bool.random(using: &numbers) ? length : 0)!.network,
        isExcluded: Bool.random(using: &numbers))
    }
    let list = PrefixList(entries)
    for _ in 0..<300 {
      let asked = address()
      var best: PrefixList.Entry?
      for entry in entries where entry.prefix.contains(asked) {
        if entry.prefix.length >= best?.prefix.length ?? 0 { best = entry }
      }
      let expected: PrefixList.Decision =
        best.map { $0.isExcluded ? .excluded : .listed } ?? .absent
      #expect(list.decision(asked) == expected, "\(asked)")
    }
  }
}
