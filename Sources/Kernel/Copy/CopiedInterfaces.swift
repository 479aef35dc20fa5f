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
  private var addresses: [NetlinkMessage] = []
  /// The addresses that neighbours' questions are answered for.
  private var proxied: [NetlinkMessage] = []
  /// What is not the same in the copy.
  private(set) var differences: [CopyDifference] = []

  /// An interface, and what the kernel lists of it besides.
  struct Link {
    var message: LinkMessage
    var attributes: [NetlinkAttribute]

    /// Made as it is, and not an end of a pair.
    var isMade: Bool { ["bridge", "vlan", "vrf"].contains(message.kind) }
  }

  private enum Attribute {
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

  /// `IFLA_BR_…` that say what a bridge does; the others are what it has come to.
  private static let bridgeSettings: Set<UInt16> = [5, 6, 7, 8, 9, 22, 23, 25, 36, 37, 38, 39]
  /// `IFLA_BRPORT_…` of the same kind.
  private static let portSettings: Set<UInt16> = [
    2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 25, 27, 28, 30, 31, 32, 33, 39,
  ]

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
    copied.neighbours =
      try routes.dump(RouteMessageType.getNeighbour)
      + routes.dump(RouteMessageType.getNeighbour, family: UInt8(AF_BRIDGE))
    return copied
  }

  /// Those of a topology, and the loopback.
  init(_ topology: Topology) {
    let numbers = Dictionary(
      uniqueKeysWithValues: topology.interfaces.enumerated().map { ($1.name, UInt32($0 + 2)) })
    var described = topology.interfaces
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
  }

  /// Whether both ends of a pair are here.
  private func isPaired(_ link: Link) -> Bool {
    guard link.message.kind == "veth", link.message.linkNamespace == nil else { return false }
    return links.contains { $0.message.index == link.message.link && $0.message.kind == "veth" }
  }

  /// Whether the world is behind it.
  private func reachesOut(_ link: Link) -> Bool {
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

  /// What its kind is, with these settings.
  private static func info(_ link: Link, _ data: [NetlinkAttribute]) -> NetlinkAttribute {
    NetlinkAttribute(
      Attribute.linkInfo,
      nested: [
        NetlinkAttribute(Attribute.infoKind, string: link.message.kind ?? ""),
        NetlinkAttribute(Attribute.infoData, nested: data),
      ])
  }

  private static func data(_ link: Link) -> [NetlinkAttribute] {
    let info = (try? link.attributes[type: Attribute.linkInfo]?.nested()) ?? []
    return (try? info[type: Attribute.infoData]?.nested()) ?? []
  }

  /// What a bridge is set to, each by itself.
  private static func settings(of link: Link) -> [NetlinkMessage] {
    guard link.message.kind == "bridge" else { return [] }
    return data(link).filter { bridgeSettings.contains($0.type) }.map {
      LinkMessage.setting(info(link, [$0]), of: link.message.index)
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

  private static func portSettings(of link: Link) -> NetlinkMessage? {
    let info = (try? link.attributes[type: Attribute.linkInfo]?.nested()) ?? []
    guard info[type: Attribute.infoPortKind]?.string == "bridge",
      let data = (try? info[type: Attribute.infoPortData]?.nested()) ?? nil
    else { return nil }
    return LinkMessage.setting(
      NetlinkAttribute(
        Attribute.linkInfo,
        nested: [
          NetlinkAttribute(Attribute.infoPortKind, string: "bridge"),
          NetlinkAttribute(
            Attribute.infoPortData, nested: data.filter { portSettings.contains($0.type) }),
        ]), of: link.message.index)
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
      if waiting.isEmpty { return }
      usleep(1000)
    }
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

  // MARK: Addresses and neighbours

  /// Gives them their addresses, without routes of their own: these are copied as well.
  func addAddresses() throws(KernelError) {
    var routes = try RouteSocket()
    let down = Set(links.map(\.message).filter { !$0.flags.contains(.up) }.map(\.index))
    for message in addresses {
      guard
        let attributes = try? NetlinkAttribute.all(in: message.payload, from: 8),
        message.payload.count >= 8
      else { continue }
      // IFA_CACHEINFO is 6, IFA_FLAGS 8: IFA_F_NOPREFIXROUTE, and of those it has IFA_F_SECONDARY is the kernel's. Of
      // what is down the routes come when somebody sets it up.
      let address = try? AddressMessage(parsing: message)
      let isDown = address.map { down.contains($0.interface) } ?? false
      let prefixRoute: UInt32 = isDown ? (address?.flags ?? 0) & 0x200 : 0x200
      let flags: UInt32 = prefixRoute | 0x02
      let kept = attributes.filter { ![6, 8].contains($0.type) }
      let isV6 = message.payload[0] == UInt8(AF_INET6)
      let payload =
        Array(message.payload[..<2]) + [0] + Array(message.payload[3..<8])
        + (kept + [NetlinkAttribute(8, host: isV6 ? flags : prefixRoute)]).bytes
      let copy = NetlinkMessage(type: RouteMessageType.newAddress, payload: payload)
      // lo has its own already.
      try? routes.request(copy, flags: .create, attempt: "add an address")
    }
  }

  /// Has them know the neighbours that the original knows, for good.
  func addNeighbours() throws(KernelError) {
    var routes = try RouteSocket()
    // NUD_INCOMPLETE, NUD_FAILED and NUD_NOARP are no neighbour's.
    let silent: UInt16 = 0x01 | 0x20 | 0x40
    let permanent: UInt16 = 0x80
    for message in neighbours where message.payload.count >= 12 {
      var payload = message.payload
      let isBridge = payload[0] == UInt8(AF_BRIDGE)
      let state = UInt16(payload[8]) | UInt16(payload[9]) << 8
      // Of a bridge's entries those of its ports themselves are there already.
      if isBridge ? state & permanent != 0 && payload[10] & 0x02 == 0 : state & silent != 0 {
        continue
      }
      let kept: [UInt16] = isBridge ? [2, 5, 9] : [1, 2]
      guard let attributes = try? NetlinkAttribute.all(in: payload, from: 12) else { continue }
      payload[8] = isBridge ? 0x40 : UInt8(permanent)
      payload[9] = 0
      if isBridge { payload[10] = payload[10] & ~0x10 | 0x04 }
      let copy = NetlinkMessage(
        type: RouteMessageType.newNeighbour,
        payload: Array(payload[..<12]) + attributes.filter { kept.contains($0.type) }.bytes)
      try? routes.request(copy, flags: [.create, .replace], attempt: "add a neighbour")
    }
    for message in proxied {
      let copy = NetlinkMessage(type: RouteMessageType.newNeighbour, payload: message.payload)
      try? routes.request(copy, flags: [.create, .replace], attempt: "add a proxied neighbour")
    }
  }
}
