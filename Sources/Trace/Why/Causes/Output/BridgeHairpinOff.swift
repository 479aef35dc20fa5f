internal import Wire

extension FindingID {
  static let bridgeHairpinOff = FindingID(rawValue: "bridge-hairpin-off")
}

/// A bridge does not send a frame back out of the port that it came in by.
enum BridgeHairpinOff: Cause {
  static let page = FindingPage(
    .bridgeHairpinOff, "A bridge does not send frames back out of the port they came in by",
    meaning: """
      The packet came in by a port of a bridge, and its destination, as a rule translated it, is behind the
      same port: a container or virtual machine that asks for its own published port. A bridge never sends a
      frame back where it came from, unless the port is in hairpin mode.
      """,
    certainty: """
      Certain where the bridge's forwarding table, or the packet's own source, says that the destination is
      behind that port. Likely otherwise.
      """,
    conclusion: """
      The packet was given to the bridge, no port of it sent it, and the hairpin mode of the port by which
      it came in is off.
      """,
    advice: """
      Run the remedy: it sets the port's hairpin mode, until the port is made anew. Who manages the ports
      has a setting for it: `hairpinMode` of the CNI bridge plugin, `hairpin-mode` of the kubelet. Docker's
      userland proxy does without.
      """)

  static let needs: [Need] = [.neighbours]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard !lost.isReply, let crossing = BridgeCrossing(lost), let port = crossing.input,
      port.isHairpin == false
    else { return nil }
    let isItself = lost.packet.destination == lost.journey.packet.source
    guard isItself || crossing.output == nil || crossing.output?.name == port.name else {
      return nil
    }
    let isCertain = isItself || crossing.output?.name == port.name
    guard isCertain || lost.destinationChange != nil else { return nil }
    return error(
      "\(lost.packet.destination) is behind \(port.name), by which the packet came in, and \(crossing.bridge) "
        + "sends nothing back out of that port: its hairpin mode is off",
      confidence: isCertain ? .certain : .likely,
      evidence: [.hairpinOff(port.name)] + lost.reasonEvidence,
      remedy: "bridge link set dev \(try Word.device(port.name)) hairpin on")
  }
}
