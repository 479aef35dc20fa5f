internal import Wire

/// Causes that lie in a rule or a policy: nf_tables said so itself, or, for iptables-legacy and
/// conntrack, the points before and after did.
enum RuleDiagnoses {
  static let all: [Diagnosis.Cause] = [
    queueWithoutListener, masqueradeNoAddress, invalidStateDrop, rejected, replyFiltered,
    dnatThenFiltered, legacyDrop, policyDrop, ruleDrop, conntrackTableFull, legacyDropUnnamed,
  ]

  static func queueWithoutListener(_ examined: Case) -> Finding? {
    if let step = examined.decider, step.isLegacy, step.text?.contains("-j NFQUEUE") == true {
      return .error(
        "queue-without-listener",
        "\(RuleNames.rule(step)) hands it to a queue, and no program reads that queue",
        evidence: RuleNames.evidence(step) + examined.reasonEvidence,
        remedy: try Remedy.accept(examined, before: step), at: RuleNames.place(step, examined))
    }
    guard let step = queueStep(examined), examined.stage != .sent, examined.stage != .delivered,
      let number = step.verdict.queueNumber, !step.verdict.bypasses
    else { return nil }
    return .error(
      "queue-without-listener",
      "\(RuleNames.rule(step)) hands it to queue \(number), and no program reads that queue",
      evidence: RuleNames.evidence(step) + examined.reasonEvidence,
      remedy: try Remedy.accept(examined, before: step), at: RuleNames.place(step, examined))
  }

  /// The last rule that handed the packet to user space.
  private static func queueStep(_ examined: Case) -> RuleStep? {
    examined.journey.trailingRules.last { $0.verdict.queueNumber != nil }
  }

  static func masqueradeNoAddress(_ examined: Case) -> Finding? {
    guard let step = examined.decider, step.translation == .masquerade, step.verdict == .drop else {
      return nil
    }
    let device = examined.outDevice ?? "the interface"
    return .error(
      "masquerade-no-address",
      "\(device) has no usable IPv\(examined.version) address to masquerade with",
      evidence: RuleNames.evidence(step) + examined.reasonEvidence,
      at: RuleNames.place(step, examined))
  }

  static func invalidStateDrop(_ examined: Case) -> Finding? {
    guard let step = examined.decider, step.verdict == .drop, !step.isPolicy,
      // Conntrack's counters are everybody's: they count where nothing is known of this packet.
      examined.isInvalid || asksForInvalid(step.text)
        || examined.journey.connection == nil && examined.delta("ct.invalid") > 0,
      step.text?.contains("invalid") == true || step.text?.contains("INVALID") == true
    else { return nil }
    var why = "it belongs to no connection that conntrack knows"
    let isDamaged = examined.packet.hasWrongChecksum && examined.inDevice != nil
    if isDamaged { why = "its checksum is wrong" }
    if examined.packet.tcp != nil, examined.sysctl("net.netfilter.nf_conntrack_tcp_loose") == "0" {
      why = "it does not begin a connection, and nf_conntrack_tcp_loose is 0"
    }
    return .error(
      "invalid-state-drop",
      "\(RuleNames.rule(step)) drops packets of state invalid: \(why)",
      evidence: RuleNames.evidence(step) + examined.reasonEvidence,
      // Whoever gets a damaged packet does not take it either.
      remedy: try isDamaged ? nil : Remedy.accept(examined, before: step),
      at: RuleNames.place(step, examined))
  }

  /// Whether only packets of state invalid meet the rule: then one that did was of that state.
  private static func asksForInvalid(_ text: String?) -> Bool {
    guard let text, !text.contains("! --") else { return false }
    return ["ct state invalid ", "--ctstate INVALID ", "--state INVALID "].contains {
      text.contains($0)
    }
  }

  static func rejected(_ examined: Case) -> Finding? {
    guard let step = examined.decider, step.verdict == .drop,
      step.rejects || examined.journey.end.kind == .rejected
    else { return nil }
    let answer = examined.error.flatMap(RuleNames.error).map { " and answers with \($0)" }
    return .error(
      examined.isReply ? "reply-filtered" : "rule-reject",
      "\(RuleNames.rule(step)) on this host refuses the \(RuleNames.what(examined))\(answer ?? "")"
        + RuleNames.owner(step, examined),
      evidence: RuleNames.evidence(step) + examined.reasonEvidence,
      remedy: try Remedy.accept(examined, before: step), at: RuleNames.place(step, examined))
  }

  static func replyFiltered(_ examined: Case) -> Finding? {
    guard examined.isReply, let step = examined.decider ?? legacyTable(examined) else { return nil }
    return .error(
      "reply-filtered",
      "the request got through, its answer did not: "
        + (step.isPolicy
          ? "no rule of \(RuleNames.chain(step)) accepts "
            + (Remedy.followsAnswer(examined, step) ? "packets of established connections" : "it")
          : "\(RuleNames.rule(step)) dropped it"),
      evidence: RuleNames.evidence(step) + examined.reasonEvidence,
      remedy: try step.isPolicy
        ? Remedy.acceptEstablished(examined, step) : Remedy.accept(examined, before: step),
      at: RuleNames.place(step, examined))
  }

  static func dnatThenFiltered(_ examined: Case) -> Finding? {
    guard let step = examined.decider ?? legacyTable(examined),
      let change = examined.destinationChange
    else { return nil }
    return .error(
      "dnat-then-filtered",
      "\(change.from) is translated to \(change.to), and \(RuleNames.rule(step)) drops that",
      evidence: RuleNames.evidence(step) + examined.reasonEvidence,
      remedy: try Remedy.accept(examined, before: step), at: RuleNames.place(step, examined))
  }

