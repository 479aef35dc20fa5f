import App
import Glibc
import Kernel
import Trace
import Wire

/// Where probes come in, and the addresses that go with it.
struct Entrance {
  /// How they do.
  enum Way {
    /// Written to a TUN device.
    case tun(Shared<TunDevice>)
    /// Sent from this host.
    case local(LocalSender)
    /// As if a neighbour had sent them to an interface.
    case arriving(Shared<FrameInjector>, ArrivingAddresses)
  }

  let way: Way
  /// The address they come from.
  let source: IPAddress
  /// The address they go to.
  let destination: IPAddress
  /// The subnet behind the device.
  let subnet: Prefix
  /// Whether no more than a default route leads to the source.
  var isFromAfar = false
  /// Whether a router hands on to this host what the source sends.
  var isBehindRouter = false

  private init(
    device: consuming TunDevice, source: IPAddress, destination: IPAddress, subnet: Prefix
  ) {
    self.init(
      way: .tun(Shared(device)), source: source, destination: destination, subnet: subnet)
  }

  private init(way: Way, source: IPAddress, destination: IPAddress, subnet: Prefix) {
    self.way = way
    self.source = source
    self.destination = destination
    self.subnet = subnet
  }

  /// What the user said of the frames of probes that arrive on an interface.
  struct FrameWish {
    /// `--source-mac`.
    var source: HardwareAddress?
    /// `--dest-mac`.
    var destination: HardwareAddress?
  }

  /// The entrance that was chosen. `mustBeTun` is whether the interface was named as a TUN device. Throws
  /// when source and destination do not fit together, or the source collides with what the host has.
  static func open(
    _ choice: EntranceChoice, _ proto: IPProtocol, destination: IPAddress, port: UInt16?,
    fields: LocalSender.Fields, frames: FrameWish, mustBeTun: Bool, in copy: HeldCopy? = nil
  ) throws -> Entrance {
    var routes = try RouteSocket()
    switch choice {
    case .local(let source):
      let meant =
        fields.keepsHeader ? destination : Self.meant(by: destination, from: source)
      let question = RouteLookup(
        to: meant, mark: fields.mark, tos: fields.tos, ipProtocol: proto.rawValue,
        destinationPort: port)
      return try local(proto, question, source: source, fields, &routes)
    case .made(let address, let source):
      let usual = Prefix(destination.family == 4 ? "192.168.69.100/24" : "fd00:69::100/64")!
      return try made(address ?? usual, destination, source, &routes)
    case .behind(let name, let source, let isFromAfar):
      var entrance =
        try copy.map {
          try arriving(by: $0.injector(on: name), destination, source, frames, &routes)
        } ?? behind(name, destination, source, frames, mustBeTun: mustBeTun, &routes)
      entrance.isFromAfar = isFromAfar
      return entrance
    }
  }

  /// Where the kernel has this host's own packets for no address go: to this host, by the address that they come
  /// from, which without a source is that of loopback.
  private static func meant(by destination: IPAddress, from source: IPAddress?) -> IPAddress {
    guard destination.isUnspecified else { return destination }
    return destination.family == 4 ? source ?? IPAddress("127.0.0.1")! : IPAddress("::1")!
  }

  /// What comes in by an interface is written to it where it is a TUN device that nobody has open; by any
  /// other it arrives.
  private static func behind(
    _ name: String, _ destination: IPAddress, _ source: IPAddress?, _ frames: FrameWish,
    mustBeTun: Bool, _ routes: inout RouteSocket
  ) throws -> Entrance {
    let link = try routes.link(name)
    let tun = link.flatMap { $0.kind == "tun" && $0.tun?.isTap != true ? $0 : nil }
    if tun.map({ !TunDevice.isHeld($0) }) ?? mustBeTun {
      do {
        return try existing(name, destination, source, &routes)
      } catch let error as KernelError where error.errno == EBUSY {
        // By a program that is not seen from here.
      }
    }
    return try arriving(
      by: FrameInjector(interface: name), destination, source, frames, &routes)
  }

  /// The interface they come in by.
  var deviceName: String? {
    switch way {
    case .tun(let device): device.value.name
    case .local: nil
    case .arriving(let injector, _): injector.value.name
    }
  }

  /// Octets of TCP's data that a client there takes in a segment; nil where this host says what it takes.
  var maximumSegment: UInt16? {
    let headers = destination.family == 4 ? 40 : 60
    return mtu.map { UInt16(clamping: max($0, headers + 1) - headers) }
  }

  /// Octets of a packet that a client there sends as one; nil where this host sends.
  var mtu: Int? {
    guard let name = deviceName, var routes = try? RouteSocket() else { return nil }
    return (try? routes.link(name))??.mtu.map { Int($0) }
  }

  /// The TTL or hop limit with which packets of a Linux host that has the source come in.
  var usualTTL: Int { isBehindRouter || isFromAfar ? 63 : 64 }

