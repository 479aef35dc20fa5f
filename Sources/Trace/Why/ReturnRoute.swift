internal import Wire

/// A route by which this host reaches who sent a packet, by the interface that it came in by: to him himself where he is
/// on that link, else by the router that he is behind.
struct ReturnRoute {
  private let client: IPAddress
  private let device: String
  private let gateway: IPAddress?

  /// nil where he is behind a router of which nothing is known.
  init?(to client: IPAddress, by device: String, _ snapshot: Snapshot) {
    // A port's neighbours are its bridge's.
    let device = snapshot.bridge(of: device) ?? device
    guard device != "lo", let link = snapshot.link(device) else { return nil }
    self.client = client
    self.device = device
    let isOnLink =
      link.flags.contains(.noARP) || client.isLinkLocal
      || snapshot.addresses.networks(of: link.index).contains { $0.contains(client) }
      || snapshot.addresses.neighbours(on: link.index).contains { $0.address == client }
    gateway =
      isOnLink
      ? nil
      : Self.known(to: client, link, snapshot)
        ?? snapshot.onlyRouter(behind: link, version: client.family)
    if gateway == nil, !isOnLink { return nil }
  }

  /// The command.
  var remedy: Command {
    get throws(Word.Unspeakable) { try remedy(in: nil) }
  }

  /// The same in the table that is asked for the client, where that is known and another than the main one.
  func remedy(in table: UInt32?) throws(Word.Unspeakable) -> Command {
    let version: Command = client.family == 6 ? "-6 " : ""
    let gateway: Command = gateway.map { "via \($0) " } ?? ""
    // Before "local", "main" and "default", in which "main" is asked for it.
    let usual: [UInt32?] = [nil, 0, 253, RouteMessage.mainTable, 255]
    let place: Command = usual.contains(table) ? "" : " table \(table ?? 0)"
    let device = try Word.device(device)
    return "ip \(version)route replace \(client) \(gateway)dev \(device)\(place)"
  }

  /// The gateway of a route by this interface that is there already: of another table, or one that is not preferred.
  private static func known(
    to client: IPAddress, _ link: LinkMessage, _ snapshot: Snapshot
  ) -> IPAddress? {
    snapshot.routes.routes(to: client).last {
      $0.kind == .unicast && $0.outputInterface == link.index && $0.gateway != nil
    }?.gateway
  }
}

extension Snapshot {
  /// The router behind an interface, if there is but one that it can be.
  func onlyRouter(behind link: LinkMessage, version: Int) -> IPAddress? {
    let all = addresses.neighbours(on: link.index).filter {
      $0.address.family == version && !$0.address.isMulticast && !$0.state.contains(.failed)
    }
    // Who has a link-local address has another one as well, which may not be known.
    let far = all.filter {
      !$0.address.isLinkLocal && addresses.networks(of: link.index).contains($0.address)
    }
    let neighbours = far.isEmpty ? all.filter(\.address.isLinkLocal) : far
    return neighbours.count == 1 ? neighbours[0].address : nil
  }
}

extension [Prefix] {
  /// Whether the address is in one of them.
  fileprivate func contains(_ address: IPAddress) -> Bool { contains { $0.contains(address) } }
}
