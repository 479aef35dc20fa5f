internal import Wire

extension FindingID {
  static let localTablePassed = FindingID(rawValue: "local-table-passed")
}

/// The rule that has this host's own addresses looked up first is not the first.
enum LocalTablePassed: Cause {
  static let page = FindingPage(
    .localTablePassed, "This host does not take its own address for its own",
    meaning: """
      Which addresses are this host's stands in the routing table `local`, and a rule of policy routing with the
      preference 0 has it asked first. That rule was deleted, or made anew with a larger number, so that another table
      is asked before: packets for this host are then forwarded, and no answer comes back.
      """,
    certainty: """
      Certain where the packet was for an address of this host and was not delivered. Likely where the table is not
      asked at all and the packet was sent on: then this host answers no ARP, and what comes back is not found.
      """,
    conclusion: """
      The rules of policy routing were listed: none for the table `local` has the preference 0.
      """,
    advice: """
      Run the remedy. Instructions for TPROXY and for VPNs delete the rule after they have made another one, so that
      rules of their own come before it: theirs has to lead to a table that leaves this host's addresses out.
      """)

  static let needs: [Need] = [.routes]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard !lost.isReply, lost.stage != .delivered, lost.stage != .ruled,
      let hop = lost.routed
    else { return nil }
    let version = lost.version
    let rules = lost.snapshot.policy.filter { $0.family == version }
    let own = rules.filter { $0.action == .lookup && $0.table == RouteMessage.localTable }
    guard !rules.isEmpty, !own.contains(where: { $0.priority == 0 }) else { return nil }
    let isOwn = lost.snapshot.isLocal(hop.packet.destination)
    guard isOwn || own.isEmpty && lost.stage == .sent else { return nil }
    let first = own.map(\.priority).min()
    let before = PolicyRouting(lost).decider.map { ", behind rule \($0.priority)" } ?? ""
    return error(
      (isOwn ? "\(hop.packet.destination) is an address of this host, and " : "")
        + (first.map { "the rule that has the table local asked stands at \($0)\(before)" }
          ?? "no rule has the table local asked")
        + (isOwn
          ? ""
          : ", so that this host does not take its own addresses for its own, and answers nobody who asks for them")
        + ": it has to come first", confidence: isOwn ? .certain : .likely,
      evidence: own.map { .policyRule($0) }
        + (PolicyRouting(lost).decider.map { [.policyRule($0)] } ?? []),
      remedy: version == 4
        ? "ip rule add pref 0 lookup local" : "ip -6 rule add pref 0 lookup local")
  }
}
