import App
import Testing
import Wire

/// Where a probe is to go, as people write it.
@Suite struct ProbeTargetTests {
  private static let targets: [(String, String, port: String?, zone: String?)] = [
    ("192.0.2.1", "192.0.2.1", nil, nil), ("2001:db8::1", "2001:db8::1", nil, nil),
    ("192.0.2.1:80", "192.0.2.1", "80", nil), ("[2001:db8::1]:443", "2001:db8::1", "443", nil),
    ("[2001:db8::1]", "2001:db8::1", nil, nil), ("fe80::1%eth0", "fe80::1", nil, "eth0"),
    ("[fe80::1%wan.up]:53", "fe80::1", "53", "wan.up"), ("example.org", "example.org", nil, nil),
    ("example.org:ssh", "example.org", "ssh", nil), ("example.org.", "example.org.", nil, nil),
    ("https://example.org", "example.org", "https", nil),
    ("https://example.org/a:b@c?d#e", "example.org", "https", nil),
    ("http://me:secret@example.org:8080/", "example.org", "8080", nil),
    ("http://[2001:db8::1]/", "2001:db8::1", "http", nil),
    ("HTTPS://example.org", "example.org", "https", nil),
    ("http://[fe80::1%25eth0]:80/", "fe80::1", "80", "eth0"),
    ("[fe80::1%25eth0]", "fe80::1", nil, "25eth0"), ("udp://192.0.2.1:53", "192.0.2.1", "53", nil),
    ("http://[2001:db8::1]:81?x", "2001:db8::1", "81", nil), ("a_b-c.d", "a_b-c.d", nil, nil),
  ]

  @Test(arguments: targets) func read(
    _ text: String, _ host: String, _ port: String?, _ zone: String?
  ) throws {
    let target = try #require(ProbeTarget(text))
    #expect(target.address.map { "\($0)" } ?? target.name == host)
    #expect((target.address == nil) == (IPAddress(host) == nil))
    #expect(target.port == port && target.zone == zone)
  }

  /// A URL may name a protocol rather than a service.
  @Test func protocolsOfURLs() throws {
    #expect(ProbeTarget("udp://192.0.2.1:53")?.transport == "udp")
    #expect(ProbeTarget("TCP://192.0.2.1:53")?.transport == "tcp")
    #expect(ProbeTarget("https://192.0.2.1")?.transport == nil)
  }

  @Test(arguments: [
    "", "1.2.3", "300.1.1.1", "1.2.3.4.5", "010.1.1.1", "1:2:3:4:5:6:7:8:9", "::1::", "10.0.0.0/8",
    "192.0.2.1:", "[::1", "[::1]443", "[192.0.2.1]:80", "fe80::1%", "192.0.2.1%eth0", "-x", "a b",
    "://host", "http://", "http:///x", "a:b:c", "@", "[]",
  ]) func refused(_ text: String) {
    #expect(ProbeTarget(text) == nil)
  }
}
