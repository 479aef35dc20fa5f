internal import CNetfilter
internal import Glibc
internal import Trace
internal import Wire

/// The interfaces of a network namespace, and how another one is given such of the same names, numbers and addresses.
///
/// A bridge, a VLAN and a VRF are made as they are; everything else is one end of a veth pair, whose other end
/// stands for the world behind it.
struct CopiedInterfaces: Sendable {
  private(set) var links: [Link]
  /// The neighbours that answered, and what bridges know.
  private(set) var neighbours: [NetlinkMessage] = []
  private(set) var addresses: [NetlinkMessage] = []
  /// Subnets, and the numbers of the interfaces that have addresses of theirs.
  private(set) var subnets: [(prefix: Prefix, interface: UInt32)] = []
  /// The addresses that neighbours' questions are answered for.
  private(set) var proxied: [NetlinkMessage] = []
  /// What is not the same in the copy.
  private(set) var differences: [CopyDifference] = []

  /// An interface, and what the kernel lists of it besides.
  struct Link {
    var message: LinkMessage
    var attributes: [NetlinkAttribute]

    /// Made as it is, and not an end of a pair.
    var isMade: Bool { ["bridge", "vlan", "vrf"].contains(message.kind) }
  }

  enum Attribute {
    static let address: UInt16 = 1
    static let name: UInt16 = 3
    static let mtu: UInt16 = 4
    static let link: UInt16 = 5
    static let master: UInt16 = 10
    static let linkInfo: UInt16 = 18
    static let carrier: UInt16 = 33
    static let linkNamespace: UInt16 = 37
    static let group: UInt16 = 27
    static let infoKind: UInt16 = 1
    static let infoData: UInt16 = 2
    static let infoPortKind: UInt16 = 4
    static let infoPortData: UInt16 = 5
  }

  /// How far the number of the other end is from that of an interface. The kernel takes one whose other end has its
  /// own number for one that stands on nothing, and may not see its carrier for a second.
  static let otherEnd: UInt32 = 1_000_000

  private init(_ links: [Link]) { self.links = links }

  // MARK: Reading

  /// Reads what is there, in the network namespace of the calling thread.
  static func read() throws(KernelError) -> CopiedInterfaces {
    var routes = try RouteSocket()
    var copied = CopiedInterfaces([])
    for message in try routes.dump(RouteMessageType.getLink) {
      guard let link = try? LinkMessage(parsing: message),
        let attributes = try? NetlinkAttribute.all(
          in: message.payload, from: LinkMessage.headerLength)
      else { continue }
      copied.links.append(Link(message: link, attributes: attributes))
    }
    let disciplines = Set(try routes.qdiscs().filter { !$0.isDefault }.map(\.interface))
    for link in copied.links.map(\.message) {
      let hasTCX = nftrace_bpf_tcx(link.index, 46) > 0 || nftrace_bpf_tcx(link.index, 47) > 0
      if link.hasXDP || hasTCX || disciplines.contains(link.index) {
        copied.differences.append(.program(link.name))
      }
    }
    for link in copied.links.map(\.message) where link.kind == "bridge" {
      let ports = copied.links.filter { $0.message.master == link.index && copied.reachesOut($0) }
      if ports.count > 1 { copied.differences.append(.ports(link.name)) }
    }
    copied.proxied = try routes.dump(NeighbourMessage.proxyQuestion, of: "the proxied neighbours")
    copied.addresses = try routes.dump(RouteMessageType.getAddress).filter {
      [UInt8(AF_INET), UInt8(AF_INET6)].contains($0.payload.first ?? 0)
    }
    copied.subnets = copied.addresses.compactMap { try? AddressMessage(parsing: $0) }.map {
      ($0.local, $0.interface)
    }
    copied.neighbours =
      try routes.dump(RouteMessageType.getNeighbour)
      + routes.dump(RouteMessageType.getNeighbour, family: UInt8(AF_BRIDGE))
    return copied
  }

  /// Those of a topology, and the loopback.
  init(_ topology: Topology) {
    // The loopback is there, with the number 1: it has addresses at most.
    var described = topology.interfaces.filter { $0.name != "lo" }
    let numbers = Dictionary(
      uniqueKeysWithValues: described.enumerated().map { ($1.name, UInt32($0 + 2)) })
    // A bridge without a port has no carrier.
    for bridge in topology.interfaces where bridge.isBridge {
      if topology.interfaces.contains(where: { $0.master == bridge.name }) { continue }
      var port = Topology.Interface(name: "port\(numbers[bridge.name]!)", line: bridge.line)
      port.master = bridge.name
      described.append(port)
    }
    links = described.enumerated().compactMap { place, interface in
      Self.link(
        interface, number: UInt32(place + 2), master: interface.master.flatMap { numbers[$0] })
    }
    subnets = topology.interfaces.flatMap { interface in
      interface.addresses.map { ($0, numbers[interface.name] ?? 1) }
    }
  }