  /// What the client asks this host before it sends.
  var question: NeighbourQuestion? {
    if case .arriving(_, let addresses) = way { addresses.question } else { nil }
  }

  /// How they do, in a session.
  var kind: EntranceKind {
    switch way {
    case .tun: .tun
    case .local: .local
    case .arriving: .arriving
    }
  }

  /// Has a bridge forget a sender that nobody is. What it knows of others it keeps, and by itself it would
  /// forget this one after some minutes.
  func leave() {
    guard case .arriving(_, let addresses) = way, let entry = addresses.invented,
      var routes = try? RouteSocket()
    else { return }
    try? routes.forget(entry)
  }

  /// The same, for the probes of `plan`.
  func probeEntrance(_ plan: ProbePlan) -> ProbeEntrance {
    let path: any ProbePath
    var silent: (any SilentDevice)?
    switch way {
    case .tun(let device):
      let tun = TunPath(device)
      path = tun
      silent = device.value.hasCarrier ? nil : tun
    case .local(let sender): path = LocalPath(sender, plan)
    case .arriving(let injector, let addresses): path = ArrivingPath(injector, addresses)
    }
    return ProbeEntrance(
      source: source, subnet: subnet, deviceName: deviceName, isTun: kind == .tun, path: path,
      silent: silent)
  }

  /// What is still needed when all is open: to ask the kernel, to send the probes of `plan`, and to take
  /// back what was changed.
  func rights(_ plan: ProbePlan) -> Capabilities {
    var rights = RuleListing.rights.union(.network)
    switch way {
    case .tun: break
    case .local: rights.formUnion(plan.senderRights.subtracting(.users))
    // Running a program that is loaded took the right to load it before Linux 6.0.
    case .arriving: rights.insert(Privileges.permitted.contains(.bpf) ? .bpf : .system)
    }
    return rights
  }

  /// This host itself. Without `source` it is the address that routing would choose: rules of policy routing
  /// may do so by all that the question has.
  private static func local(
    _ proto: IPProtocol, _ question: RouteLookup, source: IPAddress?,
    _ fields: LocalSender.Fields, _ routes: inout RouteSocket
  ) throws -> Entrance {
    let destination = question.destination
    var question = question
    if let device = fields.device {
      guard let link = try routes.link(device) else {
        throw UsageError("there is no interface \(device) here to send through")
      }
      if link.flags.contains(.loopback), case .route(let route) = try routes.lookup(question),
        route.outputInterface != link.index
      {
        throw UsageError(
          "\(device) leads back to this host, and \(destination) is no address of it: leave -I \(device) out"
        )
      }
      question.outputInterface = link.index
    }
    let sender = try LocalSender(proto, fields, source: source)
    var chosen = source
    if chosen == nil, case .route(let route) = try routes.lookup(question) {
      chosen = route.preferredSource
    } else if chosen == nil {
      chosen = sender.chosenSource(for: destination, port: question.destinationPort ?? 1)
    }
    // Where there is no way, any address does: the packet will not leave.
    let own = try routes.addresses().map(\.local.address).filter { $0.family == destination.family }
    let address = chosen ?? own.first { !$0.isLinkLocal && !$0.isLoopback } ?? own.first
    guard let address else {
      throw UsageError("this host has no IPv\(destination.family) address to send from")
    }
    return Entrance(
      way: .local(sender), source: address, destination: destination, subnet: Prefix(address))
  }

  /// An interface, on which the probes arrive as its neighbour that has the source address would send
  /// them.
  private static func arriving(
    by injector: consuming FrameInjector, _ destination: IPAddress, _ source: IPAddress?,
    _ frames: FrameWish, _ routes: inout RouteSocket
  ) throws -> Entrance {
    let place = try NeighbourPlace(injector, version: destination.family, &routes)
    guard
      let source = source ?? place.neighbour(for: destination)
        ?? place.subnet.flatMap({ neighbour(of: $0) })
    else { throw withoutSource(injector.name, destination) }
    let router = try place.router(to: source, &routes)
    let addresses = try place.addresses(
      from: source, by: router, to: destination, wish: frames, through: injector)
    if injector.isWire { place.introduce(router ?? source, as: addresses.source, &routes) }
    var entrance = Entrance(
      way: .arriving(Shared(injector), addresses), source: source, destination: destination,
      subnet: Prefix(source))
    entrance.isBehindRouter = router != nil
    return entrance
  }

  /// A device of the user's.
  private static func existing(
    _ name: String, _ destination: IPAddress, _ source: IPAddress?, _ routes: inout RouteSocket
  ) throws -> Entrance {
    if let fault = TunDevice.fault(inName: name) { throw UsageError("--tun '\(name)': \(fault)") }
    guard let link = try routes.link(name) else {
      throw UsageError(
        "there is no interface \(name) here. --tun-address ADDR/LENGTH in its place has nftrace make a device for "
          + "the probe; or make it with: ip tuntap add \(name) mode tun")
    }
    let device = try TunDevice(name, carrier: false)
    guard link.flags.contains(.up) else {
      throw UsageError(
        "\(name) is down, so nothing can come in"
          + Command.advice(about: name) { "ip link set dev \($0) up" })
    }
    let subnet = try subnet(of: device.index, destination, &routes)
    let chosen = try source ?? client(in: subnet, behind: name, destination)
    return Entrance(
      device: device, source: chosen, destination: destination,
      subnet: subnet?.network ?? Prefix(chosen))
  }

