internal import Wire

/// Why this host would not send a packet of its own: routing comes before OUTPUT, and again behind it
/// for a packet that was changed there, and says no with an errno.
enum SendDiagnoses {
  /// What kept a probe from every hook.
  static func finding(
    _ errno: Int32, _ plan: ProbePlan?, _ snapshot: Snapshot
  ) -> Finding {
    // Read back, it knows its length.
    let packet = (plan?.packet(sequence: 1)).flatMap { try? Packet($0.bytes) }
    return packet.flatMap {
      finding(errno, $0, plan, PolicyRouting(sending: $0, snapshot), snapshot)
    }
      ?? .error(
        "lost-after", "this host did not send it: \(ErrorName.words(errno))",
        evidence: evidence(errno))
  }

  /// The same of a packet that OUTPUT has changed, so that it was routed once more.
  static func rerouted(_ lost: LostPacket) -> Finding? {
    guard let errno = lost.refused, lost.stage == .within(.output) else { return nil }
    // A mark that a rule has set since is in the trace of that rule.
    let mark = lost.journey.unplacedRules.lazy.compactMap(\.mark).last ?? lost.last.mark
    let policy = PolicyRouting(sending: lost.packet, mark: mark, lost.snapshot)
    return finding(errno, lost.packet, lost.header?.probe, policy, lost.snapshot)
  }

  /// What sending said.
  static func evidence(_ errno: Int32) -> [String] {
    ["sending was refused: \(ErrorName.words(errno))"]
  }

  private static func finding(
    _ errno: Int32, _ packet: Packet, _ plan: ProbePlan?, _ policy: PolicyRouting,
    _ snapshot: Snapshot
  ) -> Finding? {
    let evidence = evidence(errno)
    if errno == RoutingDiagnoses.Errno.invalid, packet.source.isLoopback,
      !packet.destination.isLoopback
    {
      return .error(
        "martian-source", "nothing may leave this host with the source \(packet.source)",
        evidence: evidence)
    }
    if let rule = policy.refusal,
      let refusal = RoutingDiagnoses.refusals.first(where: { $0.isOf(rule) }),
      errno == refusal.errnoOfRule
    {
      return RoutingDiagnoses.refused(refusal, by: rule, packet, evidence)
    }
    if let refusal = RoutingDiagnoses.refusals.first(where: { $0.errno == errno }) {
      if let route = policy.route(of: refusal.kind) {
        return RoutingDiagnoses.refused(refusal, by: route, policy, evidence)
      }
      return .error(
        refusal.id, "routing \(refusal.verb) packets for \(packet.destination)",
        confidence: .likely, evidence: evidence)
    }
    switch errno {
    case RoutingDiagnoses.Errno.noRoute:
      return RoutingDiagnoses.noRoute(packet, policy, snapshot, evidence)
    case RoutingDiagnoses.Errno.tooLong: return tooLong(packet, plan, policy, snapshot, evidence)
    default: return nil
    }
  }

  private static func tooLong(
    _ packet: Packet, _ plan: ProbePlan?, _ policy: PolicyRouting, _ snapshot: Snapshot,
    _ evidence: [String]
  ) -> Finding {
    let route = policy.route
    let device = snapshot.name(route?.outputInterface)
    let link = snapshot.link(device)?.mtu.map { Int($0) }
    let mtu = [route?.mtu.map { Int($0) }, link].compactMap { $0 }.min()
    let why =
      plan?.dontFragment == true
      ? "it may not be fragmented" : "TCP segments are not fragmented by who sends them"
    guard let mtu, packet.length > mtu else {
      return .error(
        "fragmentation-needed",
        "it has \(packet.length) octets, which is too long for its way, and \(why)",
        evidence: evidence)
    }
    let narrow = mtu == link ? device ?? "the route" : "the route"
    return .error(
      "fragmentation-needed",
      "it has \(packet.length) octets, \(narrow) takes \(mtu), and \(why): send at most \(mtu)",
      evidence: ["the MTU of \(narrow) is \(mtu)"] + evidence)
  }
}
