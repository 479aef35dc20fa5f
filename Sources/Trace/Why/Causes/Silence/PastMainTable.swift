internal import Wire

extension NoReply {
  /// A policy rule led it out by a table of its own, past a more specific route in main.
  enum PastMainTable: Cause {
    static var page: FindingPage { NoReply.page }
    static let needs: [Need] = [.routes]

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.stage == .sent, !lost.isReply else { return nil }
      let policy = PolicyRouting(lost)
      let usual: [UInt32] = [RouteMessage.mainTable, 253, 255]
      guard let rule = policy.decider, rule.action == .lookup, !usual.contains(rule.table),
        let used = policy.route,
        let near = policy.best(in: RouteMessage.mainTable), near.kind == .unicast,
        near.destination.length >= used.destination.length, near.destination.length > 1,
        near.outputInterface != used.outputInterface,
        let way = lost.snapshot.name(near.outputInterface), let device = lost.outDevice
      else { return nil }
      let mark = rule.mark.map { " for mark 0x\(String($0, radix: 16))" } ?? ""
      return error(
        "it left \(device) by table \(RoutingWords.name(ofTable: rule.table)), to which a rule of policy "
          + "routing\(mark) led it, and \(lost.error == nil ? "nothing came back" : "it was refused there"): the "
          + "main table, which it did not come to, has "
          + "\(near.destination) on \(way)",
        confidence: .likely,
        evidence: [.policyRule(rule), .route(used), .route(near)] + lost.errorEvidence,
        remedy: try remedy(rule, used, near)
      ).unanswered(behind: device)
    }

    /// Asks main before, for all that it has a better route for.
    private static func remedy(
      _ rule: RoutingRule, _ used: RouteMessage, _ near: RouteMessage
    ) throws(Word.Unspeakable) -> Command? {
      guard rule.priority > 1 else { return nil }
      let flag: Command = near.destination.address.family == 6 ? "-6 " : ""
      if near.destination.length == used.destination.length {
        let subnet = RoutingWords.word(near.destination)
        return "ip \(flag)rule add pref \(rule.priority - 1) to \(subnet) lookup main"
      }
      return
        "ip \(flag)rule add pref \(rule.priority - 1) lookup main suppress_prefixlength \(used.destination.length)"
    }
  }
}
