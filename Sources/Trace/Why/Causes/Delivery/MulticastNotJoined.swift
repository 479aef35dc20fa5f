internal import Wire

extension FindingID {
  static let multicastNotJoined = FindingID(rawValue: "multicast-not-joined")
}

/// The packet is for a group that nobody here is a member of.
enum MulticastNotJoined: Cause {
  static let page = FindingPage(
    .multicastNotJoined, "Nobody here is a member of the multicast group",
    meaning: """
      The packet is for a group of hosts. This host takes it in only if a program has joined the group
      on the interface that it comes in by; a socket that is bound to the port is not enough. Nor is it
      forwarded: that takes a multicast router.
      """,
    certainty: """
      Always certain: the kernel was asked for the members of groups.
      """,
    conclusion: """
      The packet was through with PREROUTING and seen at no hook behind it, its destination is a
      multicast address, and the interface it came in by is no member of that group. `ip maddr` lists
      the members.
      """,
    advice: """
      See that the program joins the group (IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP), and on this interface:
      without a choice of its own, it is the one that the route to the group leads to. Many programs have
      a setting for it. To forward groups, run a multicast router (`smcroute`, `pimd`).
      """)

  static let needs: [Need] = [.host(.memberships)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .routing || lost.stage == .beforePostrouting,
      lost.packet.destination.isMulticast, let device = lost.inDevice,
      let members = lost.host(.memberships).memberships?.filter({
        $0.address == lost.packet.destination
      }),
      !members.contains(where: { $0.device == device })
    else { return nil }
    let others = members.map(\.device)
    return error(
      "nobody here is a member of the group \(lost.packet.destination) on \(device)"
        + (others.isEmpty ? "" : ", only on \(others.joined(separator: " and "))")
        + ": the program that is to get it has to join the group there",
      evidence: [.membership(of: lost.packet.destination, on: others)] + lost.reasonEvidence)
  }
}
