internal import Wire

extension InterfaceSetting {
  /// For which of its addresses a host answers ARP on an interface. The larger of the interface's value and that of
  /// "all" counts.
  static let arpIgnore = InterfaceSetting("arp_ignore", versions: [4])
  /// Whether a host answers ARP only where its way back to who asks leads out by the same interface.
  static let arpFilter = InterfaceSetting("arp_filter", versions: [4])
}

/// That a host does not answer ARP or neighbour discovery on a link for an address that it has.
struct DiscoverySilence {
  let address: IPAddress
  /// The interface on which it is silent.
  let device: String
  /// The settings that keep it so, by their names; none in IPv6.
  let settings: [(name: String, value: String)]
  /// The interface by which its way back to who asks leads, where that is why.
  private(set) var wayBack: String?

  /// nil where it answers, where nobody there would ask, and where that is not known. `device` is the interface, or
  /// the port of a bridge, behind which `asker` is.
  init?(of address: IPAddress, to asker: IPAddress, on device: String?, _ snapshot: Snapshot) {
    guard let device = snapshot.bridge(of: device) ?? device, let link = snapshot.link(device),
      link.isEthernet, !link.flags.contains(.noARP), snapshot.addresses.has(address),
      case let networks = snapshot.addresses.networks(of: link.index),
      // Who has another subnet asks for his gateway.
      networks.contains(where: { $0.contains(address) && $0.contains(asker) })
    else { return nil }
    self.address = address
    self.device = device
    let isHere = snapshot.addresses.has(address, on: link.index)
    guard address.family == 4 else {
      // No setting has IPv6 answer for an address of another interface, but for an entry of a proxy.
      guard !isHere, let proxies = snapshot.host.proxies,
        !proxies.contains(where: { $0.device == device && $0.address == address })
      else { return nil }
      settings = []
      return
    }
    func set(_ setting: InterfaceSetting) -> [(name: String, value: String)] {
      ["all", device].map { setting.name(of: $0, version: 4) }
        .compactMap { name in snapshot.sysctls[name].map { (name, $0) } }.filter { $0.1 != "0" }
    }
    let ignoring = set(.arpIgnore)
    let isIgnored: Bool
    switch ignoring.compactMap({ Int($0.value) }).max() {
    case 1: isIgnored = !isHere
    case 2:
      let own = snapshot.addresses.entries(address).filter { $0.interface == link.index }
      isIgnored = !own.contains { $0.local.network.contains(asker) }
    case 8: isIgnored = true
    default: isIgnored = false
    }
    if isIgnored {
      settings = ignoring
      return
    }
    // A question passes the reverse path filter as any packet does, and the answer has to leave by the same interface.
    let (filter, check) = (set(.arpFilter), set(.rpFilter))
    let isStrict = check.compactMap { Int($0.value) }.max() == 1
    guard !filter.isEmpty || isStrict,
      let back = Self.wayBack(to: asker, from: address, snapshot),
      !snapshot.isSamePlace(back, device)
    else { return nil }
    settings = filter.isEmpty ? check : filter
    wayBack = back
  }

  /// The interface by which this host sends to who asks.
  private static func wayBack(
    to asker: IPAddress, from address: IPAddress, _ snapshot: Snapshot
  ) -> String? {
    let packet = Packet(
      source: address, destination: asker, proto: .icmp, transport: .absent)
    guard let route = PolicyRouting(sending: packet, snapshot).route, route.kind == .unicast
    else { return nil }
    return snapshot.name(route.outputInterface)
  }

  /// What to ask to find that out of what answered this ping; nothing where nobody would ask.
  static func questions(_ plan: ProbePlan, _ snapshot: Snapshot) -> [Question] {
    guard plan.entrance == .arriving, !plan.hasChosenReceiver, snapshot.isLocal(plan.destination),
      let device = snapshot.bridge(of: plan.device) ?? plan.device
    else { return [] }
    return questions(plan.destination, by: plan.source, on: [device])
  }

  /// The same, of any of its interfaces.
  static func questions(
    _ address: IPAddress, by asker: IPAddress, on devices: [String]
  ) -> [Question] {
    guard address.family == 4 else { return [.host(.proxies)] }
    let settings: [InterfaceSetting] = [.arpIgnore, .arpFilter, .rpFilter]
    let paths = (["all"] + devices).flatMap { device in
      settings.map { $0.path(of: device, version: 4) }
    }
    return [.sysctls(paths.sorted()), .policy, .routes(to: [asker])]
  }
}

extension Story {
  /// What may keep a neighbour silent here that another network namespace asks for.
  func questions(ofSilenceAbout address: IPAddress) -> [Question] {
    var questions: [Question] = unknownDeciders.map { .rule($0) }
    if snapshot.isLocal(address) {
      if let asker = header?.probe?.source {
        questions += DiscoverySilence.questions(
          address, by: asker, on: snapshot.devices(onLinkWith: address))
      }
    }
    // A filter of tc that has dropped it there may have given it to an interface that is down.
    let devices = Set(
      snapshot.drops.filter { $0.reason?.hasPrefix("TC_") == true }.compactMap {
        snapshot.name($0.device)
      }
    ).sorted()
    if !devices.isEmpty {
      questions += [.host(.programs(devices)), .host(.redirects(devices))]
    }
    return questions
  }

  /// That this network namespace does not answer another one, which asks for an address that is here.
  func discoveryUnanswered(of address: IPAddress, to asker: IPAddress) -> Finding? {
    let silences = snapshot.devices(onLinkWith: address)
      .compactMap { DiscoverySilence(of: address, to: asker, on: $0, snapshot) }
    // Of several interfaces there, the one that has the address is asked first of all.
    let first = silences.first { snapshot.isAddress(address, of: $0.device) } ?? silences.first
    return first.map { told(DiscoveryUnanswered.finding($0, asker: "\(asker)", snapshot)) }
  }

  /// Whether the client of the probes would have asked in vain for the address that they went to.
  var isSilentToClient: Bool { header?.probe.flatMap { DiscoverySilence($0, snapshot) } != nil }
}

extension Snapshot {
  /// The interfaces that have a subnet with this address, and no ports of bridges.
  fileprivate func devices(onLinkWith address: IPAddress) -> [String] {
    links.values.sorted { $0.index < $1.index }.filter {
      addresses.networks(of: $0.index).contains { $0.contains(address) }
    }.map(\.name)
  }
}

extension DiscoverySilence {
  /// That the host is silent to the client of these probes.
  init?(_ plan: ProbePlan, _ snapshot: Snapshot) {
    guard plan.entrance == .arriving, !plan.hasChosenReceiver else { return nil }
    self.init(of: plan.destination, to: plan.source, on: plan.device, snapshot)
  }
}
