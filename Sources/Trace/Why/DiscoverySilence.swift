internal import Wire

extension InterfaceSetting {
  /// For which of its addresses a host answers ARP on an interface. The larger of the interface's value and that of
  /// "all" counts.
  static let arpIgnore = InterfaceSetting("arp_ignore", versions: [4])
}

/// That a host does not answer ARP or neighbour discovery on a link for an address that it has.
struct DiscoverySilence {
  let address: IPAddress
  /// The interface on which it is silent.
  let device: String
  /// The settings that keep it so, by their names; none in IPv6.
  let settings: [(name: String, value: String)]

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
    settings = ["all", device].map { InterfaceSetting.arpIgnore.name(of: $0, version: 4) }
      .compactMap { name in snapshot.sysctls[name].map { (name, $0) } }.filter { $0.value != "0" }
    switch settings.compactMap({ Int($0.value) }).max() {
    case 1: if isHere { return nil }
    case 2:
      let own = snapshot.addresses.entries(address).filter { $0.interface == link.index }
      if own.contains(where: { $0.local.network.contains(asker) }) { return nil }
    case 8: break
    default: return nil
    }
  }

  /// What to ask to find that out of what answered this ping; nothing where nobody would ask.
  static func questions(_ plan: ProbePlan, _ snapshot: Snapshot) -> [Question] {
    guard plan.entrance == .arriving, !plan.hasChosenReceiver, snapshot.isLocal(plan.destination),
      let device = snapshot.bridge(of: plan.device) ?? plan.device
    else { return [] }
    return questions(plan.destination, on: [device])
  }

  /// The same, of any of its interfaces.
  static func questions(_ address: IPAddress, on devices: [String]) -> [Question] {
    guard address.family == 4 else { return [.host(.proxies)] }
    return [
      .sysctls(
        (["all"] + devices).map { InterfaceSetting.arpIgnore.path(of: $0, version: 4) }.sorted())
    ]
  }
}

extension Story {
  /// What may keep a neighbour silent here that another network namespace asks for.
  func questions(ofSilenceAbout address: IPAddress) -> [Question] {
    var questions: [Question] = unknownDeciders.map { .rule($0) }
    if snapshot.isLocal(address) {
      questions += DiscoverySilence.questions(address, on: snapshot.devices(onLinkWith: address))
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
    snapshot.devices(onLinkWith: address).lazy
      .compactMap { DiscoverySilence(of: address, to: asker, on: $0, snapshot) }.first
      .map { told(DiscoveryUnanswered.finding($0, asker: "\(asker)", snapshot)) }
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
