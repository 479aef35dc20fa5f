package import Wire

/// Changes to interfaces, addresses, routes and rules. All throw KernelError with the kernel's
/// errno and its own words for it; all but the readers need CAP_NET_ADMIN.
extension RouteSocket {
  // MARK: Interfaces

  /// The interface of this name; throws if there is none.
  package mutating func existingLink(_ name: String) throws(KernelError) -> LinkMessage {
    guard let link = try link(name) else {
      throw KernelError(.usage, cannot: "find an interface named \(name)")
    }
    return link
  }

  /// Makes a veth pair. A namespace is a file descriptor of it; nil is that of this socket. The
  /// kernel chooses the indexes unless both are given.
  package mutating func createVeth(
    _ name: String, namespace: Int32? = nil, index: UInt32 = 0, peer: String,
    peerNamespace: Int32? = nil, peerIndex: UInt32 = 0
  ) throws(KernelError) {
    try request(
      LinkMessage.vethCreation(
        name, namespace: namespace, index: index, peer: peer, peerNamespace: peerNamespace,
        peerIndex: peerIndex),
      flags: .new, attempt: "create the veth pair \(name) and \(peer)")
  }

  /// Sets an interface up or down.
  package mutating func setLink(_ name: String, up: Bool) throws(KernelError) {
    let index = try existingLink(name).index
    try request(
      LinkMessage.setting(up: up, of: index), attempt: "set \(name) \(up ? "up" : "down")")
  }

  /// Sets the MTU, in octets.
  package mutating func setLink(_ name: String, mtu: UInt32) throws(KernelError) {
    let index = try existingLink(name).index
    try request(
      LinkMessage.setting(mtu: mtu, of: index), attempt: "set the MTU of \(name) to \(mtu)")
  }

  // MARK: Addresses

  /// What `add(_:to:)` sends. IPv6 addresses come without duplicate detection, so that they can be
  /// used at once; IPv4 ones get the broadcast address of their subnet.
  package static func address(_ prefix: Prefix, interface: UInt32) -> AddressMessage {
    let isV4 = prefix.address.family == 4
    return AddressMessage(
      interface: interface, local: prefix,
      broadcast: isV4 && prefix.length < 31 ? prefix.last : nil,
      scope: prefix.address.isLoopback ? .host : .universe,
      flags: isV4 ? 0 : AddressMessage.noDuplicateDetection)
  }

  /// Gives an interface an address.
  package mutating func add(_ prefix: Prefix, to name: String) throws(KernelError) {
    let index = try existingLink(name).index
    try request(
      Self.address(prefix, interface: index).message, flags: .new,
      attempt: "add \(prefix) to \(name)")
  }

  // MARK: Routes and rules

  /// Adds a route; EEXIST if there is one with the same destination and metric.
  package mutating func add(_ route: RouteMessage) throws(KernelError) {
    try request(
      route.message, flags: .new, attempt: "add a route to \(route.destination)")
  }

  /// Adds a rule; EEXIST if there is the same already.
  package mutating func add(_ rule: RoutingRule) throws(KernelError) {
    try request(rule.message, flags: .new, attempt: "add routing rule \(rule.priority)")
  }

  /// Has a bridge forget where an address is; ENOENT if it knows nothing of it.
  package mutating func forget(_ entry: ForwardingEntry) throws(KernelError) {
    try request(entry.deletion, attempt: "have a bridge forget \(entry.address)")
  }

  /// Makes a neighbour known, so that nobody need be asked for it.
  package mutating func add(_ neighbour: NeighbourMessage) throws(KernelError) {
    try request(
      neighbour.message, flags: [.create, .replace],
      attempt: "add the neighbour \(neighbour.address)")
  }
}