  static func policyDrop(_ examined: Case) -> Finding? {
    guard let step = examined.decider, step.isPolicy, !step.isLegacy else { return nil }
    let chain = examined.environment.chain(of: step)
    var evidence: [String] = []
    if let hook = chain?.hook, let priority = chain?.priority {
      evidence.append(
        "chain \(Escape.name(step.chain)) is at hook \(hook.rawValue), priority \(priority)")
    }
    evidence += RuleNames.managers(examined.environment)
    return .error(
      "policy-drop",
      "no rule of \(RuleNames.chain(step)) accepts it, and the chain's policy is drop"
        + RuleNames.owner(step, examined),
      evidence: evidence + examined.reasonEvidence,
      remedy: try Remedy.accept(examined, before: step),
      at: RuleNames.place(step, examined))
  }

  static func ruleDrop(_ examined: Case) -> Finding? {
    guard let step = examined.decider, step.verdict == .drop else { return nil }
    // A rule that does what rp_filter does: its remedy is a route, not a rule.
    if step.checksReversePath {
      return .error(
        "rule-drop",
        "\(RuleNames.rule(step)) drops what has no way back by the interface it came in",
        evidence: RuleNames.evidence(step) + examined.reasonEvidence,
        remedy: try Remedy.wayBack(examined),
        at: RuleNames.place(step, examined))
    }
    return .error(
      "rule-drop", "\(RuleNames.rule(step)) drops it\(RuleNames.owner(step, examined))",
      evidence: RuleNames.evidence(step) + RuleNames.managers(examined.environment)
        + examined.reasonEvidence,
      remedy: try Remedy.accept(examined, before: step), at: RuleNames.place(step, examined))
  }

  /// Dropped where conntrack makes its entry, between raw and mangle.
  static func conntrackTableFull(_ examined: Case) -> Finding? {
    guard case .within(let hook) = examined.stage, hook == .prerouting || hook == .output,
      examined.last.point.priority < -199, examined.last.point.priority >= -299
    else { return nil }
    let most = examined.sysctl("net.netfilter.nf_conntrack_max").flatMap { Int($0) }
    let count = examined.sysctl("net.netfilter.nf_conntrack_count").flatMap { Int($0) }
    let isFull = most.map { count ?? 0 >= $0 } ?? false
    guard isFull || examined.delta("ct.drop") > 0 else { return nil }
    let name = "net.netfilter.nf_conntrack_max"
    let isOurs = !examined.environment.isReadOnly(name)
    return .error(
      "conntrack-table-full",
      "the connection table is full: conntrack drops packets of new connections"
        + (isOurs ? "" : "; \(name) can be raised in the machine's own namespace only"),
      confidence: isFull ? .certain : .likely,
      evidence: ["nf_conntrack_count \(count ?? 0) of nf_conntrack_max \(most ?? 0)"]
        + (examined.delta("ct.drop") > 0 ? ["conntrack's drop counter went up"] : [])
        + examined.reasonEvidence,
      remedy: isOurs
        ? most.map { "sysctl -w net.netfilter.nf_conntrack_max=\(max(2 * $0, 65536))" } : nil)
  }

  static func legacyDrop(_ examined: Case) -> Finding? {
    guard let step = examined.decider, step.isLegacy else { return nil }
    if step.text?.contains("-m rpfilter") == true {
      return .error(
        "legacy-drop",
        "\(RuleNames.rule(step)) drops what has no way back by the interface it came in",
        evidence: RuleNames.evidence(step) + examined.reasonEvidence,
        remedy: try Remedy.wayBack(examined),
        at: RuleNames.place(step, examined))
    }
    return .error(
      "legacy-drop", "\(RuleNames.rule(step)) drops it",
      evidence: RuleNames.evidence(step) + ["iptables-legacy's TRACE names it last"]
        + examined.reasonEvidence, remedy: try Remedy.accept(examined, before: step),
      at: RuleNames.place(step, examined))
  }

  /// The same where TRACE could not be had: pinned to its table by the points around it.
  static func legacyDropUnnamed(_ examined: Case) -> Finding? {
    guard let step = legacyTable(examined) else { return nil }
    return .error(
      "legacy-drop", "a rule of the iptables-legacy table \(step.table) drops it",
      confidence: .likely,
      evidence: ["seen before that table and not behind it; no nf_tables rule dropped it"]
        + [examined.environment.missingLegacyTrace].compactMap { $0 } + examined.reasonEvidence,
      at: RuleNames.place(step, examined))
  }

  /// A step that names no more than the legacy table behind the last point; nil where there is none.
  private static func legacyTable(_ examined: Case) -> RuleStep? {
    guard case .within(let hook) = examined.stage else { return nil }
    let tables = examined.environment.legacyTables(version: examined.version)
    guard
      let next = examined.header?.points.first(where: {
        $0.hook == hook && $0.priority > examined.last.point.priority
      }), let table = next.table, tables.contains(table)
    else { return nil }
    return RuleStep(
      family: examined.version == 4 ? NFProto.ipv4 : NFProto.ipv6, table: table,
      chain: hook.rawValue.uppercased(), handle: nil, verdict: .drop)
  }
}

extension Packet {
  /// Whether its ICMP checksum was seen to be wrong. What this host sends has none before it leaves.
  fileprivate var hasWrongChecksum: Bool {
    guard let icmp, fragment == nil else { return false }
    let whole = bytes
    let start = source.family == 4 ? 20 : 40
    guard whole.count == length, whole.count >= start + 4 else { return false }
    return icmp.checksum != UInt16(whole[start + 2]) << 8 | UInt16(whole[start + 3])
  }
}
