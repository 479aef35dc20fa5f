import Testing
import Wire

@Suite struct IPAddressTests {
  /// What is accepted, and how it is written: RFC 5952 section 4, its examples among them.
  @Test(arguments: [
    ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
    ("192.168.69.1", "192.168.69.1"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
    ("0:0:0:0:0:0:0:0", "::"), ("2001:0DB8:0:0:0:0:0:0001", "2001:db8::1"),
    ("2001:db8::0:1", "2001:db8::1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
    ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("0:0:1:0:0:1:0:0", "::1:0:0:1:0:0"),
    ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("1:0:0:0:0:0:0:0", "1::"),
    ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("::FFFF:c000:0201", "::ffff:192.0.2.1"),
    ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
    ("::1.2.3.4", "::102:304"), ("fe80::", "fe80::"),
    ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
  ])
  func accepted(text: String, canonical: String) throws {
    let address = try #require(IPAddress(text))
    #expect(address.description == canonical)
    #expect(IPAddress(canonical) == address)
    #expect(IPAddress(bytes: address.bytes) == address)
  }

  @Test(arguments: [
    "", ".", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1.2.3.+4", "1.2.3.-0", "1.2.3.",
    ".1.2.3", "1..2.3", " 1.2.3.4", "1.2.3.4 ", "0x1.2.3.4", "1.2.3.٤", "1.2.3.4/24", "localhost",
    ":", ":::", "1:::2", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8", ":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:", "::12345", "::g", "::+1", "::-0",
    "::-1", "fe80::1%eth0", "[::1]", "1.2.3.4::", "::1.2.3.4:5", "::1.2.3", "::1.2.3.04",
    "1:2:3:4:5:6:7:1.2.3.4", "::1 ", "::1/64", "::ffff:1.2.3.4.5",
  ])
  func refused(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test func everyAddressReadsBack() throws {
    var numbers = SteadyNumbers(state: 3)
    for _ in 0..<2000 {
      let v4 = IPAddress.v4(.random(in: 0 ... .max, using: &numbers))
      #expect(IPAddress(v4.description) == v4)
      // Groups are often zero, to meet every way of shortening.
      let groups = (0..<8).map { _ in
        Bool.random(using: &numbers) ? 0 : UInt128.random(in: 0...0xffff, using: &numbers)
      }
      let v6 = IPAddress.v6(groups.reduce(0) { $0 << 16 | $1 })
      #expect(IPAddress(v6.description) == v6)
    }
  }

  @Test(arguments: [0, 1, 3, 5, 15, 17, 32])
  func onlyFourOrSixteenOctetsAreAnAddress(count: Int) {
    #expect(IPAddress(bytes: Array(repeating: UInt8(1), count: count)) == nil)
  }

  @Test(arguments: [
    ("10.255.255.255", "private"), ("11.0.0.0", ""), ("172.15.255.255", ""),
    ("172.16.0.0", "private"), ("172.31.255.255", "private"), ("172.32.0.0", ""),
    ("192.168.0.1", "private"), ("100.64.0.0", "private"), ("100.128.0.0", ""),
    ("fc00::", "private"), ("fdff::1", "private"), ("fe00::", ""), ("127.0.0.1", "loopback"),
    ("127.255.255.255", "loopback"), ("128.0.0.0", ""), ("::1", "loopback"), ("::2", ""),
    ("223.255.255.255", ""), ("224.0.0.0", "multicast"), ("239.255.255.255", "multicast"),
    ("240.0.0.0", ""), ("ff02::1", "multicast"), ("169.254.0.1", "link-local"),
    ("169.255.0.0", ""), ("fe80::1", "link-local"), ("febf::1", "link-local"), ("fec0::1", ""),
    ("0.0.0.0", "unspecified"), ("::", "unspecified"), ("2001:db8::1", ""), ("8.8.8.8", ""),
  ])
  func kinds(text: String, kind: String) throws {
    let address = try #require(IPAddress(text))
    let kinds = [
      ("private", address.isPrivate), ("loopback", address.isLoopback),
      ("multicast", address.isMulticast), ("link-local", address.isLinkLocal),
      ("unspecified", address.isUnspecified),
    ]
    #expect(kinds.filter(\.1).map(\.0) == (kind.isEmpty ? [] : [kind]))
  }

  @Test(arguments: [
    ("0.0.0.0/0", "0.0.0.0", "255.255.255.255"), ("10.1.2.3/8", "10.0.0.0", "10.255.255.255"),
    ("192.168.69.7/31", "192.168.69.6", "192.168.69.7"), ("1.2.3.4/32", "1.2.3.4", "1.2.3.4"),
    ("1.2.3.4", "1.2.3.4", "1.2.3.4"), ("255.255.255.255/1", "128.0.0.0", "255.255.255.255"),
    ("5::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ("::1/128", "::1", "::1"),
    ("2001:db8:1::1/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("ffff::/1", "8000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ("1::3/127", "1::2", "1::3"),
  ])
  func prefixesBeginAndEnd(text: String, first: String, last: String) throws {
    let prefix = try #require(Prefix(text))
    #expect(prefix.first.description == first)
    #expect(prefix.last.description == last)
    #expect(prefix.contains(prefix.first) && prefix.contains(prefix.last))
    #expect(prefix.contains(prefix.address))
    #expect(prefix.network.address == prefix.first)
    #expect(prefix.overlaps(prefix.network))
    #expect(Prefix(prefix.description) == prefix)
    #expect(AddressRange(prefix).behind.map(prefix.contains) != true)
  }

  @Test(arguments: [
    "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8",
    "10.0.0.0/ 8", "10.0.0.0/99999999999999999999", "10.0/8", "::/129", "::/٤", "any",
  ])
  func noPrefix(text: String) {
    #expect(Prefix(text) == nil)
  }

  @Test(arguments: [
    ("10.0.0.0/8", "10.1.0.0/16", true), ("10.0.0.0/8", "11.0.0.0/8", false),
    ("10.0.0.0/9", "10.128.0.0/9", false), ("0.0.0.0/0", "1.2.3.4/32", true),
    ("1.2.3.4/32", "1.2.3.5/32", false), ("1.2.3.4/32", "1.2.3.4/32", true),
    ("::/0", "0.0.0.0/0", false), ("::/0", "ff02::1", true),
    ("2001:db8::/127", "2001:db8::1", true),
    ("2001:db8::/127", "2001:db8::2", false), ("10.1.2.3/8", "10.200.0.1/16", true),
  ])
  func overlapping(one: String, other: String, expected: Bool) throws {
    let (one, other) = (try #require(Prefix(one)), try #require(Prefix(other)))
    #expect(one.overlaps(other) == expected)
    #expect(other.overlaps(one) == expected)
  }

  @Test func families() throws {
    let v4 = try #require(IPAddress("1.2.3.4"))
    let v6 = try #require(IPAddress("::1.2.3.4"))
    #expect((v4.family, v4.bitWidth) == (4, 32))
    #expect((v6.family, v6.bitWidth) == (6, 128))
    #expect(try !#require(Prefix("0.0.0.0/0")).contains(v6))
    #expect(Prefix(v4, length: 33) == nil)
    #expect(Prefix(v6, length: -1) == nil)
    #expect(Prefix(v6).length == 128)
  }
}
