internal import Wire

/// What routing made of a packet of recorded traffic, about which nobody asked the kernel: reckoned from the rules, routes
/// and settings that were recorded, in the order in which the kernel looks (`ip_route_input_slow`).
struct ReckonedRouting {
  private let hop: Hop
  private let snapshot: Snapshot
  private let policy: PolicyRouting

  /// nil where routes were not recorded.
  init?(_ hop: Hop, _ snapshot: Snapshot) {
    guard !snapshot.routes.isEmpty, !snapshot.policy.isEmpty else { return nil }
    self.hop = hop
    self.snapshot = snapshot
    policy = PolicyRouting(hop, snapshot)
  }

  private var packet: Packet { hop.packet }

  /// What it said of the packet as it came in, or as this host made it.
  var answer: RouteAnswer? {
    let isArriving = hop.point.hook != .output && hop.inDevice != nil
    let isIPv4 = packet.source.family == 4
    if let local {
      return isArriving && isIPv4 && isFromElsewhere ? .refused(RouteErrno.invalid) : local
    }
    if snapshot.isForMany(packet.destination) { return nil }
    if let errno = policy.errno {
      return .refused(
        isArriving && isIPv4 && !forwards && errno == RouteErrno.noRoute
          ? RouteErrno.unreachable : errno)
    }
    guard let route = policy.route else { return nil }
    if isArriving, isIPv4 {
      if !forwards { return .refused(RouteErrno.unreachable) }
      if isFromElsewhere { return .refused(RouteErrno.invalid) }
    }
    return .route(route)
  }

  /// What it would have said had this host made it.
  var plain: RouteAnswer? {
    if let local { return local }
    if let errno = policy.errno { return .refused(errno) }
    return policy.route.map { .route($0) }
  }

  private var local: RouteAnswer? {
    guard snapshot.isLocal(packet.destination) else { return nil }
    return .route(
      RouteMessage(
        to: Prefix(packet.destination), kind: .local, table: RouteMessage.localTable))
  }

  private func value(_ setting: InterfaceSetting, of device: String) -> String? {
    snapshot.sysctls[setting.name(of: device, version: 4)]
  }

  private var forwards: Bool {
    guard let device = hop.inDevice else { return true }
    return (value(.forwarding, of: device) ?? snapshot.sysctls[Setting.forwarding4.name]) != "0"
  }

  /// Whether the reverse path filter takes it for one that ought to come in elsewhere.
  private var isFromElsewhere: Bool {
    guard let device = hop.inDevice, !packet.source.isUnspecified else { return false }
    let mode =
      ["all", device].compactMap { value(.rpFilter, of: $0).flatMap { Int($0) } }.max() ?? 0
    if mode == 0 { return false }
    let keepsMark = ["all", device].contains { value(.validMark, of: $0) == "1" }
    let route = ReversePath.routing(hop, mark: keepsMark ? hop.mark : 0, snapshot).route
    guard let route, route.kind == .unicast else { return true }
    return mode == 1
      && !ReversePath.devices(route, snapshot).contains {
        snapshot.isSamePlace($0, device)
      }
  }
}
