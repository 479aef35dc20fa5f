package import Wire

/// Which way routing sends a packet: looked up after the packet had come to rest.
package struct RouteDecision: Sendable, Equatable {
  /// The interface; nil for a packet of this host's own.
  package var device: String?
  /// The next hop; nil where the destination is on the link.
  package var gateway: IPAddress?
  /// The route's prefix; nil where that could not be told.
  package var destination: Prefix?
  /// The routing table's number.
  package var table: UInt32
  /// The priority of the policy rule that led to the table, where it is none of the three that
  /// every host has.
  package var rule: UInt32?
  /// The route's preferred source.
  package var preferredSource: IPAddress?

  /// Names of the tables that have one everywhere, or the number.
  package var tableName: String { RoutingWords.name(ofTable: table) }

  /// A decision of these fields.
  package init(
    device: String?, gateway: IPAddress?, destination: Prefix?, table: UInt32, rule: UInt32?,
    preferredSource: IPAddress?
  ) {
    self.device = device
    self.gateway = gateway
    self.destination = destination
    self.table = table
    self.rule = rule
    self.preferredSource = preferredSource
  }
}
