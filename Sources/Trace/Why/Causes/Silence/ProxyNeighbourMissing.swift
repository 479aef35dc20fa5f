internal import Wire

extension FindingID {
  static let proxyNeighbourMissing = FindingID(rawValue: "proxy-neighbour-missing")
}

extension InterfaceSetting {
  fileprivate static let proxyARP = InterfaceSetting("proxy_arp", versions: [4])
  fileprivate static let proxyNDP = InterfaceSetting("proxy_ndp", versions: [6])
}

/// Who is to answer takes the sender for a neighbour, and nobody answers for it on that link.
enum ProxyNeighbourMissing: Cause {
  static let page = FindingPage(
    .proxyNeighbourMissing,
    "The neighbours look for the sender on their own link, and nobody answers for it",
    meaning: """
      The packet's source is within the subnet of the link that it left by, but it is behind another
      interface of this host. Machines on that link think that they can reach it directly: they ask for
      its MAC address with ARP or neighbour solicitations. It is not there to answer, and this host does
      not answer in its place, so no answer comes back.
      """,
    certainty: """
      Always likely: that the neighbour asks in vain is what fits, and it is not seen.
      """,
    conclusion: """
      The packet was sent with an untranslated source that is in the subnet of the outgoing interface,
      routing leads to that source by another interface, and neither proxy ARP (`proxy_arp`; in IPv6
      `proxy_ndp` and an entry) nor an entry of `ip neigh show proxy` has this host answer for it.
      """,
    advice: """
      Run the remedy: this host then answers for what it knows a route to. Better in the long run is a
      subnet of its own for what is behind the other interface (a VPN's clients, say), with a route to it
      on the other machines.
      """)

  static let needs: [Need] = [
    .neighbours, .wayBack, .host(.proxies), .interfaceSetting(.proxyARP),
    .interfaceSetting(.proxyNDP),
  ]

  static func examine(_ lost: LostPacket) -> Finding? {
    let source = lost.packet.source
    guard lost.stage == .sent, !lost.isReply, lost.sourceChange == nil, !lost.isFromHere,
      let device = lost.outDevice, let link = lost.snapshot.link(device),
      !link.flags.contains(.noARP), !link.flags.contains(.loopback),
      let subnet = lost.snapshot.addresses.networks(of: link.index).first(where: {
        $0.contains(source)
      }),
      let back = lost.wayBack?.route, let way = lost.snapshot.name(back.outputInterface),
      way != device, !lost.snapshot.isAbove(device, way), !lost.snapshot.isAbove(way, device),
      let proxies = lost.host(.proxies).proxies
    else { return nil }
    let setting = lost.version == 4 ? InterfaceSetting.proxyARP : .proxyNDP
    let own = lost.setting(setting, of: device)
    let isOn = [own, lost.setting(setting, of: "all")].contains { $0?.value == "1" }
    let hasEntry = proxies.contains { $0.device == device && $0.address == source }
    // An entry alone does in IPv4; in IPv6 it takes both.
    guard lost.version == 4 ? !isOn && !hasEntry : !(isOn && hasEntry) else { return nil }
    let asks = lost.version == 4 ? "ARP" : "neighbour discovery"
    return error(
      "\(source) is in the subnet of \(device), where it left, and behind \(way): machines on \(device) ask "
        + "for it by \(asks), and nobody answers, this host neither ("
        + (own.map { "\($0.name) is \($0.value)" } ?? "no proxy \(asks)")
        + (lost.version == 6 && isOn ? ", and there is no entry for it" : "") + ")",
      confidence: .likely,
      evidence: [.address(subnet, of: device), .route(back)]
        + (own.map { [.setting($0.name, value: $0.value)] } ?? []),
      remedy: try remedy(lost, source, device, own?.name, isOn))
  }

  private static func remedy(
    _ lost: LostPacket, _ source: IPAddress, _ device: String, _ setting: String?, _ isOn: Bool
  ) throws(Word.Unspeakable) -> Command? {
    guard let setting else { return nil }
    let change: Command = "sysctl -w \(try Word.sysctl(setting))=1"
    if lost.version == 4 { return change }
    let entry: Command = "ip -6 neigh add proxy \(source) dev \(try Word.device(device))"
    return isOn ? entry : "\(change) && \(entry)"
  }
}
