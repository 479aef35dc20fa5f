internal import Wire

extension FindingID {
  static let neighbourUnresolved = FindingID(rawValue: "neighbour-unresolved")
}

/// Nobody on the link says that the next hop is his address.
enum NeighbourUnresolved: Cause {
  static let page = FindingPage(
    .neighbourUnresolved, "The next hop does not answer ARP or neighbour discovery",
    meaning: """
      The packet is to be handed to a machine on the link, the gateway or the destination itself. This
      host asks for its MAC address and nobody answers. After some three seconds the kernel gives up,
      drops the packet, and tells its sender that the host is unreachable.
      """,
    certainty: """
      Always certain: the kernel's own entry for that neighbour says so.
      """,
    conclusion: """
      The packet was through with the last hook and was not sent, and the neighbour entry of its next
      hop is INCOMPLETE (asked, no answer yet) or FAILED.
      """,
    advice: """
      See that the machine is there and up, that it has that address, and that it is on this link: the
      right VLAN, the right port, the right prefix length. If the address is in the subnet but behind
      another router, this link needs proxy ARP, or a route to that router. `tcpdump -eni IFACE arp`
      (or `icmp6`) shows who asks and who answers.
      """)

  static let needs: [Need] = [.plainRoute, .neighbours]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .output, let route = lost.onwardRoute, let hop = lost.nextHop,
      let neighbour = lost.snapshot.addresses.neighbour(hop, on: route.outputInterface),
      !neighbour.state.isDisjoint(with: [.incomplete, .failed])
    else { return nil }
    let device = lost.snapshot.name(neighbour.interface) ?? "?"
    let asks = hop.family == 4 ? "ARP" : "neighbour discovery"
    let role = route.gateway == nil ? "destination" : "next hop"
    return error(
      "the \(role) \(hop) does not answer \(asks) on \(device): see that it is there and up",
      evidence: [.neighbour(hop, device: device, neighbour.state)] + lost.reasonEvidence)
  }
}
