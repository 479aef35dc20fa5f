internal import Wire

extension FindingID {
  static let vxlanWithoutEntry = FindingID(rawValue: "vxlan-without-entry")
}

/// A VXLAN device does not know behind which other end the next hop's MAC address is.
enum VXLANWithoutEntry: Cause {
  static let page = FindingPage(
    .vxlanWithoutEntry, "The VXLAN device knows no other end for the next hop",
    meaning: """
      A VXLAN device sends a frame within UDP to the other end behind which its forwarding table has the frame's MAC
      address, or else to the one that stands there for all (00:00:00:00:00:00, or the device's `remote`). There is
      neither, and so the frame went nowhere. Of networks of containers, as flannel's, the program on this node writes
      these entries.
      """,
    certainty: """
      Certain where the kernel gives its reason for the drop (NO_TX_TARGET). Likely otherwise.
      """,
    conclusion: """
      The packet was given to a VXLAN device whose forwarding table has no entry of the next hop's MAC address, nor
      one for all.
      """,
    advice: """
      Restart what writes the entries on this node (flannel, Calico …), and see in its log why it did not. By hand:
      `bridge fdb append MAC dev DEVICE dst NODE`, with the other node's address.
      """)

  static let needs: [Need] = [.plainRoute, .neighbours]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .behindEgress || lost.stage == .sent, !lost.hasComeBack,
      let link = lost.snapshot.link(lost.lowestDevice), link.kind == "vxlan",
      let hop = lost.nextHop,
      let address = lost.snapshot.neighbour(hop, on: link.name)?.hardwareAddress
    else { return nil }
    let everybody = HardwareAddress([0, 0, 0, 0, 0, 0])
    let isKnown = [address, everybody].contains {
      lost.snapshot.forwarding[$0]?.contains { $0.port == link.index } == true
    }
    guard lost.dropReason == "NO_TX_TARGET" || lost.dropReason == nil && !isKnown else {
      return nil
    }
    return error(
      "\(link.name), a VXLAN device, knows no other end for \(address), the MAC address of \(hop): its forwarding table "
        + "has no entry of it ('bridge fdb append \(address) dev \(link.name) dst NODE')",
      confidence: lost.dropReason == nil ? .likely : .certain,
      evidence: [.noEntry(address, device: link.name)] + lost.reasonEvidence)
  }
}
