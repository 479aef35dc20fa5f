internal import Wire

extension FindingID {
  static let bridgePortState = FindingID(rawValue: "bridge-port-state")
}

/// A port of a bridge does not forward, as spanning tree has it.
enum BridgePortState: Cause {
  static let page = FindingPage(
    .bridgePortState, "The port of the bridge does not forward",
    meaning: """
      A port of a bridge neither sends nor takes packets while spanning tree has not opened it (listening,
      learning), has found that it would close a loop (blocking), or has closed it (disabled); and none while it, or
      the bridge, is down.
      """,
    certainty: """
      Certain where the packet came in by that port, or the bridge's forwarding table has the next hop behind it.
      Likely where nobody knows behind which port the next hop is, and this is the one that sent nothing, or is down.
      """,
    conclusion: """
      The bridge was given the packet, and that port did not send it, or the packet was seen at that port and not
      behind it; and the state of the port is not forwarding.
      """,
    advice: """
      Listening and learning pass by themselves, after twice the bridge's forward delay (15 s each): wait, or shorten
      it (`ip link set dev BRIDGE type bridge forward_delay 400`, in hundredths of a second) where no loop is possible.
      Blocking is what spanning tree is for: there is another way to the same segment. `bridge link` shows states.
      """)

  static let needs: [Need] = [.neighbours]

  static func examine(_ lost: LostPacket) -> Finding? {
    if let crossing = BridgeCrossing(lost) {
      let closed = [crossing.input, crossing.output].compactMap(\.self).first(where: isClosed)
      if let closed { return finding(lost, closed, of: crossing.bridge, .certain) }
    }
    // Whom it does not know, a bridge looks for by all ports, and this one sends nothing.
    guard lost.stage == .sent, !lost.hasComeBack,
      let bridge = lost.snapshot.isBridge(lost.outDevice)
        ? lost.outDevice : lost.snapshot.bridge(of: lost.lowestDevice),
      BridgeCrossing.output(lost, bridge) == nil
    else { return nil }
    let seen = lost.journey.hops.flatMap { [$0.inDevice, $0.outDevice] }
    let closed = lost.snapshot.ports(of: bridge).first { isClosed($0) && !seen.contains($0.name) }
    return closed.flatMap { finding(lost, $0, of: bridge, .likely) }
  }

  /// One that is down has no part in anything.
  private static func isClosed(_ port: LinkMessage) -> Bool {
    port.flags.contains(.lowerUp) && port.portState.map { $0 != .forwarding } ?? false
  }

  private static func finding(
    _ lost: LostPacket, _ port: LinkMessage, of bridge: String, _ confidence: Finding.Confidence
  ) -> Finding? {
    guard let state = port.portState else { return nil }
    if let link = lost.snapshot.link(bridge), !link.flags.contains(.up) {
      return error(
        "\(bridge) is down, so that its ports do not forward", confidence: confidence,
        evidence: [.interfaceState(bridge, link.state), .portState(port.name, state)]
          + lost.reasonEvidence,
        remedy: try "ip link set dev \(Word.device(bridge)) up")
    }
    let isPassing = ["listening", "learning"].contains(state.description)
    return error(
      "\(port.name), a port of \(bridge), does not forward: its state is \(state)"
        + (isPassing ? ", which passes when spanning tree has opened it" : ""),
      confidence: confidence,
      evidence: [.portState(port.name, state)] + lost.reasonEvidence)
  }
}
