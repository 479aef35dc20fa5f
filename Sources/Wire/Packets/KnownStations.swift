/// Who is behind which port of a bridge, as far as the bridge has seen them; and which address is whose, as far as somebody knows.
package struct KnownStations: Sendable, Equatable {
  private struct Station: Hashable {
    var bridge: UInt32
    var hardware: [UInt8]
  }

  private var bridges: [UInt32: UInt32] = [:]
  private var ports: [Station: UInt32] = [:]
  private var neighbours: [IPAddress: [[UInt8]]] = [:]
  private var absent: [IPAddress: Set<UInt32>] = [:]

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
