package import Trace
package import Wire

/// Looks at the other end of an interface, in another network namespace of this machine, for why nobody there answers for an address.
package enum FarEnds {
  /// Namespaces that are looked into, at most.
  private static let most = 512

  /// The other end of `device` of the calling thread's namespace; nil where it is in none that can be entered, or nothing keeps it from
  /// answering. Takes the right to enter the others (CAP_SYS_ADMIN).
  package static func find(_ address: IPAddress, behind device: String) -> FarEnd? {
    guard var routes = try? RouteSocket(), let asking = try? routes.link(device),
      let index = asking.link, let number = asking.linkNamespace
    else { return nil }
    let survey = NamespaceSurvey().found.prefix(most)
    for found in survey {
      guard let space = try? found.open(), (try? routes.number(of: space)) == number else {
        continue
      }
      return try? space.within { () throws(KernelError) -> FarEnd? in
        var there = try RouteSocket()
        guard let peer = try there.link(index) else { return nil }
        var end = FarEnd(address, behind: device, namespace: found.call, device: peer.name)
        // Of a bridge's port, the bridge is who would answer.
        let answering =
          try peer.master.flatMap { master throws(KernelError) in
            try there.link(master)
          } ?? peer
        try look(at: address, by: answering, &end, &there)
        if end.holder == nil, peer.isIsolated == true, let master = peer.master {
          end.isolatedPort = try isolatedPort(
            of: master, besides: peer, to: address, survey, &there)
        }
        return end
      }
    }
    return nil
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
    _ survey: ArraySlice<NamespaceSurvey.Found>, _ there: inout RouteSocket
  ) throws(KernelError) -> String? {
    let ports = try there.links().filter {
      $0.master == master && $0.index != peer.index && $0.isIsolated == true
    }
    for port in ports {
      guard let index = port.link, let number = port.linkNamespace else { continue }
      for found in survey {
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
