package import Wire

/// What a lab looks like: a router, and behind it a server that is reached through the router's
/// default route. The client's side is a TUN device in the router, which who uses the lab makes.
package struct LabTopology: Sendable, Equatable {
  /// Name of the interface between the two, at both ends.
  package var interface: String
  /// The router's addresses on it.
  package var router: [Prefix]
  /// The server's addresses on it; the first of each family is the router's default gateway.
  package var server: [Prefix]
  /// The server's addresses on its `lo`: those that are pinged.
  package var destinations: [IPAddress]

  /// A lab with these addresses.
  package init(
    interface: String, router: [Prefix], server: [Prefix], destinations: [IPAddress]
  ) {
    self.interface = interface
    self.router = router
    self.server = server
    self.destinations = destinations
  }

  /// The walk of the README, and the same with IPv6 (RFC 4193 and RFC 3849 addresses).
  package static let walk = LabTopology(
    interface: "eth0",
    router: [Prefix("172.16.16.15/24")!, Prefix("fd00:16::15/64")!],
    server: [Prefix("172.16.16.1/24")!, Prefix("fd00:16::1/64")!],
    destinations: [IPAddress("119.29.29.29")!, IPAddress("2001:db8:29::29")!])
}
