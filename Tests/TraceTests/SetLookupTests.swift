import Testing
import Wire

@testable import Trace

/// Which set a rule of nft asks, and what it looks up there.
struct SetLookupTests {
  private static func hop(_ version: Int) -> Hop {
    let packet = Packet(
      source: IPAddress(version == 4 ? "10.77.1.2" : "fd77:1::2")!,
      destination: IPAddress(version == 4 ? "203.0.113.7" : "2001:db8:77::7")!, proto: .tcp,
      transport: .tcp(
        TCPHeader(
          sourcePort: 40000, destinationPort: 443, sequence: 1, acknowledgment: 0, flags: .syn)))
    return Hop(
      point: ObservationPoint(
        hook: .forward, priority: 0, table: "filter", label: "filter-FORWARD", chain: "forward"),
      time: 0, inDevice: "lan0", outDevice: "up0", packet: packet, mark: 7)
  }

  @Test(arguments: [
    ("ip saddr @blocked counter drop", "blocked", "10.77.1.2"),
    ("iifname . ip saddr . tcp dport vmap @policies", "policies", "\"lan0\" . 10.77.1.2 . 443"),
    ("ct state new meta l4proto . th dport @ports reject", "ports", "6 . 443"),
    ("iif . ip protocol vmap @protocols", "protocols", "\"lan0\" . 6"),
    ("meta mark @marks oifname \"up0\" drop", "marks", "7"),
  ]) func whatIsLookedUp(_ text: String, _ name: String, _ key: String) throws {
    let lookup = try #require(SetLookup(text))
    #expect(lookup.name == name)
    #expect(try lookup.key(of: Self.hop(4))?.text == key)
  }

  /// That a packet is in no set, and what a rule puts into one, is no element's doing.
  @Test(arguments: [
    "ip saddr != @allowed drop", "add @seen { ip saddr }", "ip saddr 10.0.0.0/8 drop",
    "ip saddr . ct zone @zoned drop", "@", "jump @x",
  ]) func whatIsNot(_ text: String) { #expect(SetLookup(text) == nil) }

  /// Which elements have what is looked up.
  @Test(arguments: [
    ("10.77.1.2", "10.77.1.2", true), ("10.77.0.0/16", "10.77.1.2", true),
    ("10.77.1.1-10.77.1.2", "10.77.1.2", true), ("10.77.1.3-10.77.1.9", "10.77.1.2", false),
    ("fd77::/16", "fd77:1::2", true), ("fd77::-fd78::", "10.77.1.2", false),
    ("80-443", "443", true), ("tcp . 443", "6 . 443", true), ("0x00000007", "7", true),
    ("10.0.0.0/8 . 80", "10.77.1.2 . 443", false), ("10.0.0.0/8", "10.77.1.2 . 443", false),
    ("\"lan0\" . 10.0.0.0/8", "\"lan0\" . 10.77.1.2", true),
  ]) func whatAnElementTakes(_ element: String, _ value: String, _ takes: Bool) {
    #expect(SetKey(element).takes(SetKey(value)) == takes)
  }

  @Test func whatIsNotToBeInASet() {
    #expect(
      SetLookup.negated("iifname . ip saddr != @a tcp dport @b tcp sport != @c drop").map(\.name)
        == ["c", "a"])
  }

  @Test func ofTheOtherVersionNothingIsLookedUp() throws {
    let lookup = try #require(SetLookup("ip saddr @blocked drop"))
    #expect(try lookup.key(of: Self.hop(6)) == nil)
  }
}
