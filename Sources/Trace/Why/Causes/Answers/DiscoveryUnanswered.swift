internal import Wire

extension FindingID {
  static let discoveryUnanswered = FindingID(rawValue: "discovery-unanswered")
}

/// This host has the address, and does not answer for it on the client's link.
enum DiscoveryUnanswered: Cause {
  static let page = FindingPage(
    .discoveryUnanswered, "This host does not answer ARP or neighbour discovery for its address",
    meaning: """
      The destination is an address of this host, often on another interface than the one behind which the client is, `lo`
      for instance, and in the client's own subnet. So the client asks for its MAC address on its link, and this host
      keeps silent: in IPv4 by the setting `arp_ignore`, in IPv6 always. Or this host has several interfaces in the subnet,
      and its way back to the client leads by another one than the question came in by: with `arp_filter` it does not
      answer then, and a strict `rp_filter` throws the question away as any other packet. The client never sends the
      packet; nftrace, which did, was answered.
      """,
    certainty: """
      Always certain: the addresses and settings were read. That the client asks follows from its subnet.
      """,
    conclusion: """
      The probe came in by an interface whose subnet has both its source and its destination, the destination is an
      address of this host, and the kernel's rules for answering (`arp_ignore`, `arp_filter`, `rp_filter` and the route to
      who asks; in IPv6 the interface's own addresses and the entries of `ip neigh show proxy`) leave it out.
      """,
    advice: """
      If this host alone has the address, run the remedy. If several have it behind a load balancer that rewrites MAC
      addresses (LVS direct routing), silence is meant: then the load balancer is who answers, and is missing here.
      Ask with `--dest-mac`, this host's MAC address, what becomes of a packet that it hands on.
      """)

  static let needs: [Need] = [
    .neighbours, .routes, .interfaceSetting(.arpIgnore), .interfaceSetting(.arpFilter),
    .interfaceSetting(.rpFilter), .host(.proxies),
  ]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.isReply, lost.stage == .sent, let plan = lost.header?.probe,
      let silence = DiscoverySilence(plan, lost.snapshot)
    else { return nil }
    return finding(silence, asker: "who is behind \(silence.device)", lost.snapshot)
  }

  /// That it is silent to somebody.
  static func finding(_ silence: DiscoverySilence, asker: String, _ snapshot: Snapshot) -> Finding {
    let (address, device) = (silence.address, silence.device)
    let asks = address.family == 4 ? "ARP" : "neighbour discovery"
    let own = snapshot.addresses.entries(address).first
    let place = own.flatMap { snapshot.name($0.interface) } ?? "another interface"
    if let back = silence.wayBack {
      return error(
        "\(asker) asks for \(address) by ARP on \(device), and this host does not answer: its way back leads by \(back), and "
          + silence.settings.map { "\($0.name) is \($0.value)" }.joined(separator: ", "),
        evidence: (own.map { [.address($0.local, of: place)] } ?? [])
          + silence.settings.map { .setting($0.name, value: $0.value) },
        remedy: try remedy(silence))
    }
    return error(
      "\(asker) asks for \(address) by \(asks), and this host does not answer: the address is on \(place)"
        + (silence.settings.isEmpty
          ? ", not on \(device)"
          : ", and " + silence.settings.map { "\($0.name) is \($0.value)" }.joined(separator: ", ")),
      evidence: (own.map { [.address($0.local, of: place)] } ?? [])
        + silence.settings.map { .setting($0.name, value: $0.value) },
      remedy: try remedy(silence))
  }

  private static func remedy(_ silence: DiscoverySilence) throws(Word.Unspeakable) -> Command {
    guard silence.address.family == 4 else {
      return
        "ip -6 addr add \(silence.address)/128 dev \(try Word.device(silence.device)) nodad"
    }
    var changes: [Command] = []
    // The greater of both values of the reverse path filter counts: loose is more than strict.
    if silence.settings.contains(where: { $0.name.hasSuffix(".rp_filter") }) {
      let name = InterfaceSetting.rpFilter.name(of: silence.device, version: 4)
      return "sysctl -w \(try Word.sysctl(name))=2"
    }
    for setting in silence.settings { changes.append("\(try Word.sysctl(setting.name))=0") }
    return "sysctl -w \(changes.joined(separator: " "))"
  }
}
