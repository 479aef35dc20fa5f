package import Trace
package import Wire

/// Looks into the other network namespaces of this machine for what is known there of an address that nobody answers for here: who
/// has it, and what is at the other end of the interface behind which it is looked for.
package enum AddressSurvey {
  /// Namespaces that are looked into, at most.
  private static let most = 512

  /// What is known of `address` behind `device`, an interface of the calling thread's namespace. Others may have the same address,
  /// and nothing to do with it: whose interface belongs to that one counts. Takes the right to enter the others
  /// (CAP_SYS_ADMIN); those that cannot be entered are passed over.
  package static func find(_ address: IPAddress, behind device: String) -> Whereabouts {
    var known = Whereabouts(address, behind: device)
    guard let home = try? NetworkNamespace.current(), var routes = try? RouteSocket(),
      let asking = try? routes.link(device)
    else { return known }
    let others = NamespaceSurvey().found.filter { $0.identity != home.identity }.prefix(most)
    for found in others {
      guard let space = try? found.open() else { continue }
      if let owner = try? owner(of: address, in: space, found.call, from: home, asking, &routes) {
        known.owners.append(owner)
      }
      if let index = asking.link, let number = asking.linkNamespace, known.end == nil,
        (try? routes.number(of: space)) == number
      {
        known.end = try? space.within { () throws(KernelError) in
          try end(index, asked: address, in: found.call, others)
        }
      }
    }
    return known
  }

  /// Whom the calling thread's namespace asks for in vain by an interface: this address, or the routers that it is to be handed to.
  static func sought(_ address: IPAddress, behind device: String) -> [IPAddress] {
    guard var routes = try? RouteSocket(), let link = try? routes.link(device),
      let neighbours = try? routes.neighbours()
    else { return [address] }
    let silent = neighbours.filter {
      $0.interface == link.index && $0.address.family == address.family
        && !$0.state.isDisjoint(with: [.incomplete, .failed])
    }.map(\.address)
    return silent.isEmpty || silent.contains(address) ? [address] : Array(silent.prefix(4))
  }

  // MARK: Who has it

  /// The interface of a namespace that has the address, where it belongs to the one of who asks.
  private static func owner(
    of address: IPAddress, in space: borrowing NetworkNamespace, _ call: String?,
    from home: borrowing NetworkNamespace, _ asking: LinkMessage, _ routes: inout RouteSocket
  ) throws(KernelError) -> AddressOwner? {
    let held = try space.within { () throws(KernelError) -> (link: LinkMessage, home: Int32?)? in
      var there = try RouteSocket()
      let index = try there.addresses().first { $0.local.address == address }?.interface
      guard let index, let link = try there.link(index) else { return nil }
      return (link, try there.number(of: home))
    }
    guard let (link, number) = held,
      let relation = try relation(
        of: link, isLinkedHere: number != nil && number == link.linkNamespace, to: asking,
        in: space, &routes)
    else { return nil }
    return AddressOwner(
      namespace: call, device: link.name, kind: link.kind, isUp: link.flags.contains(.up),
      relation: relation)
  }

  /// How an interface of another namespace belongs to the one of who asks; nil where it does not.
  private static func relation(
    of link: LinkMessage, isLinkedHere: Bool, to asking: LinkMessage,
    in space: borrowing NetworkNamespace, _ routes: inout RouteSocket
  ) throws(KernelError) -> AddressOwner.Relation? {
    if isLinkedHere, let index = link.link {
      if index == asking.index { return link.kind == "veth" ? .connected : .above }
      let end = try routes.link(index)
      if let end, end.master == asking.index { return .connected }
    }
    if asking.link == link.index, let number = asking.linkNamespace,
      try routes.number(of: space) == number
    {
      return .below
    }
    return nil
  }

  // MARK: The other end

  /// The interface of this number in the calling thread's namespace, and what keeps it from answering for the address.
  private static func end(
    _ index: UInt32, asked address: IPAddress, in call: String?,
    _ others: ArraySlice<NamespaceSurvey.Found>
  ) throws(KernelError) -> FarEnd? {
    var there = try RouteSocket()
    guard let peer = try there.link(index) else { return nil }
    var end = FarEnd(namespace: call, device: peer.name)
    // Of a bridge's port, the bridge is who would answer.
    let answering =
      try peer.master.flatMap { master throws(KernelError) in
        try there.link(master)
      } ?? peer
    try look(at: address, by: answering, &end, &there)
    if end.holder == nil, peer.isIsolated == true, let master = peer.master {
      end.isolatedPort = try isolatedPort(of: master, besides: peer, to: address, others, &there)
    }
    return end
  }

  /// What the namespace itself does with the question.
  private static func look(
    at address: IPAddress, by link: LinkMessage, _ end: inout FarEnd, _ there: inout RouteSocket
  ) throws(KernelError) {
    let own = try there.addresses().filter { $0.local.address == address }
    guard let held = own.first(where: { $0.interface == link.index }) ?? own.first else {
      if !answersForOthers(address, by: link, &there) {
        end.leads = try way(to: address, besides: link, &there)
      }
      return
    }
    end.holder = try there.link(held.interface)?.name
    if address.family == 6 {
      end.isDuplicate = held.flags & AddressMessage.duplicate != 0
      end.isTentative =
        held.flags & AddressMessage.tentative != 0 && held.flags & AddressMessage.optimistic == 0
    }
    if link.flags.contains(.noARP) { end.silencers[FarEnd.noARP] = "on" }
    guard address.family == 4 else { return }
    // The greater one counts (IN_DEV_MAXCONF): 1 and 2 leave out what is on other interfaces, 8 all.
    let isOwn = held.interface == link.index
    for name in ["all", link.name] {
      let value = setting(name, version: 4, "arp_ignore")
      if value == "8" || !isOwn && ["1", "2"].contains(value) {
        end.silencers["net.ipv4.conf.\(name).arp_ignore"] = value
      }
    }
  }

  private static func setting(_ device: String, version: Int, _ name: String) -> String? {
    (try? Sysctl.interface(device, family: version, name)?.read()).flatMap { $0 }
  }

  /// Whether the namespace answers for addresses that it leads packets to.
  private static func answersForOthers(
    _ address: IPAddress, by link: LinkMessage, _ there: inout RouteSocket
  ) -> Bool {
    let isV4 = address.family == 4
    let isOn = ["all", link.name].contains {
      setting($0, version: address.family, isV4 ? "proxy_arp" : "proxy_ndp") == "1"
    }
    let entries = (try? there.proxyNeighbours()) ?? []
    let hasEntry = entries.contains { $0.address == address && $0.interface == link.index }
    return isV4 ? isOn || hasEntry : isOn && hasEntry
  }

  /// The interface by which a route leads to the address. A default route alone leads everywhere: it counts for what is no address
  /// of any link's (RFC 3927), which is given to containers as their gateway.
  private static func way(
    to address: IPAddress, besides link: LinkMessage, _ there: inout RouteSocket
  ) throws(KernelError) -> String? {
    let isNobodys = Prefix("169.254.0.0/16")?.contains(address) == true
    let best = try there.routes().filter {
      $0.table == RouteMessage.mainTable && $0.kind == .unicast
        && $0.destination.contains(address)
        && ($0.destination.length > 1 || isNobodys)
    }.max { $0.destination.length < $1.destination.length }
    guard let best, best.outputInterface != link.index else { return nil }
    guard let output = best.outputInterface else { return nil }
    return try there.link(output)?.name
  }

  /// The port of the same bridge, isolated as well, whose other end has the address.
  private static func isolatedPort(
    of master: UInt32, besides peer: LinkMessage, to address: IPAddress,
    _ others: ArraySlice<NamespaceSurvey.Found>, _ there: inout RouteSocket
  ) throws(KernelError) -> String? {
    let ports = try there.links().filter {
      $0.master == master && $0.index != peer.index && $0.isIsolated == true
    }
    for port in ports {
      guard let index = port.link, let number = port.linkNamespace else { continue }
      for found in others {
        guard let space = try? found.open(), (try? there.number(of: space)) == number else {
          continue
        }
        let addresses = try? space.within { () throws(KernelError) -> [AddressMessage] in
          var beyond = try RouteSocket()
          return try beyond.addresses()
        }
        if addresses?.contains(where: { $0.interface == index && $0.local.address == address })
          == true
        {
          return port.name
        }
      }
    }
    return nil
  }
}
