internal import Wire

extension FindingID {
  static let tproxyWithoutRoute = FindingID(rawValue: "tproxy-without-route")
}

/// A rule gave the packet to a transparent proxy, and routing led it past.
enum TProxyWithoutRoute: Cause {
  static let page = FindingPage(
    .tproxyWithoutRoute, "Routing leads past the transparent proxy that a rule asked for",
    meaning: """
      A TPROXY rule chose a socket of this host for a packet that is for others, and marked it. That alone
      does not bring it there: a rule of policy routing has to lead what has that mark to a table with a
      route of the type `local`, so that it is delivered here. There is none, or it does not fit, and the
      packet was forwarded like any other.
      """,
    certainty: """
      Always certain: the rule was met, and the packet was seen not to be delivered to this host.
      """,
    conclusion: """
      The packet met a TPROXY rule that did not drop it, and went on to FORWARD, or stopped in the routing
      decision, and not to INPUT. The rules of policy routing that fit its mark are in the evidence.
      """,
    advice: """
      Run the remedy, and have what sets up the proxy do the same at boot. Where the rule sets no mark, let
      it set one.
      """)

  static let needs: [Need] = [.routes]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard !lost.isReply,
      let step = lost.journey.way.rules.last(where: {
        TransparentProxy.isOne($0) && $0.verdict != .drop
      }),
      let proxy = TransparentProxy(step), isPast(lost)
    else { return nil }
    let mark = proxy.mark ?? lost.routed.flatMap { $0.mark == 0 ? nil : ($0.mark, UInt32.max) }
    let hex = mark.map { "0x" + String($0.value, radix: 16) }
    let rule = PolicyRouting(lost).rules(of: mark?.value ?? 0).first
    let port = proxy.port.map { " on port \($0)" } ?? ""
    return error(
      "\(RuleNames.rule(step)) gives it to a transparent proxy\(port), and "
        + (hex.map {
          "no rule of policy routing leads its mark \($0) to a local route: it goes past the proxy"
        } ?? "sets no mark by which policy routing could lead it there: it goes past the proxy"),
      evidence: step.evidence + (rule.map { [.policyRule($0)] } ?? []),
      remedy: try remedy(lost, mark, rule), at: RuleNames.place(step, lost))
  }

  /// Whether it went elsewhere than to this host, or was refused by routing.
  private static func isPast(_ lost: LostPacket) -> Bool {
    lost.stage == .routing
      || lost.journey.places.contains { [.forward, .egress].contains($0.point.hook) }
  }

  private static func remedy(
    _ lost: LostPacket, _ mark: (value: UInt32, mask: UInt32)?, _ rule: RoutingRule?
  ) throws(Word.Unspeakable) -> Command? {
    guard let mark else { return nil }
    let version: Command = lost.version == 6 ? "-6 " : ""
    // The table that the mark leads to already, or one that nobody asks.
    let used = Set(lost.snapshot.policy.map(\.table))
    let table = rule?.table ?? (100...252).first { !used.contains($0) } ?? 100
    let route: Command = "ip \(version)route add local default dev lo table \(table)"
    if rule != nil { return route }
    let bits: Command = mark.mask == .max ? "" : "/\(hex: mark.mask)"
    return "ip \(version)rule add fwmark \(hex: mark.value)\(bits) lookup \(table) && \(route)"
  }
}
