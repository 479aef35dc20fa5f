public import Wire

/// Which way routing sends a packet: looked up after the packet had come to rest.
public struct RouteDecision: Sendable, Equatable {
  /// The interface; nil for a packet of this host's own.
  public var device: String?
  /// The next hop; nil where the destination is on the link.
  public var gateway: IPAddress?
  /// The route's prefix; nil where that could not be told.
  public var destination: Prefix?
  /// The routing table's number.
  public var table: UInt32
  /// The priority of the policy rule that led to the table, where it is none of the three that
  /// every host has.
  public var rule: UInt32?
  /// The route's preferred source.
  public var preferredSource: IPAddress?

  /// Names of the tables that have one everywhere, or the number.
  public var tableName: String { PolicyRouting.name(ofTable: table) }

  /// A decision of these fields.
  public init(
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
