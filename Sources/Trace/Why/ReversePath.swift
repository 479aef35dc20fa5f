internal import Wire

/// The way from this host back to a packet's source, as the kernel looks for it before it takes the packet in: with
/// the packet's addresses turned, its TOS, and where it is told so, its mark.
struct ReversePath {
  private let lost: LostPacket
  private let hop: Hop
  private let routing: PolicyRouting
  /// What leads back; nil where nothing does.
  let route: RouteMessage?

  /// The way back of a packet that was seen before routing. `mark` is what the kernel looks for it with.
  init?(_ lost: LostPacket, mark: UInt32 = 0) {
    guard let hop = lost.routed else { return nil }
    self.lost = lost
    self.hop = hop
    routing = Self.routing(hop, mark: mark, lost.snapshot)
    route = lost.snapshot.routes.isEmpty ? lost.wayBack?.route : routing.route
  }

  /// The rules and tables by which the way back is looked for.
  static func routing(_ hop: Hop, mark: UInt32, _ snapshot: Snapshot) -> PolicyRouting {
    var turned = hop.packet
    swap(&turned.source, &turned.destination)
    turned.transport = turned.transport.turned
    return PolicyRouting(sending: turned, mark: mark, snapshot)
  }

  /// The interfaces by which a route leads: of several next hops, each has its own.
  static func devices(_ route: RouteMessage?, _ snapshot: Snapshot) -> [String] {
    guard let route else { return [] }
    return ([route.outputInterface] + route.nextHops.map(\.interface))
      .compactMap { snapshot.name($0) }
  }

  private var source: IPAddress { hop.packet.source }

  /// The interface that it leads to: of several, the one by which the packet came in, if it is among them.
  var device: String? {
    let devices = Self.devices(route, lost.snapshot)
    return devices.first { lost.snapshot.isSamePlace($0, hop.inDevice) } ?? devices.first
  }

  /// The rule and the route that lead there, where they are not what everybody has.
  var evidence: [Evidence] {
    guard let route, route.table != 254, !lost.snapshot.routes.isEmpty else { return [] }
    return (routing.decider.map { [.policyRule($0)] } ?? []) + [.route(route)]
  }

  /// Behind a sentence: the table that leads there, if it is not the main one.
  var tableWords: String {
    guard let route, route.table != 254 else { return "" }
    return " as table \(RoutingWords.name(ofTable: route.table)) has it"
  }

  /// What lets the source be reached by the interface that the packet came in by. `loosened` is the command that
  /// has the check be content with any way back, if there is one.
  func remedy(loosened: Command?) throws(Word.Unspeakable) -> Command? {
    guard let device = hop.inDevice else { return nil }
    if lost.isReply, route != nil, let loosened { return loosened }
    // Both are right, and a route by one of them alone would fail what comes by the other.
    if let loosened, lost.snapshot.areOnOneLink(self.device, device, with: source) {
      return loosened
    }
    if let home = try homeRoute(by: device) { return home }
    if let route, route.destination.length <= 1, !source.isPrivate {
      // A host on the Internet is behind an uplink, not on its link.
      let asked = hop.packet.destination
      guard lost.snapshot.isLocal(asked) else { return loosened }
      let uplink = UplinkRouting(asked: asked, isOwn: true, by: source, device, lost.snapshot)
      return try uplink.remedy ?? loosened
    }
    return try ReturnRoute(to: source, by: device, lost.snapshot)?.remedy(in: route?.table)
      ?? loosened
  }

  /// The route that the main table has to the source, for the table that leads elsewhere.
  private func homeRoute(by device: String) throws(Word.Unspeakable) -> Command? {
    guard let route, route.table != 254 else { return nil }
    return try RoutingWords.copy(
      ofRouteTo: source, by: device, into: route.table, before: routing.decider, lost.snapshot)
  }
}
