import App
import Kernel
import Trace
import Wire

/// The link-layer addresses of frames that arrive on an interface.
struct ArrivingAddresses {
  /// Who seems to have sent them.
  var source: HardwareAddress
  /// To whom; nil for the interface itself, and where there is no such address.
  var destination: HardwareAddress?
  /// The entry that the bridge will make of a source that nobody has, to be taken away again.
  var invented: ForwardingEntry?
  /// What their sender asks this host before it sends; nil where it does not ask.
  var question: NeighbourQuestion?
}

/// What is known of who is behind an interface: of a bridge's port, behind the bridge.
struct NeighbourPlace {
  /// The interface that has the addresses and the neighbours: the bridge of a port.
  private let owner: LinkMessage
  /// The port, if it is one.
  private let port: UInt32?
  private let own: [AddressMessage]
  private let neighbours: [NeighbourMessage]
  /// Who was seen behind which port.
  private let forwarding: [ForwardingEntry]

  /// The address that seems to send, where nobody is known to have the source.
  private static let nobody = HardwareAddress([2, 0x6e, 0x66, 0x74, 0x72, 1])

  /// Looks at what the kernel knows, of one IP version.
  init(
    _ injector: borrowing FrameInjector, version: Int, _ routes: inout RouteSocket
  ) throws {
    let link = try routes.existingLink(injector.name)
    let master = try link.master.flatMap { try routes.link($0) }
    let bridge = master?.kind == "bridge" ? master : nil
    owner = bridge ?? link
    port = bridge == nil ? nil : link.index
    own = try routes.addresses().filter { $0.local.address.family == version }
    let owner = owner.index
    neighbours = try routes.neighbours().filter {
      $0.interface == owner && $0.address.family == version && $0.hardwareAddress != nil
    }
    forwarding = bridge == nil ? [] : try routes.forwarding()
  }

  /// The subnet there, with this host's own address in it.
  var subnet: Prefix? { subnets.first { !$0.address.isLinkLocal } }

  private var subnets: [Prefix] {
    own.filter { $0.interface == owner.index }.map(\.local)
  }

  /// A neighbour who may ask for `destination`: one that answered of late, if there is one.
  func neighbour(for destination: IPAddress) -> IPAddress? {
    let clients = neighbours.filter {
      !$0.address.isMulticast && $0.address.isLinkLocal == destination.isLinkLocal
        && $0.address != destination && $0.state.isDisjoint(with: [.failed, .noARP, .incomplete])
        && isHere($0.hardwareAddress)
    }
    return (clients.first { $0.state.contains(.reachable) } ?? clients.first)?.address
  }

  /// Whether somebody is behind this port, as far as the bridge knows.
  private func isHere(_ address: HardwareAddress?) -> Bool {
    port == nil || forwarding.contains { $0.port == port && $0.address == address }
  }

  /// The router there behind which `source` is; nil for a neighbour, and where no route says it.
  func router(to source: IPAddress, _ routes: inout RouteSocket) throws -> IPAddress? {
    if subnets.contains(where: { $0.network.contains(source) }) { return nil }
    // Another way may be the best one, as where the source seems to be beyond a second uplink.
    for device in [nil, owner.index] {
      var question = RouteLookup(to: source)
      question.outputInterface = device
      if case .route(let route) = try routes.lookup(question),
        route.outputInterface == owner.index
      {
        return route.gateway
      }
    }
    return nil
  }

  /// The addresses with which `source`, or the router that it is behind, would send to `destination`.
  func addresses(
    from source: IPAddress, by router: IPAddress?, to destination: IPAddress,
    wish: Entrance.FrameWish,
    through injector: borrowing FrameInjector
  ) throws -> ArrivingAddresses {
    let known = try wish.source ?? hardware(of: router ?? source) ?? found(router, injector)
    // In a copy each has an address of its own, as the world gives them out.
    let stranger = injector.wireEnd.flatMap {
      HardwareAddress(FarAnswers.hardware(of: router ?? source, $0))
    }
    let sender = known ?? stranger ?? Self.nobody
    var addresses = ArrivingAddresses(source: sender, destination: wish.destination)
    guard injector.address != nil else { return addresses }
    if let port, !forwarding.contains(where: { $0.address == sender }) {
      addresses.invented = ForwardingEntry(port: port, address: sender)
    }
    if wish.destination == nil {
      let asker = router ?? source
      let sought = asked(by: asker, toReach: destination).flatMap { isTentative($0) ? nil : $0 }
      addresses.question = sought.map {
        // What is not known by this MAC address is not to be taken for its neighbour from now on.
        NeighbourQuestion(for: $0, from: sender, at: hardware(of: asker) == sender ? asker : nil)
      }
      addresses.destination = try target(destination, as: sender, through: injector)
    }
    return addresses
  }