  /// An interface as the kernel would list it.
  private static func link(
    _ interface: Topology.Interface, number: UInt32, master: UInt32?
  ) -> Link? {
    let kind = interface.isBridge ? "bridge" : "veth"
    var attributes = [
      NetlinkAttribute(Attribute.name, string: interface.name),
      NetlinkAttribute(
        Attribute.address, [0x02, 0, 0, 0, UInt8(number >> 8 & 0xff), UInt8(number & 0xff)]),
      NetlinkAttribute(Attribute.carrier, [interface.isUp ? 1 : 0]),
      NetlinkAttribute(Attribute.link, host: UInt32(1)),
      NetlinkAttribute(Attribute.linkNamespace, host: UInt32(0)),
      NetlinkAttribute(
        Attribute.linkInfo, nested: [NetlinkAttribute(Attribute.infoKind, string: kind)]),
    ]
    if let mtu = interface.mtu { attributes.append(NetlinkAttribute(Attribute.mtu, host: mtu)) }
    if let master { attributes.append(NetlinkAttribute(Attribute.master, host: master)) }
    let flags: LinkMessage.Flags = interface.isUp ? [.up, .lowerUp, .running] : []
    let message = LinkMessage.listing(index: number, flags: flags, attributes)
    return (try? LinkMessage(parsing: message)).map { Link(message: $0, attributes: attributes) }
  }

  /// What is Ethernet in the copy alone.
  var standIns: [String] {
    links.filter { reachesOut($0) && !$0.message.isEthernet }.map(\.message.name)
  }

  /// The number of the other end of an interface, from which packets come in by it; nil where the world is not behind
  /// it. Behind a bridge it is behind its first port.
  func otherEnd(of name: String) -> UInt32? {
    guard let link = links.first(where: { $0.message.name == name }) else { return nil }
    let port =
      link.message.kind == "bridge"
      ? links.first { $0.message.master == link.message.index && reachesOut($0) } : link
    return port.flatMap { reachesOut($0) ? $0.message.index &+ Self.otherEnd : nil }
  }

  // MARK: Making

  /// Makes the interfaces in the network namespace of the calling thread; the other ends are in the namespace of this
  /// file descriptor. They are down.
  mutating func make(otherEnds: Int32) throws(KernelError) {
    var routes = try RouteSocket()
    for link in links where reachesOut(link) { try makePair(link, otherEnds, &routes) }
    for link in links where isPaired(link) { try makeInnerPair(link, &routes) }
    // What stands on another is made when that is there.
    var waiting = links.filter(\.isMade)
    while !waiting.isEmpty {
      let isThere = Set(links.map(\.message.index)).subtracting(waiting.map(\.message.index))
      let next = waiting.firstIndex { link in
        link.message.kind != "vlan" || link.message.link.map(isThere.contains) ?? true
      }
      let link = waiting.remove(at: next ?? 0)
      try makeAlike(link, otherEnds, &routes)
    }
    for link in links {
      guard let master = link.message.master else { continue }
      try? routes.request(
        LinkMessage.setting(master: master, of: link.message.index), attempt: "make a port")
      if let settings = Self.portSettings(of: link) {
        try? routes.request(settings, attempt: "set a port")
      }
    }
    for message in widths { try? routes.request(message, attempt: "set a bridge") }
  }

  /// Whether both ends of a pair are here.
  private func isPaired(_ link: Link) -> Bool {
    guard link.message.kind == "veth", link.message.linkNamespace == nil else { return false }
    return links.contains { $0.message.index == link.message.link && $0.message.kind == "veth" }
  }

  /// Whether the world is behind it.
  func reachesOut(_ link: Link) -> Bool {
    !link.isMade && !link.message.flags.contains(.loopback) && !isPaired(link)
  }

  private func makeInnerPair(_ link: Link, _ routes: inout RouteSocket) throws(KernelError) {
    let peer = links.first { $0.message.index == link.message.link }!
    // Once, and not of each end.
    guard link.message.index < peer.message.index else { return }
    try routes.createVeth(
      link.message.name, index: link.message.index, peer: peer.message.name,
      peerIndex: peer.message.index)
    furnish(link, &routes)
    furnish(peer, &routes)
  }

