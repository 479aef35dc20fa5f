import Kernel
import Wire

/// Changes that nftrace itself never makes, and administrators do.
extension RouteSocket {
  /// Makes an interface that needs nothing but a name: "dummy", "bridge".
  mutating func createLink(_ name: String, kind: String) throws(KernelError) {
    try request(
      LinkMessage.creation(kind: kind, name: name), flags: .new,
      attempt: "create the \(kind) interface \(name)")
  }

  /// Removes an interface.
  mutating func deleteLink(_ name: String) throws(KernelError) {
    try request(LinkMessage.deletion(name: name), attempt: "remove the interface \(name)")
  }

  /// Sets the link-layer address.
  mutating func setLink(_ name: String, address: HardwareAddress) throws(KernelError) {
    let index = try existingLink(name).index
    try request(
      LinkMessage.setting(address: address, of: index),
      attempt: "set the hardware address of \(name) to \(address)")
  }

  /// Makes an interface a port of a bridge.
  mutating func setLink(_ name: String, master: String) throws(KernelError) {
    let bridge = try existingLink(master).index
    let index = try existingLink(name).index
    try request(
      LinkMessage.setting(master: bridge, of: index), attempt: "make \(name) a port of \(master)")
  }

  /// Moves an interface to the namespace of a file descriptor.
  mutating func moveLink(_ name: String, to namespace: Int32) throws(KernelError) {
    let index = try existingLink(name).index
    try request(
      LinkMessage.setting(namespace: namespace, of: index),
      attempt: "move \(name) to another network namespace")
  }

  /// Takes an address away from an interface.
  mutating func delete(_ prefix: Prefix, from name: String) throws(KernelError) {
    let index = try existingLink(name).index
    try request(
      Self.address(prefix, interface: index).deletion, attempt: "remove \(prefix) from \(name)")
  }

  /// Removes a route.
  mutating func delete(_ route: RouteMessage) throws(KernelError) {
    try request(route.deletion, attempt: "remove the route to \(route.destination)")
  }

  /// Removes a rule.
  mutating func delete(_ rule: RoutingRule) throws(KernelError) {
    try request(rule.deletion, attempt: "remove routing rule \(rule.priority)")
  }
}
