internal import Wire

extension FindingID {
  static let forwardingDisabled = FindingID(rawValue: "forwarding-disabled")
}

extension Counter {
  fileprivate static let badAddress = Counter("IpInAddrErrors")
}

/// This host does not pass on what is for others.
enum ForwardingDisabled: Cause {
  static let page = FindingPage(
    .forwardingDisabled, "This host does not forward",
    meaning: """
      The packet is for another machine, and this host knows a way there, but it does not act as a
      router: forwarding is off for all interfaces, or for the one that the packet came in by. The
      kernel drops the packet without telling its sender.
      """,
    certainty: """
      Always certain: the setting was read, and the route lookup shows that nothing else is missing.
      """,
    conclusion: """
      IPv4: the lookup of the packet as it came in is refused with EHOSTUNREACH, a lookup without the
      incoming interface finds a route, and `ip_forward` or the interface's `forwarding` is 0. IPv6: the
      lookup finds a route, the packet was not forwarded, and `net.ipv6.conf.all.forwarding` is 0.
      """,
    advice: """
      Run the remedy. To keep it over a reboot, write the setting into a file in `/etc/sysctl.d`. Before
      you make a machine a router, see that its firewall filters what it forwards.
      `nftrace ping --forward` switches it on for as long as the command runs.
      """)

  static let needs: [Need] = [
    .plainRoute, .routes, .setting(.forwarding4), .setting(.forwarding6),
    .interfaceSetting(.forwarding), .counter(.badAddress), .host(.advertisements),
  ]

  static let isToldByRouting = true

  static func examine(_ lost: LostPacket) -> Finding? {
    lost.version == 4 ? examine4(lost) : examine6(lost)
  }

  private static func examine4(_ lost: LostPacket) -> Finding? {
    guard let hop = lost.routed, lost.packetInRouting != nil,
      lost.route?.errno == RouteErrno.unreachable,
      // A rule for what comes in there is none for what this host sends.
      lost.plainRoute?.route != nil || PolicyRouting(lost).route?.kind == .unicast,
      let device = hop.inDevice, let name = lost.forwardingSwitch
    else { return nil }
    return finding(
      lost, name,
      name == Setting.forwarding4.name
        ? "this host does not forward IPv4 packets"
        : "packets that come in by \(device) are not forwarded",
      evidence: lost.rises([.badAddress]))
  }

  /// IPv6 lookups do not model forwarding: the setting says it.
  private static func examine6(_ lost: LostPacket) -> Finding? {
    guard let packet = lost.packetInRouting, lost.value(of: .forwarding6) == "0",
      lost.route?.errno == nil, lost.route?.route?.kind != .local,
      !packet.destination.isMulticast
    else { return nil }
    return finding(lost, Setting.forwarding6.name, "this host does not forward IPv6 packets")
  }

  private static func finding(
    _ lost: LostPacket, _ name: String, _ what: String, evidence: [Evidence] = []
  ) -> Finding {
    error(
      "\(what): \(name) is 0",
      evidence: [.setting(name, value: "0")] + evidence + lost.reasonEvidence,
      remedy: try remedy(lost, name)
    ).inShort(what)
  }

  /// A host that forwards takes default routes from routers only where it is told to, and throws away those that it
  /// has: that is said first.
  private static func remedy(
    _ lost: LostPacket, _ name: String
  ) throws(Word.Unspeakable) -> Command {
    var settings: [Command] = []
    let known = lost.version == 6 ? lost.snapshot.routes.routes(to: lost.packet.destination) : []
    for state in lost.host(.advertisements).advertisements ?? []
    where state.accept == "1"
      && known.contains(where: { route in
        route.origin == .routerAdvertisement
          && ([route.outputInterface] + route.nextHops.map(\.interface)).contains {
            lost.snapshot.name($0) == state.device
          }
      })
    {
      let accept = InterfaceSetting("accept_ra", versions: [6]).name(of: state.device, version: 6)
      settings.append("\(try Word.sysctl(accept))=2")
    }
    settings.append("\(try Word.sysctl(name))=1")
    return "sysctl -w \(settings.joined(separator: " "))"
  }
}

extension LostPacket {
  /// The setting by which IPv4 packets that come in where this one did are not forwarded.
  var forwardingSwitch: String? {
    guard version == 4, let device = routed?.inDevice else { return nil }
    if value(of: .forwarding4) == "0" { return Setting.forwarding4.name }
    return setting(.forwarding, of: device).flatMap { $0.value == "0" ? $0.name : nil }
  }

  /// The packet as it was when it stopped in the routing decision; nil if it did not.
  var packetInRouting: Packet? { stage == .routing ? routed?.packet : nil }
}
