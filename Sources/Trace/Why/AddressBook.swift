internal import Wire

/// The addresses of this host, and its neighbours', each found by the address.
struct AddressBook: Sendable {
  private var own: [IPAddress: [AddressMessage]] = [:]
  /// In the order in which the kernel lists them, which is that of its preference.
  private var byInterface: [UInt32: [AddressMessage]] = [:]
  /// Last addresses of IPv4 subnets: for all who are in them.
  private var broadcasts: [IPAddress: Int] = [:]
  private var neighbours: [IPAddress: [NeighbourMessage]] = [:]

  mutating func take(_ address: AddressMessage) {
    if let old = own[address.local.address]?.first(where: { $0.isSamePlace(as: address) }) {
      if old == address { return }
      remove(old)
    }
    own[address.local.address, default: []].append(address)
    byInterface[address.interface, default: []].append(address)
    for broadcast in address.broadcasts { broadcasts[broadcast, default: 0] += 1 }
  }

  mutating func remove(_ address: AddressMessage) {
    guard let old = own[address.local.address]?.first(where: { $0.isSamePlace(as: address) })
    else { return }
    own[old.local.address]?.removeAll { $0.isSamePlace(as: old) }
    byInterface[old.interface]?.removeAll { $0.isSamePlace(as: old) }
    for broadcast in old.broadcasts { broadcasts[broadcast]? -= 1 }
  }

  mutating func take(_ neighbour: NeighbourMessage) {
    remove(neighbour)
    neighbours[neighbour.address, default: []].append(neighbour)
  }

  mutating func remove(_ neighbour: NeighbourMessage) {
    neighbours[neighbour.address]?.removeAll { $0.interface == neighbour.interface }
  }

  /// Forgets the addresses of this IP version; 0 is all.
  mutating func forgetAddresses(version: Int) {
    guard version != 0 else {
      (own, byInterface, broadcasts) = ([:], [:], [:])
      return
    }
    own = own.filter { $0.key.family != version }
    byInterface = byInterface.mapValues { $0.filter { $0.local.address.family != version } }
    if version == 4 { broadcasts = [:] }
  }

  /// Forgets the neighbours of this IP version; 0 is all.
  mutating func forgetNeighbours(version: Int) {
    neighbours = version == 0 ? [:] : neighbours.filter { $0.key.family != version }
  }

  /// Whether an interface of this host has the address.
  func has(_ address: IPAddress) -> Bool { own[address]?.isEmpty == false }

  /// What is known of this address, of all interfaces that have it.
  func entries(_ address: IPAddress) -> [AddressMessage] { own[address] ?? [] }

  /// The subnets of an interface, but for link-local ones.
  func networks(of interface: UInt32) -> [Prefix] {
    (byInterface[interface] ?? []).map(\.local.network).filter { !$0.address.isLinkLocal }
  }

  /// The addresses of this IP version that this interface has.
  func own(on interface: UInt32?, version: Int) -> [IPAddress] {
    interface.flatMap { byInterface[$0] }?.map(\.local.address).filter { $0.family == version }
      ?? []
  }

  /// Whether this interface has it.
  func has(_ address: IPAddress, on interface: UInt32) -> Bool {
    own[address]?.contains { $0.interface == interface } == true
  }

  /// Whether it is for everybody in a subnet of this host's.
  func isBroadcast(_ address: IPAddress) -> Bool { broadcasts[address] ?? 0 > 0 }

  /// The first address of an interface, of this IP version, that is not link-local.
  func address(of interface: UInt32, version: Int) -> Prefix? {
    byInterface[interface]?.first {
      $0.local.address.family == version && !$0.local.address.isLinkLocal
    }?.local
  }

  /// What is known of the neighbour with this address: of the one on this interface, or on any.
  func neighbour(_ address: IPAddress, on interface: UInt32? = nil) -> NeighbourMessage? {
    neighbours[address]?.last { interface == nil || $0.interface == interface }
  }

  /// Who is known to be on an interface's link: who answered there.
  func neighbours(on interface: UInt32) -> [NeighbourMessage] {
    neighbours.values.joined().filter {
      $0.interface == interface && $0.hardwareAddress != nil && !$0.address.isMulticast
        && $0.state.isDisjoint(with: [.failed, .incomplete, .noARP])
    }
  }
}

extension AddressMessage {
  /// Whether it is the same address of the same interface, whatever else is said of it.
  fileprivate func isSamePlace(as other: AddressMessage) -> Bool {
    interface == other.interface && local == other.local && peer == other.peer
  }

  fileprivate var broadcasts: Set<IPAddress> {
    guard local.address.family == 4 else { return [] }
    return Set([broadcast, local.length < 31 ? local.last : nil].compactMap { $0 })
  }
}
