package import Wire

/// By which way probes enter: it follows from who asks.
package enum EntranceChoice: Sendable, Equatable {
  /// This host sends them, from this address of its own, or from the one that routing chooses.
  case local(source: IPAddress?)
  /// As a client behind this interface. Whom no more than a default route leads to is from afar: an answer
  /// may leave by another uplink.
  case behind(String, source: IPAddress?, isFromAfar: Bool)
  /// As a client behind a TUN device that is made.
  case made(address: Prefix?, source: IPAddress?)

  /// Whether it is the same whatever is asked for.
  package var isWhereverItGoes: Bool {
    if case .behind(_, _, let isFromAfar) = self { !isFromAfar } else { true }
  }
}

/// What the user said of who asks.
package struct EntranceWish: Sendable {
  /// `--source`.
  package var source: IPAddress?
  /// What they ask for.
  package var destination: IPAddress?
  /// `--in` or `--tun`.
  package var interface: String?
  /// `--tun-address`.
  package var tunAddress: Prefix?
  /// `--local`.
  package var local = false
  /// `-I` with an interface, by which this host is to send.
  package var device: String?
  /// Whether `--masquerade` or `--forward` is there: they are for clients.
  package var changesForwarding = false

  /// Nothing was said.
  package init() {}

  /// The ways that follow, in the order in which they are asked. Throws where the source leads nowhere.
  package func choices(_ place: some EntrancePlace) throws -> [EntranceChoice] {
    if let device {
      if let source, try !place.isOwn(source) {
        throw UsageError("\(source) is no address of this host, which is to send through \(device)")
      }
      return [.local(source: source)]
    }
    let client = try client(place)
    let isOwn = try source.map { try place.isOwn($0) } ?? false
    guard local else { return [client ?? .local(source: source)] }
    return [.local(source: isOwn ? source : nil)] + [client].compactMap(\.self)
  }

  /// The way of a client of this host; nil where this host asks itself.
  private func client(_ place: some EntrancePlace) throws -> EntranceChoice? {
    if let interface {
      let isDefault = try source.flatMap { try place.isBeyondDefault($0) } ?? false
      let isNeighbour = try source.map { try place.isNeighbour($0, behind: interface) } ?? false
      return .behind(interface, source: source, isFromAfar: isDefault && !isNeighbour)
    }
    if let tunAddress { return .made(address: tunAddress, source: source) }
    guard let source else {
      if local { return nil }
      if changesForwarding { return .made(address: nil, source: nil) }
      return try place.setupDevice().map { .behind($0, source: nil, isFromAfar: false) }
    }
    if try place.isOwn(source) { return nil }
    guard let way = try place.way(to: source) else {
      throw UsageError(
        "this host has no route to the source \(source), so it is behind no interface: say where it comes "
          + "in with --in")
    }
    // Whoever is far away comes to an address of this host by the uplink that has it.
    let uplink = way.isDefault ? try destination.flatMap { try place.uplink(of: $0) } : nil
    return .behind(uplink ?? way.interface, source: source, isFromAfar: way.isDefault)
  }
}

/// What the network namespace says of where addresses are.
package protocol EntrancePlace {
  /// Whether an interface of this host has the address.
  func isOwn(_ address: IPAddress) throws -> Bool
  /// The interface by which this host sends to the address, and whether no more than a default route
  /// says so; nil if it has no route.
  func way(to address: IPAddress) throws -> (interface: String, isDefault: Bool)?
  /// The interface that has the address, if a default route of any table leads out by it; nil for all others.
  func uplink(of address: IPAddress) throws -> String?
  /// Whether no more than a default route leads there; nil if this host has no route.
  func isBeyondDefault(_ address: IPAddress) throws -> Bool?
  /// Whether the address is known to be a neighbour's behind the interface, whatever routes say.
  func isNeighbour(_ address: IPAddress, behind interface: String) throws -> Bool
  /// The TUN device of a setup in this namespace.
  func setupDevice() throws -> String?
}
