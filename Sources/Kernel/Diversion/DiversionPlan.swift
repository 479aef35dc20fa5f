internal import Glibc
internal import Wire

/// What a diversion has to know about the ways that packets to some subnets take without it.
struct DiversionPlan {
  /// IP versions of the subnets.
  let versions: Set<Int>
  /// The smallest MTU on these ways, in octets.
  private(set) var mtu: UInt32
  /// Names of the interfaces they lead through.
  private(set) var outputs: [String] = []
  /// What is inside a wide subnet and could not come back.
  private var exempt: [Prefix] = []

  /// Link-local addresses, multicast and the broadcast: nothing forwards packets to them.
  private static let neverForwarded = [
    "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32", "fe80::/10", "ff00::/8",
  ].compactMap { Prefix($0) }

  /// A destination, and the source address the kernel would choose for it.
  private var ways: [(destination: Prefix, source: IPAddress?)] = []

  init(_ subnets: [Prefix], _ routes: inout RouteSocket) throws(KernelError) {
    versions = Set(subnets.map(\.address.family))
    let links = try routes.links()
    // Of routes inside a subnet each may have a source address of its own.
    let all = try routes.routes().filter { $0.kind == .unicast && $0.table != 255 }
    var destinations: [Prefix] = []
    for subnet in subnets {
      var inside = [subnet.network]
      for route in all where route.destination.length > subnet.length {
        let network = route.destination.network
        if subnet.contains(network.address), !inside.contains(network),
          !Self.neverForwarded.contains(where: { $0.contains(network.address) })
        {
          inside.append(network)
        }
      }
      destinations += inside
      exempt += Self.neverForwarded.filter {
        $0.length > subnet.length && subnet.contains($0.address)
      }
    }
    var smallest: UInt32?
    for destination in destinations {
      let host = destination.first
      // Of the unspecified address the kernel thinks something else than of others.
      let probe = host.isUnspecified ? Self.somewhere(host) : host
      guard case .route(let route) = try routes.lookup(RouteLookup(to: probe)),
        route.kind == .unicast
      else {
        ways.append((destination, nil))
        continue
      }
      ways.append((destination, route.preferredSource))
      for index in [route.outputInterface] + route.nextHops.map({ $0.interface }) {
        guard let link = links.first(where: { $0.index == index }) else { continue }
        if !outputs.contains(link.name) { outputs.append(link.name) }
        let size = route.mtu ?? link.mtu ?? 1500
        smallest = min(smallest ?? size, size)
      }
    }
    mtu = min(max(smallest ?? 1500, 1280), 65535)
  }

  /// An address for a lookup of the default route: of TEST-NET-3 and of the documentation's prefix.
  private static func somewhere(_ address: IPAddress) -> IPAddress {
    IPAddress(address.family == 4 ? "203.0.113.1" : "2001:db8::1")!
  }

  /// Routes that send a lookup on to the next rule. They do not go with the device.
  func exemptions(table: UInt32) -> [RouteMessage] {
    exempt.map { RouteMessage(to: $0, kind: .throw, table: table) }
  }

  /// The routes into a device. Those that would say the same as a wider one are left out.
  func routes(interface: UInt32, table: UInt32) -> [RouteMessage] {
    var kept: [(destination: Prefix, source: IPAddress?)] = []
    for way in ways.sorted(by: { $0.destination.length < $1.destination.length }) {
      let around = kept.last {
        $0.destination.length <= way.destination.length
          && $0.destination.contains(way.destination.address)
      }
      if let around, around.source == way.source || around.destination == way.destination {
        continue
      }
      kept.append(way)
    }
    return kept.map {
      RouteMessage(
        to: $0.destination, interface: interface, table: table, preferredSource: $0.source)
    }
  }
}