  /// For which address of this host a neighbour asks that sends there: the destination, if it is in its subnet, and
  /// else that of its gateway.
  private func asked(by asker: IPAddress, toReach destination: IPAddress) -> IPAddress? {
    guard owner.isEthernet, !owner.flags.contains(.noARP), !destination.isMulticast else {
      return nil
    }
    let subnet = subnets.first { $0.network.contains(asker) }
    let asked: IPAddress?
    if let subnet, !subnet.network.contains(destination) {
      asked = port == nil ? subnet.address : nil
    } else {
      asked = subnet == nil ? nil : destination
    }
    // Who has no address yet asks like this whether another one has it: this host would give a tentative one up for that.
    return own.contains { $0.local.address == asked && $0.flags & AddressMessage.tentative == 0 }
      ? asked : nil
  }

  /// Whether the link is still being asked for an address of this host's: whoever asks for it without an address of his own seems to
  /// want it himself, and the kernel gives it up (RFC 4862, section 5.4.3).
  private func isTentative(_ address: IPAddress) -> Bool {
    own.contains {
      $0.local.address == address
        && $0.flags & (AddressMessage.tentative | AddressMessage.optimistic) != 0
    }
  }

  /// The neighbour to whom a host there gives a packet for `destination`: this host, but for what is in its
  /// own subnet.
  private func target(
    _ destination: IPAddress, as sender: HardwareAddress,
    through injector: borrowing FrameInjector
  ) throws -> HardwareAddress? {
    if let group = HardwareAddress(ofGroup: destination) { return group }
    let isOwn = own.contains { $0.local.address == destination }
    if isOwn || port == nil { return owner.address }
    // A bridge without an address does not route: all who are behind it are neighbours. Each has a link-local one.
    guard
      subnets.allSatisfy(\.address.isLinkLocal)
        || subnets.contains(where: { $0.network.contains(destination) })
    else { return owner.address }
    if let known = hardware(of: destination) { return known }
    let search = try NeighbourSearch(at: injector)
    if let found = try search.find(destination, as: sender, through: injector) { return found }
    // An isolated port's question does not come to others of that kind; the bridge's own does.
    let asker = owner.address ?? sender
    return try NeighbourSearch(on: owner.index, called: owner.name).find(
      destination, as: asker, at: ownOnLink) ?? owner.address
  }

  /// A router answers who asks for it.
  private func found(
    _ router: IPAddress?, _ injector: borrowing FrameInjector
  ) throws -> HardwareAddress? {
    // In a copy whoever is asked is there, by any address.
    guard let router, !injector.isWire, injector.address != nil, let asker = owner.address else {
      return nil
    }
    return try NeighbourSearch(on: owner.index, called: owner.name).find(
      router, as: asker, at: ownOnLink)
  }

  /// Has a bridge's host know who sends, and behind which port: in a copy the world behind every port would say that it is
  /// there.
  func introduce(_ sender: IPAddress, as address: HardwareAddress, _ routes: inout RouteSocket) {
    guard port != nil || owner.kind == "bridge", hardware(of: sender) == nil else { return }
    try? routes.add(
      NeighbourMessage(
        interface: owner.index, address: sender, hardwareAddress: address, state: .permanent))
  }

  /// This host's own address on the link, for what its neighbours are asked.
  private var ownOnLink: IPAddress? {
    own.filter { $0.interface == owner.index && !isTentative($0.local.address) }
      .map(\.local.address).first(where: \.isLinkLocal)
  }

  private func hardware(of address: IPAddress) -> HardwareAddress? {
    neighbours.first { $0.address == address && !$0.state.contains(.failed) }?.hardwareAddress
  }
}
