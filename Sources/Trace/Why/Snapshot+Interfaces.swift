internal import Wire

// Interfaces, and what stands on what.
extension Snapshot {
  /// The name of an interface; "if7" for one whose name was never told.
  func name(_ index: UInt32?) -> String? {
    guard let index, index != 0 else { return nil }
    return links[index]?.name ?? "if\(index)"
  }

  /// The interface of this name.
  func link(_ name: String?) -> LinkMessage? {
    guard let name, let link = linkNumbers[name].flatMap({ links[$0] }), link.name == name else {
      return nil
    }
    return link
  }

  /// Whether what comes in by the second interface comes in by the first as well, and what leaves by
  /// the first may leave by the second: a bridge, bond or the like and its port, or a VLAN and what it
  /// stands on.
  func isAbove(_ upper: String?, _ lower: String?) -> Bool {
    guard let upper = link(upper), let lower = link(lower) else { return false }
    return lower.master == upper.index || upper.standsOnAnother && upper.link == lower.index
  }

  /// Whether what came in by one interface and leaves by another, which is `device`, comes to who asked: that is where
  /// the question came in, or the bridge of that port, or its port. Whom only a default route leads to may be reached by
  /// any other; but not by that of a VPN, which takes its own addresses alone, nor back where an answer came from, nor
  /// with a source that is of the network by which the question came, and that the other's provider does not take.
  func leads(
    _ device: String?, from input: String?, as source: IPAddress?, to asker: Asker
  ) -> Bool {
    guard let device, device != "lo" else { return false }
    if isSamePlace(device, asker.device) || areOnOneLink(device, asker.device, with: asker.address)
    {
      return true
    }
    return asker.isFromAfar && !isVPN(device) && !isSamePlace(device, input)
      && !(isOnLink(source, of: asker.device) && !isOnLink(source, of: device))
  }

  /// Whether an address is in a subnet of an interface, or of the bridge that it is a port of.
  private func isOnLink(_ address: IPAddress?, of device: String) -> Bool {
    guard let address, !address.isLinkLocal, let link = link(bridge(of: device) ?? device) else {
      return false
    }
    return addresses.networks(of: link.index).contains {
      $0.length < address.bitWidth && $0.contains(address)
    }
  }

  /// Whether two interfaces have addresses of one subnet, which this address is in as well: as a rule, both are on its
  /// link, and what one of them sends comes to it as well as what the other does.
  func areOnOneLink(_ one: String?, _ other: String?, with address: IPAddress) -> Bool {
    func subnets(_ name: String?) -> Set<Prefix> {
      guard let link = link(name), !link.flags.contains(.noARP) else { return [] }
      return Set(addresses.networks(of: link.index).filter { $0.contains(address) })
    }
    return !subnets(one).isDisjoint(with: subnets(other))
  }

  /// Whether an interface is a virtual private network's, as far as its kind says.
  private func isVPN(_ device: String) -> Bool {
    ["tun", "wireguard"].contains(link(device)?.kind)
  }

  /// Whether many have this address: a group, or all in a subnet or on a link.
  func isForMany(_ address: IPAddress) -> Bool {
    address.isMulticast || address == .v4(.max) || addresses.isBroadcast(address)
  }

  /// Whether two names are of one interface, or of one that is a part of the other.
  func isSamePlace(_ one: String?, _ other: String?) -> Bool {
    one == other || isAbove(one, other) || isAbove(other, one)
  }

  /// The interface in whose subnet an address is.
  func device(onLinkWith address: IPAddress) -> String? {
    links.values.sorted { $0.index < $1.index }.first {
      self.address(of: $0.name, version: address.family)?.network.contains(address) == true
    }?.name
  }

  /// The bridge that an interface is a port of.
  func bridge(of device: String?) -> String? {
    guard let master = link(device)?.master, let bridge = links[master], bridge.kind == "bridge"
    else { return nil }
    return bridge.name
  }

  /// Whether an interface is a bridge.
  func isBridge(_ device: String?) -> Bool { link(device)?.kind == "bridge" }

  /// The ports of a bridge.
  func ports(of bridge: String) -> [LinkMessage] {
    guard let index = link(bridge)?.index else { return [] }
    return links.values.filter { $0.master == index }.sorted { $0.index < $1.index }
  }

  /// The port behind which a bridge saw this address.
  func port(of address: HardwareAddress, bridge: String) -> LinkMessage? {
    entry(of: address, bridge: bridge).flatMap { links[$0.port] }
  }

  /// What a bridge's forwarding table has of this address.
  func entry(of address: HardwareAddress, bridge: String) -> ForwardingEntry? {
    forwarding[address]?.last { $0.isOfBridge && self.bridge(of: name($0.port)) == bridge }
  }

  /// Who is behind a port of a bridge because somebody wrote that down.
  func staticEntries(at port: String) -> [HardwareAddress] {
    guard let index = link(port)?.index else { return [] }
    // There may be one for each VLAN.
    return forwarding.filter { _, entries in
      entries.contains { $0.isOfBridge && $0.isStatic && $0.port == index }
    }.map(\.key)
  }

  /// Whether packets that leave by it leave by another interface then.
  func isAboveOthers(_ name: String?) -> Bool {
    guard let link = link(name) else { return false }
    return link.standsOnAnother || ["bridge", "bond", "team"].contains(link.kind)
  }

  /// Whether there is an interface that tc can send packets through before they are shaped.
  var hasIntermediateBlock: Bool { links.values.contains { $0.kind == "ifb" } }
}

extension LinkMessage {
  /// Whether it is a part of another interface of this namespace.
  fileprivate var standsOnAnother: Bool {
    linkNamespace == nil && ["vlan", "macvlan", "ipvlan"].contains(kind)
  }
}

extension Snapshot {
  /// Whether this host has the address, on any interface.
  func isLocal(_ address: IPAddress) -> Bool {
    address.isLoopback || addresses.has(address)
  }

  /// Whether the interface of this name has the address.
  func isAddress(_ address: IPAddress, of device: String?) -> Bool {
    link(device).map { addresses.has(address, on: $0.index) } ?? false
  }

  /// The address of an interface, of this IP version, that is not link-local.
  func address(of device: String?, version: Int) -> Prefix? {
    link(device).flatMap { addresses.address(of: $0.index, version: version) }
  }

  /// The neighbour with this address on the interface of this name.
  func neighbour(_ address: IPAddress, on device: String?) -> NeighbourMessage? {
    link(device).flatMap { addresses.neighbour(address, on: $0.index) }
  }
}
