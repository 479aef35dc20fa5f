internal import Wire

extension FindingID {
  static let bridgePortLocked = FindingID(rawValue: "bridge-port-locked")
}

/// A port of a bridge is locked, and who sends is not known to be behind it.
enum BridgePortLocked: Cause {
  static let page = FindingPage(
    .bridgePortLocked, "The port of the bridge is locked, and the sender not let in",
    meaning: """
      The packet came in by a port of a bridge that is locked: the bridge takes from it only frames of those whom
      its forwarding table has behind that port, and learns nobody there. Who is to be let in proves it first
      (802.1X, or by its MAC address), and a program such as hostapd then writes the entry.
      """,
    certainty: """
      Certain where the sender's MAC address is known. Likely otherwise.
      """,
    conclusion: """
      The packet was seen at the port and not behind it, `locked` is on there, and the bridge's forwarding table has
      no entry of the sender's MAC address at that port.
      """,
    advice: """
      See why the sender was not let in: the log of hostapd or of what else decides it. Run the remedy to let this
      one in by hand, until the entry is removed.
      """)

  static let needs: [Need] = [.neighbours]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .arrival || lost.stage == .bridging, let crossing = BridgeCrossing(lost),
      let port = crossing.input, port.isLocked == true
    else { return nil }
    let sender = lost.snapshot.neighbour(lost.packet.source, on: crossing.bridge)?.hardwareAddress
    if let sender, lost.snapshot.entry(of: sender, bridge: crossing.bridge)?.port == port.index {
      return nil
    }
    return error(
      "\(port.name) is locked, and \(crossing.bridge) does not know \(lost.packet.source)"
        + (sender.map { " (\($0))" } ?? "") + " to be behind it: it has not been let in (802.1X)",
      confidence: sender == nil ? .likely : .certain,
      evidence: [.locked(port.name)] + lost.reasonEvidence,
      remedy: try remedy(port.name, sender))
  }

  private static func remedy(
    _ port: String, _ sender: HardwareAddress?
  ) throws(Word.Unspeakable) -> Command? {
    guard let sender else { return nil }
    return "bridge fdb replace \(sender) dev \(try Word.device(port)) master static"
  }
}
