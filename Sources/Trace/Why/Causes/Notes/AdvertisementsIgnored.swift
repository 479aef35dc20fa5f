internal import Wire

extension FindingID {
  static let routerAdvertisementsIgnored = FindingID(rawValue: "router-advertisements-ignored")
}

/// A router announces itself, and this host takes no notice, for it is one itself.
enum AdvertisementsIgnored: ExchangeNote {
  static let page = FindingPage(
    .routerAdvertisementsIgnored, "An IPv6 router announces itself, and is ignored",
    meaning: """
      Hosts get their default route from the router advertisements of the link. A host that forwards IPv6
      counts as a router, and ignores them unless the interface's setting `accept_ra` is 2. It often
      happens when forwarding is switched on for containers or a VPN: when its old default route expires,
      IPv6 is gone.
      """,
    certainty: """
      A note, and always certain.
      """,
    conclusion: """
      There is no default route, an interface has heard router advertisements
      (`Icmp6InRouterAdvertisements` in /proc/net/dev_snmp6), its `forwarding` is not 0, and its
      `accept_ra` is not 2.
      """,
    advice: """
      `sysctl -w net.ipv6.conf.IFACE.accept_ra=2`, for the interface that leads to the upstream router, and
      the same in /etc/sysctl.d. Where systemd-networkd or NetworkManager handles advertisements itself,
      the setting is 0 on purpose: look there.
      """)

  static let needs: [Need] = [.host(.advertisements), .routes]

  static func examine(_ exchange: Exchange, _ answers: () -> Answers) -> Finding? {
    let answers = answers()
    guard let destination = exchange.request?.packet.destination ?? answers.plan?.destination,
      destination.family == 6,
      let state = ignored(to: destination, answers.snapshot, answers.host(.advertisements))
    else { return nil }
    return note(
      "a router announces itself on \(state.device), and is ignored: a host that forwards takes its "
        + "default route only where accept_ra is 2",
      evidence: [.advertisements(state)])
  }

  /// The interface on which a router is ignored that a packet to this destination would need.
  static func ignored(
    to destination: IPAddress, _ snapshot: Snapshot, _ host: HostState
  ) -> RouterAdvertisements? {
    guard destination.family == 6, !destination.isLinkLocal, !destination.isMulticast,
      !snapshot.routes.routes(to: destination).contains(where: { $0.kind == .unicast })
    else { return nil }
    return host.advertisements?.first { $0.forwarding != "0" && $0.accept != "2" }
  }
}
