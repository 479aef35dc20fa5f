internal import Wire

extension FindingID {
  static let bridgePortMTU = FindingID(rawValue: "bridge-port-mtu")
}

/// A frame is longer than the port takes by which it is to leave a bridge.
enum BridgePortMTU: Cause {
  static let page = FindingPage(
    .bridgePortMTU, "Too long for the port of a bridge",
    meaning: """
      A bridge gave the packet to one of its ports, whose MTU is smaller. Bridges do not fragment, and tell
      nobody: what is too long is gone. All interfaces of one network must have the same MTU.
      """,
    certainty: """
      Certain where the bridge's forwarding table names the port. Likely where one port has a smaller MTU
      than the packet, and which one it is was not to be found out.
      """,
    conclusion: """
      The packet was given to the bridge, no port of it sent it, and it is longer than the MTU of the port
      behind which its next hop is.
      """,
    advice: """
      Give the port the MTU that the others have, which is the remedy. If what is behind it cannot take
      more, lower the MTU of the bridge and of all who are behind it.
      """)

  static let needs: [Need] = [.neighbours]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let crossing = BridgeCrossing(lost) else { return nil }
    let narrow =
      crossing.output
      ?? lost.snapshot.ports(of: crossing.bridge)
      .filter { $0.name != crossing.input?.name && isTooNarrow($0, lost.packet) }
      .min { $0.mtu ?? 0 < $1.mtu ?? 0 }
    guard let port = narrow, isTooNarrow(port, lost.packet), let mtu = port.mtu else { return nil }
    return error(
      "it has \(lost.packet.length) octets, and \(port.name), the port of \(crossing.bridge) that it is to leave "
        + "by, takes \(mtu): a bridge throws away what is too long, and tells nobody",
      confidence: crossing.output == nil ? .likely : .certain,
      evidence: [.mtu(of: port.name, Int(mtu))] + lost.reasonEvidence,
      remedy: "ip link set dev \(try Word.device(port.name)) mtu \(lost.packet.length)")
  }

  private static func isTooNarrow(_ port: LinkMessage, _ packet: Packet) -> Bool {
    port.mtu.map { packet.length > Int($0) } ?? false
  }
}
