import App
import Kernel
import Trace
import Wire

/// What the calling thread's network namespace says of where addresses are.
struct HerePlace: EntrancePlace {
  func isOwn(_ address: IPAddress) throws -> Bool {
    var routes = try RouteSocket()
    return try address.isLoopback || routes.addresses().contains { $0.local.address == address }
  }

  func way(to address: IPAddress) throws -> (interface: String, isDefault: Bool)? {
    var routes = try RouteSocket()
    // The route as it stands in its table: one to half of all addresses is a default route, too.
    guard case .route(let route) = try routes.lookup(RouteLookup(to: address, fibMatch: true)),
      let index = route.outputInterface, let link = try routes.link(index)
    else { return nil }
    return (link.name, route.destination.length <= 1)
  }

  func setupDevice() throws -> String? {
    guard let device = try SetupFiles.current().load()?.tun?.name else { return nil }
    var routes = try RouteSocket()
    return try routes.link(device)?.name
  }
}
