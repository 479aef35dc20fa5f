internal import Wire

extension FindingID {
  static let bridgePortIsolated = FindingID(rawValue: "bridge-port-isolated")
}

/// Two ports of a bridge are isolated, and have nothing to do with each other.
enum BridgePortIsolated: Cause {
  static let page = FindingPage(
    .bridgePortIsolated, "Both ports of the bridge are isolated",
    meaning: """
      The packet came in by a port of a bridge, and its next hop is behind another one. Both are isolated: what
      comes in by such a port goes to the bridge itself and to ports that are not isolated, and to no other.
      Providers of virtual machines and wireless networks keep their guests apart so.
      """,
    certainty: """
      Certain where the bridge's forwarding table says behind which port the next hop is. Likely otherwise.
      """,
    conclusion: """
      The packet was given to the bridge, no port of it sent it, and `isolated` is on at the port by which it
      came in, and at the one behind which its next hop is, or at another one where nobody knows that.
      """,
    advice: """
      It may be meant so. If the two are to reach each other, run the remedy, which lasts until the port is made
      anew, and change it with who manages the ports: `isolated` in systemd-networkd and in ifupdown2,
      `isolate clients` of an access point, the option `isolation` of a hypervisor's network.
      """)

  static let needs: [Need] = [.neighbours]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let crossing = BridgeCrossing(lost), let input = crossing.input,
      input.isIsolated == true
    else { return nil }
    let others = lost.snapshot.ports(of: crossing.bridge).filter {
      $0.name != input.name && $0.isIsolated == true
    }
    guard let output = crossing.output ?? others.first, output.isIsolated == true,
      output.name != input.name
    else { return nil }
    let isKnown = crossing.output != nil
    return error(
      "\(crossing.bridge) sends nothing from \(input.name) to \(output.name)"
        + (isKnown ? "" : " and others like it") + ": both ports are isolated",
      confidence: isKnown ? .certain : .likely,
      evidence: [.isolated(input.name), .isolated(output.name)] + lost.reasonEvidence,
      remedy: try "bridge link set dev \(Word.device(input.name)) isolated off")
  }
}