  private func makePair(
    _ link: Link, _ otherEnds: Int32, _ routes: inout RouteSocket
  ) throws(KernelError) {
    let (name, index) = (link.message.name, link.message.index)
    try routes.createVeth(
      name, index: index, peer: "far\(index)", peerNamespace: otherEnds,
      peerIndex: index &+ Self.otherEnd)
    furnish(link, &routes)
  }

  /// Gives an end of a pair what the interface has that it stands for.
  private func furnish(_ link: Link, _ routes: inout RouteSocket) {
    let (name, index) = (link.message.name, link.message.index)
    let kept = link.attributes.filter { attribute in
      [Attribute.mtu, Attribute.group].contains(attribute.type)
        || attribute.type == Attribute.address && link.message.isEthernet
    }
    for attribute in kept {
      try? routes.request(
        LinkMessage.setting(attribute, of: index), attempt: "set \(name)")
    }
    if link.message.flags.contains(.noARP) {
      try? routes.request(LinkMessage.settingNoARP(of: index), attempt: "set \(name)")
    }
  }

  private mutating func makeAlike(
    _ link: Link, _ otherEnds: Int32, _ routes: inout RouteSocket
  ) throws(KernelError) {
    do {
      try routes.request(
        Self.creation(link), flags: .new, attempt: "create \(link.message.name)")
      // One by one: what this kernel's bridges do not have, it refuses.
      for setting in Self.settings(of: link) {
        try? routes.request(setting, attempt: "set \(link.message.name)")
      }
    } catch {
      // This kernel cannot make one.
      differences.append(.interface(link.message.name, kind: link.message.kind ?? ""))
      try makePair(link, otherEnds, &routes)
    }
  }

  /// A bridge, a VLAN or a VRF of the same number and name.
  private static func creation(_ link: Link) -> NetlinkMessage {
    var attributes = link.attributes.filter {
      [Attribute.name, Attribute.address, Attribute.mtu, Attribute.group].contains($0.type)
    }
    if link.message.kind == "vlan", let below = link.attributes[type: Attribute.link] {
      attributes.append(below)
    }
    attributes.append(info(link, link.message.kind == "bridge" ? [] : data(link)))
    return LinkMessage.creation(index: link.message.index, attributes)
  }

  /// Sets up the other ends, of those that have a carrier, in the network namespace of the calling thread.
  func raiseOtherEnds() throws(KernelError) {
    var routes = try RouteSocket()
    for link in links where reachesOut(link) {
      // A TUN device is without one until somebody opens it, as a client behind it would have. Of what is down it is not
      // known.
      guard
        link.message.carrier != false || link.message.kind == "tun"
          || !link.message.flags.contains(.up)
      else { continue }
      try routes.request(
        LinkMessage.setting(up: true, of: link.message.index &+ Self.otherEnd),
        attempt: "set the far end of \(link.message.name) up")
    }
  }

  /// Sets up those that are, and waits until they carry packets.
  func raise() throws(KernelError) {
    var routes = try RouteSocket()
    for link in links {
      let isUp = link.message.flags.contains(.up)
      // lo is up already.
      guard isUp != link.message.flags.contains(.loopback) else { continue }
      try routes.request(
        LinkMessage.setting(up: isUp, of: link.message.index),
        attempt: "set \(link.message.name) up")
    }
    var waiting = links.filter {
      $0.message.flags.contains(.up) && !$0.message.flags.contains(.loopback)
        && ($0.message.flags.contains(.lowerUp) || $0.message.kind == "tun")
    }.map(\.message.index)
    for _ in 0..<2000 {
      let ready = try routes.links().filter { $0.flags.contains(.lowerUp) && $0.state != .down }
      waiting.removeAll { index in ready.contains { $0.index == index } }
      if waiting.isEmpty { break }
      usleep(1000)
    }
    for message in portStates { try? routes.request(message, attempt: "set a port") }
  }

  /// Waits until those in the network namespace of the calling thread that have a carrier carry packets: the kernel may
  /// take a second.
  static func awaitCarriers() throws(KernelError) {
    var routes = try RouteSocket()
    for _ in 0..<2000 {
      let isWaiting = try routes.links().contains {
        $0.flags.isSuperset(of: [.up, .lowerUp]) && $0.state == .down
      }
      guard isWaiting else { return }
      usleep(1000)
    }
  }
}
