import Wire

/// rtnetlink messages of any content: each decoder ends, and what it made can be written.
func fuzzRoute(_ bytes: [UInt8]) {
  for message in (try? NetlinkMessage.all(in: bytes)) ?? [] {
    _ = message.errorCode
    if let link = try? LinkMessage(parsing: message) { _ = "\(link.state) \(link)" }
    if let address = try? AddressMessage(parsing: message) {
      precondition((try? AddressMessage(parsing: address.message)) != nil)
    }
    if let route = try? RouteMessage(parsing: message) {
      _ = "\(route.kind) \(route.origin) \(route.scope)"
      precondition((try? RouteMessage(parsing: route.message)) != nil)
    }
    if let lookup = try? RouteLookup(parsing: message) {
      precondition((try? RouteLookup(parsing: lookup.message)) != nil)
    }
    if let rule = try? RoutingRule(parsing: message) {
      precondition((try? RoutingRule(parsing: rule.message)) != nil)
    }
    if let neighbour = try? NeighbourMessage(parsing: message) {
      _ = "\(neighbour.state)"
      precondition((try? NeighbourMessage(parsing: neighbour.message)) != nil)
    }
    _ = try? QdiscMessage(parsing: message)
  }
}
