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

  @Test func ofTheOtherVersionNothingIsLookedUp() throws {
    let lookup = try #require(SetLookup("ip saddr @blocked drop"))
    #expect(try lookup.key(of: Self.hop(6)) == nil)
  }
}
