internal import Wire

extension FindingID {
  static let noCarrier = FindingID(rawValue: "no-carrier")
}

/// The interface that the packet was to leave by is down, or leads nowhere.
enum NoCarrier: Cause {
  static let page = FindingPage(
    .noCarrier, "The outgoing interface is down or has no carrier",
    meaning: """
      Routing chose an interface for the packet that cannot send: it is down, its cable or the other end
      of its link is missing, or, of a TUN or TAP device, no program has it open.
      """,
    certainty: """
      Always certain: the interface's state was read.
      """,
    conclusion: """
      The packet was through with the last hook, or seemed to be sent, and was not answered, and the
      kernel says of its outgoing interface that it is not up or has no carrier.
      """,
    advice: """
      If it is down, the remedy brings it up. Without a carrier, look at the cable, at the switch, at the
      peer of a veth pair, or at the machine at the other end. For a TUN device, start the program that
      should have it open, as a VPN's. A dead link with another route beside it wants a routing protocol
      or `ip route … metric`, for the kernel keeps routes of an interface without a carrier.
      """)

  static let needs: [Need] = [.neighbours]

  static func examine(_ lost: LostPacket) -> Finding? {
    // Whether it was lost for its neighbour, by its queue, or as if sent: an interface that asks for
    // no neighbour, as a TUN device, drops it behind all hooks.
    let hasLeft = lost.stage == .behindEgress || lost.stage == .sent && !lost.isReply
    guard lost.stage == .output || hasLeft, let device = lost.lowestDevice,
      let link = lost.snapshot.link(device),
      // That this host has to itself is up or down, and has no other end.
      !link.flags.contains(.up) || !link.flags.contains(.loopback),
      !link.flags.contains(.up) || !link.flags.contains(.lowerUp) || link.carrier == false
    else { return nil }
    let isDown = !link.flags.contains(.up)
    let isAbandoned = link.kind == "tun"
    if !isDown, link.kind == "bridge" { return ofBridge(link, lost) }
    // The probe's own device has nftrace for the program that has it open.
    if isAbandoned, !isDown, device == lost.header?.probe?.device { return nil }
    return error(
      isDown
        ? link.flags.contains(.loopback)
          ? "\(device) is down, by which this host reaches its own addresses" : "\(device) is down"
        : isAbandoned
          ? "no program has \(device) open: start the one that should, a VPN's for instance"
          : "\(device) has no carrier: look at the cable and the other end",
      evidence: [.interfaceState(device, link.state)] + lost.reasonEvidence,
      remedy: try isDown ? "ip link set dev \(Word.device(device)) up" : nil)
  }

  /// A bridge has a carrier while one of its ports has.
  private static func ofBridge(_ bridge: LinkMessage, _ lost: LostPacket) -> Finding {
    let ports = lost.snapshot.ports(of: bridge.name)
    let down = ports.filter { !$0.flags.contains(.up) }
    let names = (down.isEmpty ? ports : down).map { Escape.name($0.name) }.joined(separator: ", ")
    let why =
      ports.isEmpty
      ? "it has no port"
      : down.isEmpty
        ? "none of its ports has (\(names)): look at their cables and other ends"
        : down.count == 1 ? "\(names), a port of it, is down" : "ports of it are down: \(names)"
    return error(
      "\(bridge.name) has no carrier, for \(why)",
      evidence: ([bridge] + ports.prefix(8)).map { .interfaceState($0.name, $0.state) }
        + lost.reasonEvidence,
      remedy: try down.count == 1 ? "ip link set dev \(Word.device(down[0].name)) up" : nil)
  }

  /// The other end of a pair is down, which is in another place.
  static func peerDown(_ peer: LinkMessage, of end: String) -> Finding {
    error(
      "\(peer.name) is down, the other end of \(end)",
      evidence: [.interfaceState(peer.name, peer.state)],
      remedy: try "ip link set dev \(Word.device(peer.name)) up")
  }
}
