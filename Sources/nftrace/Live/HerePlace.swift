import App
import Kernel
import Trace
import Wire

/// What the calling thread's network namespace says of where addresses are.
struct HerePlace: EntrancePlace {
  /// What probes are sent as: rules of policy routing may choose by it.
  let proto: IPProtocol

  func isOwn(_ address: IPAddress) throws -> Bool {
    var routes = try RouteSocket()
    return try address.isLoopback || routes.addresses().contains { $0.local.address == address }
  }

  func way(to address: IPAddress) throws -> (interface: String, isDefault: Bool)? {
    var routes = try RouteSocket()
    guard let way = try route(to: address, &routes), let link = try routes.link(way.index) else {
      return nil
    }
    let port =
      link.kind == "bridge" ? try port(of: way.gateway ?? address, behind: link, &routes) : nil
    return (port ?? link.name, way.isDefault)
  }

  func uplink(of address: IPAddress) throws -> String? {
    var routes = try RouteSocket()
    guard
      let owner = try routes.addresses().first(where: { $0.local.address == address })?.interface
    else { return nil }
    let isUplink = try routes.routes().contains { route in
      route.kind == .unicast && (route.destination.length <= 1 || !route.nextHops.isEmpty)
        && route.destination.address.family == address.family
        && ((route.outputInterface == owner && route.gateway != nil)
          || route.nextHops.contains { $0.interface == owner && $0.gateway != nil })
    }
    return isUplink ? try routes.link(owner)?.name : nil
  }

  func isBeyondDefault(_ address: IPAddress) throws -> Bool? {
    var routes = try RouteSocket()
    return try route(to: address, &routes)?.isDefault
  }

  /// The interface by which this host sends to an address, and whether others lead there as well: by a default route, or by
  /// a route with several next hops, of which each connection takes one.
  private func route(
    to address: IPAddress, _ routes: inout RouteSocket
  ) throws -> (index: UInt32, gateway: IPAddress?, isDefault: Bool)? {
    let subnet = try subnet(of: address, &routes)
    // The route as it stands in its table: one to half of all addresses is a default route, too.
    var question = RouteLookup(to: address, ipProtocol: proto.rawValue, fibMatch: true)
    guard case .route(var route) = try routes.lookup(question) else {
      return subnet.map { ($0.interface, nil, false) }
    }
    var isDefault = route.destination.length <= 1
    if route.outputInterface == nil {
      // As it stands there, it names all next hops.
      question.fibMatch = false
      guard case .route(let chosen) = try routes.lookup(question) else { return nil }
      (route.outputInterface, route.gateway) = (chosen.outputInterface, chosen.gateway)
      isDefault = true
    }
    if let subnet, try isBeside(address, subnet, route, &routes) {
      return (subnet.interface, nil, false)
    }
    return route.outputInterface.map { ($0, route.gateway, isDefault) }
  }

  /// Whether an address is in a subnet of this host's, and not where a route leads: what this host sends there may go elsewhere by a
  /// rule of policy routing that is about other packets, by a tunnel's route for the same subnet, or by a host route, and
  /// a neighbour comes in by the subnet all the same.
  private func isBeside(
    _ address: IPAddress, _ subnet: AddressMessage, _ route: RouteMessage,
    _ routes: inout RouteSocket
  ) throws -> Bool {
    guard let index = route.outputInterface, index != subnet.interface else { return true }
    if route.destination.length > subnet.local.length {
      return try routes.neighbours().contains {
        $0.interface == subnet.interface && $0.address == address && $0.hardwareAddress != nil
          && !$0.state.contains(.failed)
      }
    }
    // Another interface may have the same subnet.
    return try route.destination.length < subnet.local.length
      || !routes.addresses().contains {
        $0.interface == index && $0.local.network.contains(address)
      }
  }

  /// The smallest of this host's own subnets that the address is in.
  private func subnet(
    of address: IPAddress, _ routes: inout RouteSocket
  ) throws -> AddressMessage? {
    if address.isLinkLocal { return nil }
    return try routes.addresses().filter {
      $0.local.length < address.bitWidth && $0.local.network.contains(address)
    }.max { $0.local.length < $1.local.length }
  }

  /// The port of a bridge by which a neighbour's frames come in: what rules and filters of the bridge see of
  /// them begins there. Nil where nobody knows it.
  private func port(
    of neighbour: IPAddress, behind bridge: LinkMessage, _ routes: inout RouteSocket
  ) throws -> String? {
    let known = try routes.neighbours().first {
      $0.interface == bridge.index && $0.address == neighbour && !$0.state.contains(.failed)
    }
    // Whom this host never spoke to may be a neighbour of others all the same. What rules of the bridge make of questions
    // of its host's own says nothing of where he is.
    guard let sender = known?.hardwareAddress else {
      return try SoughtNeighbours(neighbour, behind: bridge).port.flatMap {
        try routes.link($0)?.name
      }
    }
    guard
      let entry = try routes.forwarding().first(where: {
        $0.address == sender && $0.port != bridge.index
      }), let port = try routes.link(entry.port), port.master == bridge.index
    else { return nil }
    return port.name
  }

  func isNeighbour(_ address: IPAddress, behind interface: String) throws -> Bool {
    var routes = try RouteSocket()
    guard let link = try routes.link(interface) else { return false }
    return try routes.neighbours().contains {
      [link.index, link.master].contains($0.interface) && $0.address == address
        && $0.hardwareAddress != nil && !$0.state.contains(.failed)
    }
  }

  func setupDevice() throws -> String? {
    guard let device = try SetupFiles.current().load()?.tun?.name else { return nil }
    var routes = try RouteSocket()
    return try routes.link(device)?.name
  }
}
