/// Who is behind which port of a bridge, as far as the bridge has seen them; which address is whose, as far as somebody knows; who
/// are neighbours of each other; and to whom nobody knows a way.
package struct KnownStations: Sendable, Equatable {
  private struct Station: Hashable {
    var bridge: UInt32
    var hardware: [UInt8]
  }

  private var bridges: [UInt32: UInt32] = [:]
  private var ports: [Station: UInt32] = [:]
  private var neighbours: [IPAddress: [[UInt8]]] = [:]
  private var absent: [IPAddress: Set<UInt32>] = [:]
  private var subnets: [Link: [Prefix]] = [:]
  private var own: Set<[UInt8]> = []
  private var ownAddresses: Set<IPAddress> = []
  private var unreturned: Set<IPAddress> = []
  private var silent: Set<UInt32> = []
  /// What is said to whatever would be answered; nil where nobody refuses anything.
  package var refusal: FarRefusal?

  /// A bridge, or an interface that is no port of one, and there a VLAN.
  private struct Link: Hashable {
    var interface: UInt32
    var vlan: UInt16?
  }

  /// Nobody is known.
  package init() {}

  /// An interface is a port of a bridge.
  package mutating func add(port: UInt32, of bridge: UInt32) { bridges[port] = bridge }

  /// A link-layer address was seen behind a port, which is known to be one.
  package mutating func add(_ hardware: [UInt8], behind port: UInt32) {
    guard let bridge = bridges[port] else { return }
    ports[Station(bridge: bridge, hardware: hardware)] = port
  }

  /// Somebody has this address.
  package mutating func add(_ address: IPAddress, at hardware: [UInt8]) {
    neighbours[address, default: []].append(hardware)
  }

  /// Nobody behind this bridge answered for the address.
  package mutating func add(absent address: IPAddress, of bridge: UInt32) {
    absent[address, default: []].insert(bridge)
  }

  /// Who routes has this address, on an interface, or on a bridge, or on a VLAN there; who has others of its subnet are
  /// neighbours.
  package mutating func add(own address: Prefix, on interface: UInt32, vlan: UInt16? = nil) {
    subnets[Link(interface: interface, vlan: vlan), default: []].append(address.network)
    ownAddresses.insert(address.address)
  }

  /// A link-layer address is that of who routes.
  package mutating func add(own hardware: [UInt8]) { own.insert(hardware) }

  /// Nobody out there knows a way back to this address.
  package mutating func add(unreturned address: IPAddress) { unreturned.insert(address) }

  /// Who is behind this interface answers nothing that is sent there.
  package mutating func add(silent interface: UInt32) { silent.insert(interface) }

  /// Whether nobody answers what is sent to this address out of an interface: nobody there does, or it is an address of who
  /// routes, which nobody else has.
  package func isSilent(_ address: IPAddress, _ interface: UInt32) -> Bool {
    silent.contains(interface) || ownAddresses.contains(address)
  }

  /// Whether who routes has sent it.
  package func isOwn(_ hardware: [UInt8]) -> Bool { own.contains(hardware) }

  /// Whether nobody out there knows a way back to this address.
  package func isUnreturned(_ address: IPAddress) -> Bool { unreturned.contains(address) }

  /// Whether somebody else than who routes has an address in a subnet behind this interface, as far as others there know.
  package func isOnLink(_ address: IPAddress, _ interface: UInt32, vlan: UInt16?) -> Bool {
    let link = Link(interface: bridges[interface] ?? interface, vlan: vlan)
    return !ownAddresses.contains(address)
      && subnets[link]?.contains { $0.contains(address) } == true
  }

  /// Who has this link-layer address, as far as somebody knows.
  package func address(of hardware: [UInt8], _ family: Int) -> IPAddress? {
    neighbours.first { $0.key.family == family && $0.value.contains(hardware) }?.key
  }

  /// Whether nobody behind this interface's bridge answered for the address.
  package func isAbsent(_ address: IPAddress, near interface: UInt32) -> Bool {
    bridges[interface].map { absent[address]?.contains($0) ?? false } ?? false
  }

  /// Whether who has this link-layer address was seen behind another port of the bridge that this interface belongs to.
  package func isElsewhere(_ hardware: [UInt8], than interface: UInt32) -> Bool {
    port(of: hardware, near: interface).map { $0 != interface } ?? false
  }

  /// The link-layer address of who has an address, if it was seen behind a port of this interface's bridge: behind this one,
  /// for some are behind several.
  package func hardware(of address: IPAddress, near interface: UInt32) -> [UInt8]? {
    let all = neighbours[address] ?? []
    return all.first { port(of: $0, near: interface) == interface }
      ?? all.first { port(of: $0, near: interface) != nil }
  }

  private func port(of hardware: [UInt8], near interface: UInt32) -> UInt32? {
    bridges[interface].flatMap { ports[Station(bridge: $0, hardware: hardware)] }
  }
}
