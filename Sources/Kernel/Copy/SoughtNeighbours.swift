internal import CNetfilter
package import Wire

/// Who is behind which port of a bridge, of those whom neither the bridge nor its host knows: they are asked for, out of each
/// port. A probe comes in by the port of who sends it. A copy has to know it of those whom its probes are from and for, to
/// have them where they are, and asks in the original. Nobody notes anything of who asks.
package struct SoughtNeighbours: Sendable {
  struct Station: Equatable {
    var address: IPAddress
    var hardware: [UInt8]
    var port: UInt32
  }

  /// Those who answered.
  private(set) var found: [Station] = []
  /// Those who did not, and the bridges behind which they were asked for.
  private(set) var absent: [(address: IPAddress, bridge: UInt32)] = []

  /// To whom nobody out there knows a way back: what was sent with such a source got no answer.
  package var unreturned: [IPAddress] = []

  /// The interface behind which nobody answered what was sent there.
  package var silent: String?

  /// What somebody out there says to the probe instead of an answer.
  package var refusal: FarRefusal?

  /// How long is waited for answers, in nanoseconds.
  private static let patience: UInt64 = 300_000_000
  /// How long another answer is waited for then: some are behind several ports.
  private static let grace: UInt64 = 10_000_000
  private static let longestFrame = 2048

  /// Nobody was asked for.
  package init() {}

  /// Looks for who has these addresses, in the network namespace of the calling thread, where they are behind such a bridge.
  /// What cannot be asked stays unknown.
  package init(_ addresses: [IPAddress]) {
    guard !addresses.isEmpty, var routes = try? RouteSocket() else { return }
    try? seek(addresses, &routes)
  }

  /// Looks for who has this address behind the ports of a bridge, be it one or several.
  package init(_ address: IPAddress, behind bridge: LinkMessage) {
    guard var routes = try? RouteSocket(), let links = try? routes.links(),
      let own = try? routes.addresses()
    else { return }
    ask(Self.questions([address], behind: bridge, links, own))
  }

  /// Behind which port the first was found.
  package var port: UInt32? { found.first?.port }

  /// Who is asked for, behind which bridge, out of which ports.
  private typealias Questions = [(
    question: NeighbourQuestion, bridge: LinkMessage, ports: [UInt32]
  )]

  private static func questions(
    _ addresses: [IPAddress], behind bridge: LinkMessage, _ links: [LinkMessage],
    _ own: [AddressMessage]
  ) -> Questions {
    // Answers to any other address would be for this host to hand on.
    let unusable = AddressMessage.tentative | AddressMessage.optimistic
    let sender = own.first {
      $0.interface == bridge.index && $0.local.address.isLinkLocal && $0.flags & unusable == 0
        && $0.local.address.family == 6
    }?.local.address
    let ports = Self.ports(of: bridge, links).map(\.index)
    guard let asker = bridge.address, !ports.isEmpty else { return [] }
    return addresses.map {
      (NeighbourQuestion(searching: $0, as: asker, at: sender), bridge, ports)
    }
  }

  private static func ports(of bridge: LinkMessage, _ links: [LinkMessage]) -> [LinkMessage] {
    links.filter { $0.master == bridge.index && $0.flags.contains(.up) }
  }

  private mutating func seek(
    _ addresses: [IPAddress], _ routes: inout RouteSocket
  ) throws(KernelError) {
    let links = try routes.links()
    var questions: Questions = []
    for bridge in links where bridge.kind == "bridge" && Self.ports(of: bridge, links).count > 1 {
      let unknown = try unknown(addresses, behind: bridge, &routes)
      questions += Self.questions(unknown, behind: bridge, links, try routes.addresses())
    }
    ask(questions)
  }

  private mutating func ask(_ questions: Questions) {
    guard !questions.isEmpty else { return }
    let number = nftrace_world_socket()
    guard number >= 0 else { return }
    let socket = FileDescriptor(owning: number)
    for (question, _, ports) in questions {
      let frame = question.frame
      for port in ports {
        // Sound: the call reads as many octets as the array has.
        _ = unsafe nftrace_send_frame(socket.number, frame, frame.count, port)
      }
    }
    var buffer = [UInt8](repeating: 0, count: Self.longestFrame)
    var interface: UInt32 = 0
    var answered: Set<Int> = []
    var end = Clock.monotonic + Self.patience
    while Clock.monotonic < end {
      // Sound: the call fills at most the octets that the array has.
      let count = unsafe nftrace_receive_frame(socket.number, &buffer, buffer.count, &interface)
      guard count > 0 else {
        Loop.wait(for: socket.number, nanoseconds: end - min(end, Clock.monotonic))
        continue
      }
      let frame = Array(buffer[..<count])
      for (index, (question, _, ports)) in questions.enumerated() where ports.contains(interface) {
        guard let who = question.answer(in: frame) else { continue }
        let station = Station(address: question.target, hardware: who.bytes, port: interface)
        if !found.contains(station) { found.append(station) }
        answered.insert(index)
        if answered.count == questions.count { end = min(end, Clock.monotonic + Self.grace) }
      }
    }
    absent = questions.enumerated().filter { !answered.contains($0.offset) }.map {
      ($0.element.question.target, $0.element.bridge.index)
    }
  }

  /// Those of the addresses that are behind this bridge, or the routers there that lead to them, of whom it is not known behind
  /// which port they are.
  private func unknown(
    _ addresses: [IPAddress], behind bridge: LinkMessage, _ routes: inout RouteSocket
  ) throws(KernelError) -> [IPAddress] {
    let own = try routes.addresses()
    let subnets = own.filter { $0.interface == bridge.index && !$0.local.address.isLinkLocal }
      .map(\.local)
    let neighbours = try routes.neighbours().filter {
      $0.interface == bridge.index && !$0.state.contains(.failed)
    }
    let seen = Set(try routes.forwarding().filter { $0.port != bridge.index }.map(\.address))
    var wanted: [IPAddress] = []
    for address in addresses {
      let near = subnets.filter { $0.address.family == address.family }
      // A bridge without an address does not route: all may be its neighbours.
      if near.isEmpty || near.contains(where: { $0.network.contains(address) }) {
        wanted.append(address)
      } else if case .route(let route) = try routes.lookup(RouteLookup(to: address)),
        route.outputInterface == bridge.index, let gateway = route.gateway
      {
        wanted.append(gateway)
      }
    }
    return wanted.filter { address in
      let isOwn =
        address.isUnspecified || address.isLoopback || address.isMulticast
        || own.contains { $0.local.address == address }
      let hardware = neighbours.first { $0.address == address }?.hardwareAddress
      return !isOwn && !(hardware.map(seen.contains) ?? false)
    }
  }
}
