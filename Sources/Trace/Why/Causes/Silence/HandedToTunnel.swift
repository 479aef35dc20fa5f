internal import Wire

extension FindingID {
  static let handedToTunnel = FindingID(rawValue: "handed-to-tunnel")
}

/// It was given to a tunnel, and what became of it there no hook here sees.
enum HandedToTunnel: Cause {
  static let page = FindingPage(
    .handedToTunnel, "It was handed to a tunnel, and nothing came back",
    meaning: """
      The packet left by an interface that is no link but the entrance of a tunnel: WireGuard, or a TUN
      device that a program (OpenVPN, Tailscale, a userspace WireGuard) reads. What it does with the
      packet is decided there: which peer gets it, whether that peer may have such addresses, whether the
      tunnel is up at all. Or it is one of the kernel's over IP (VXLAN, Geneve, GRE …), as networks of containers have
      them: what carries the packet is a packet of this host's own to the other end, with rules and routes of its own.
      """,
    certainty: """
      Always likely: it may have got through the tunnel, and been lost behind it. Certain where this host
      refused it because no peer takes it, and where what carries it did not leave.
      """,
    conclusion: """
      The packet was sent through a WireGuard interface, through a TUN device that a program has open, or through a
      tunnel over IP, and nothing came back. Where what carries it did not leave, the tunnel's interface counts one more
      that was dropped in sending.
      """,
    advice: """
      In WireGuard, `wg show IFACE allowed-ips` says which peer takes which addresses, `latest-handshakes`
      whether it was heard of: the destination has to be allowed here, and the source at the peer. In
      OpenVPN, `route` and `iroute` say the same; in Tailscale, `tailscale status` and the accepted
      routes. At the peer, look at its firewall and at its way back to the source. For a tunnel over IP, ask for the
      packet that carries others, as the finding says: it needs the UDP port or the protocol to be let in at the other end.
      """)

  static let needs: [Need] = [.neighbours, .host(.holders)]

  /// For a destination beyond it that knows no private addresses, a missing translation is likelier.
  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.packet.destination.isPrivate || !lost.packet.source.isPrivate else { return nil }
    return finding(lost)
  }

  fileprivate static func finding(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, !lost.isReply, let device = lost.outDevice,
      let link = lost.snapshot.link(device), let kind = link.kind, isTunnel(link),
      // The probe's own device has nftrace for the program that has it open.
      lost.header?.probe.map({ $0.entrance == .tun && $0.device == device }) != true
    else { return nil }
    let program = lost.host(.holders).holders?[device]
    let evidence: [Evidence] = [
      .sent(through: device, source: lost.packet.source),
      .tunnel(device, kind: kind, program: program),
    ]
    let target = lost.packet.destination
    if kind == "wireguard", let refusal = lost.refusal, refusal.isOurs {
      return error(
        "no peer of \(device) takes packets for \(target): see '"
          + Remedy.look("wg show", at: device, " allowed-ips") + "'",
        evidence: evidence + [.refusal(refusal.packet, isOurs: true)])
    }
    guard lost.refusal == nil else { return nil }
    return error(
      "it was handed to \(device), "
        + (kind == "wireguard"
          ? "a WireGuard tunnel" : "which \(program.map(Escape.name) ?? "a program") reads")
        + ", and nothing came back: whether a peer takes what goes from \(lost.packet.source) to \(target) "
        + "is decided there; look at its peers and the addresses that they are allowed"
        + (kind == "wireguard" ? " ('\(Remedy.look("wg show", at: device))')" : ""),
      confidence: .likely, evidence: evidence)
  }

  private static func isTunnel(_ link: LinkMessage) -> Bool {
    switch link.kind {
    case "wireguard", "ovpn", "ppp": true
    case "tun": link.tun?.isTap != true
    default: false
    }
  }

  /// The same where no translation is missing.
  enum ForOthers: Cause {
    static var page: FindingPage { HandedToTunnel.page }
    static let needs = HandedToTunnel.needs

    static func examine(_ lost: LostPacket) -> Finding? { finding(lost) }
  }
}
