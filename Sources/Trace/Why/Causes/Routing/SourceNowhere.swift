internal import Wire

extension FindingID {
  static let sourceNowhere = FindingID(rawValue: "source-nowhere")
}

/// The source is behind no interface: it was placed beyond the uplink, and its packets are for the uplink as well.
enum SourceNowhere: Cause {
  static let page = FindingPage(
    .sourceNowhere, "The source is behind no interface of this host",
    meaning: """
      No more than the default route leads to the source that was asked with, so the probe came in from beyond the
      uplink; and it left by the uplink again. Nobody there sends by this host what is for there. The client is behind
      another interface, and this host does not know it: the interface has lost its address, or IPv6 is switched off
      on it. Answers would not reach the client either.
      """,
    certainty: """
      Always certain: both interfaces were seen, and the routes were asked.
      """,
    conclusion: """
      The entrance was not named with `--in`, but follows from a default route to the source, and the request was sent
      out of the same interface with its destination unchanged. Interfaces that are up and have no address of this IP
      version are named.
      """,
    advice: """
      Give the interface behind which the client is its address again (`ip addr`), or a route to the client
      (`ip route`). If the client really is beyond the uplink, say so: `--in IFACE`.
      """)

  static let needs: [Need] = [.neighbours, .routes]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let plan = lost.header?.probe, plan.isPlacedByDefault, let device = plan.device,
      let request = lost.exchange.request, isTurned(request, lost.snapshot)
    else { return nil }
    let version = plan.source.family
    let bare = lost.snapshot.linksWithoutAddress(version: version)
    let words = bare.prefix(3).map { name in
      version == 6
        ? "\(name) has no IPv6 address at all (disable_ipv6?)" : "\(name) has no IPv4 address"
    }
    return error(
      "\(plan.source) is behind no interface of this host: no more than a default route through \(device) leads to it, "
        + "by which \(request.packet.destination) is reached as well"
        + words.map { "; \($0)" }.joined() + "; where the client is, --in says",
      evidence: (PolicyRouting(lost.looking(at: request)).route.map { [.route($0)] } ?? [])
        + [.sent(through: device, source: request.packet.source)])
  }

  /// Whether a request left by the interface that it came in by, for where it was sent to.
  static func isTurned(_ request: Journey, _ snapshot: Snapshot) -> Bool {
    guard !request.isBridged, let last = request.hops.last, let out = last.outDevice,
      last.packet.destination == request.packet.destination
    else { return false }
    return snapshot.isSamePlace(out, request.inDevice)
  }
}

extension Snapshot {
  /// Interfaces that are up, no part of another one, and without an address of this IP version.
  fileprivate func linksWithoutAddress(version: Int) -> [String] {
    links.values.sorted { $0.index < $1.index }.filter { link in
      link.flags.contains(.up) && !link.flags.contains(.loopback) && link.master == nil
        && link.isEthernet && addresses.address(of: link.index, version: version) == nil
    }.map(\.name)
  }
}