  /// A device that goes when the command ends.
  private static func made(
    _ address: Prefix, _ destination: IPAddress, _ source: IPAddress?, _ routes: inout RouteSocket
  ) throws -> Entrance {
    let chosen = source ?? neighbour(of: address)!
    let subnet = address.network
    if chosen == address.address {
      throw UsageError(
        "source \(chosen) is the address of the TUN device itself; the probe comes from behind "
          + "it: choose another address of \(subnet)")
    }
    guard subnet.contains(chosen) else {
      throw UsageError(
        "source \(chosen) is not in the TUN device's subnet \(subnet), so no answer would come "
          + "back to it: give the subnet with --tun-address, or a device of your own with --tun")
    }
    try refuseCollisions(subnet, chosen, isAsked: source != nil, &routes)
    let device = try TunDevice("nftrace%d")
    try routes.add(address, to: device.name)
    try routes.setLink(device.name, up: true)
    return Entrance(device: device, source: chosen, destination: destination, subnet: subnet)
  }

  /// An interface's own address, with its subnet, of the destination's IP version; nil if it has none.
  private static func subnet(
    of interface: UInt32, _ destination: IPAddress, _ routes: inout RouteSocket
  ) throws -> Prefix? {
    try routes.addresses().filter { $0.interface == interface }.map(\.local).first {
      $0.address.family == destination.family && !$0.address.isLinkLocal
    }
  }

  /// An address for somebody behind the interface `name`.
  private static func client(
    in subnet: Prefix?, behind name: String, _ destination: IPAddress
  ) throws -> IPAddress {
    guard let client = subnet.flatMap({ neighbour(of: $0) }) else {
      throw withoutSource(name, destination)
    }
    return client
  }

  private static func withoutSource(_ name: String, _ destination: IPAddress) -> UsageError {
    UsageError(
      "\(name) has no IPv\(destination.family) address to choose a source by: give one with "
        + "--source")
  }

  /// The first address of a prefix that is neither the network's, nor this one.
  private static func neighbour(of prefix: Prefix) -> IPAddress? {
    guard prefix.length < prefix.address.bitWidth - 1 else { return nil }
    let candidates: [IPAddress] =
      switch prefix.first {
      case .v4(let value): [.v4(value + 1), .v4(value + 2)]
      case .v6(let value): [.v6(value + 1), .v6(value + 2)]
      }
    return candidates.first { $0 != prefix.address }
  }

  /// The device is about to take over `subnet`: nobody else here may have a part in it.
  private static func refuseCollisions(
    _ subnet: Prefix, _ source: IPAddress, isAsked: Bool, _ routes: inout RouteSocket
  ) throws {
    let links = Dictionary(
      try routes.links().map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first })
    func name(_ index: UInt32?) -> String {
      index.flatMap { links[$0]?.name } ?? "another interface"
    }
    /// What to do about it: what collides with a TUN device's subnet is likely to be that device.
    func way(_ index: UInt32?) -> String {
      let link = index.flatMap { links[$0] }
      return "choose another subnet with --tun-address, or "
        + (link?.kind == "tun"
          ? "send through that device with --tun \(name(index))"
          : "your own device with --tun")
    }
    for address in try routes.addresses() where subnet.overlaps(address.local.network) {
      // Which source was chosen for somebody who asked for none is not what is wrong.
      throw UsageError(
        isAsked && address.local.address == source
          ? "source \(source) is this host's own address on \(name(address.interface)): "
            + way(address.interface)
          : "the TUN device's subnet \(subnet) collides with \(address.local) on "
            + "\(name(address.interface)): \(way(address.interface))")
    }
    for route in try routes.routes() where route.destination.length > 0 {
      guard route.destination.overlaps(subnet), !route.destination.address.isMulticast else {
        continue
      }
      throw UsageError(
        "the TUN device's subnet \(subnet), with the probe's source \(source), collides with the "
          + "route to \(route.destination) through \(name(route.outputInterface)): "
          + way(route.outputInterface))
    }
  }
}

extension ProbePlan {
  /// What it takes this host to send such a probe from where it is sent: a low port takes a right of its own, and the socket of
  /// another user one until it is open.
  var senderRights: Capabilities {
    guard entrance == .local else { return [] }
    var rights: Capabilities = senderUser == nil ? [] : .users
    if sourcePort ?? .max < 1024, proto.kind.holdsPort { rights.insert(.lowPorts) }
    return rights
  }
}
