internal import Wire

/// Causes that lie in a rule or a policy: nf_tables said so itself, or, for iptables-legacy and
/// conntrack, the points before and after did.
enum RuleDiagnoses {
  static let all: [Diagnosis.Cause] = [
    queueWithoutListener, masqueradeNoAddress, invalidStateDrop, rejected, replyFiltered,
    dnatThenFiltered, legacyDrop, policyDrop, ruleDrop, conntrackTableFull, legacyDropUnnamed,
  ]

  static func queueWithoutListener(_ lost: LostPacket) -> Finding? {
    if let step = lost.decider, step.isLegacy, step.text?.contains("-j NFQUEUE") == true {
      return .error(
        "queue-without-listener",
        "\(RuleNames.rule(step)) hands it to a queue, and no program reads that queue",
        evidence: RuleNames.evidence(step) + lost.reasonEvidence,
        remedy: try Remedy.accept(lost, before: step), at: RuleNames.place(step, lost))
    }
    guard let step = queueStep(lost), lost.stage != .sent, lost.stage != .delivered,
      let number = step.verdict.queueNumber, !step.verdict.bypasses
    else { return nil }
    return .error(
      "queue-without-listener",
      "\(RuleNames.rule(step)) hands it to queue \(number), and no program reads that queue",
      evidence: RuleNames.evidence(step) + lost.reasonEvidence,
      remedy: try Remedy.accept(lost, before: step), at: RuleNames.place(step, lost))
  }

  /// The last rule that handed the packet to user space.
  private static func queueStep(_ lost: LostPacket) -> RuleStep? {
    lost.journey.trailingRules.last { $0.verdict.queueNumber != nil }
  }

  static func masqueradeNoAddress(_ lost: LostPacket) -> Finding? {
    guard let step = lost.decider, step.translation == .masquerade, step.verdict == .drop else {
      return nil
    }
    let device = lost.outDevice ?? "the interface"
    return .error(
      "masquerade-no-address",
      "\(device) has no usable IPv\(lost.version) address to masquerade with",
      evidence: RuleNames.evidence(step) + lost.reasonEvidence,
      at: RuleNames.place(step, lost))
  }

  static func invalidStateDrop(_ lost: LostPacket) -> Finding? {
    guard let step = lost.decider, step.verdict == .drop, !step.isPolicy,
      // Conntrack's counters are everybody's: they count where nothing is known of this packet.
      lost.isInvalid || asksForInvalid(step.text)
        || lost.journey.connection == nil && lost.delta("ct.invalid") > 0,
      step.text?.contains("invalid") == true || step.text?.contains("INVALID") == true
    else { return nil }
    var why = "it belongs to no connection that conntrack knows"
    let isDamaged = lost.packet.hasWrongChecksum && lost.inDevice != nil
    if isDamaged { why = "its checksum is wrong" }
    if lost.packet.tcp != nil, lost.sysctl("net.netfilter.nf_conntrack_tcp_loose") == "0" {
      why = "it does not begin a connection, and nf_conntrack_tcp_loose is 0"
    }
    return .error(
      "invalid-state-drop",
      "\(RuleNames.rule(step)) drops packets of state invalid: \(why)",
      evidence: RuleNames.evidence(step) + lost.reasonEvidence,
      // Whoever gets a damaged packet does not take it either.
      remedy: try isDamaged ? nil : Remedy.accept(lost, before: step),
      at: RuleNames.place(step, lost))
  }

  /// Whether only packets of state invalid meet the rule: then one that did was of that state.
  private static func asksForInvalid(_ text: String?) -> Bool {
    guard let text, !text.contains("! --") else { return false }
    return ["ct state invalid ", "--ctstate INVALID ", "--state INVALID "].contains {
      text.contains($0)
    }
  }

  static func rejected(_ lost: LostPacket) -> Finding? {
    guard let step = lost.decider, step.verdict == .drop,
      step.rejects || lost.journey.end.kind == .rejected
    else { return nil }
    let answer = lost.error.flatMap(RuleNames.error).map { " and answers with \($0)" }
    return .error(
      lost.isReply ? "reply-filtered" : "rule-reject",
      "\(RuleNames.rule(step)) on this host refuses the \(RuleNames.what(lost))\(answer ?? "")"
        + RuleNames.owner(step, lost),
      evidence: RuleNames.evidence(step) + lost.reasonEvidence,
      remedy: try Remedy.accept(lost, before: step), at: RuleNames.place(step, lost))
  }

  static func replyFiltered(_ lost: LostPacket) -> Finding? {
    guard lost.isReply, let step = lost.decider ?? legacyTable(lost) else { return nil }
    return .error(
      "reply-filtered",
      "the request got through, its answer did not: "
        + (step.isPolicy
          ? "no rule of \(RuleNames.chain(step)) accepts "
            + (Remedy.followsAnswer(lost, step) ? "packets of established connections" : "it")
          : "\(RuleNames.rule(step)) dropped it"),
      evidence: RuleNames.evidence(step) + lost.reasonEvidence,
      remedy: try step.isPolicy
        ? Remedy.acceptEstablished(lost, step) : Remedy.accept(lost, before: step),
      at: RuleNames.place(step, lost))
  }

  static func dnatThenFiltered(_ lost: LostPacket) -> Finding? {
    guard let step = lost.decider ?? legacyTable(lost),
      let change = lost.destinationChange
    else { return nil }
    return .error(
      "dnat-then-filtered",
      "\(change.from) is translated to \(change.to), and \(RuleNames.rule(step)) drops that",
      evidence: RuleNames.evidence(step) + lost.reasonEvidence,
      remedy: try Remedy.accept(lost, before: step), at: RuleNames.place(step, lost))
  }

  static func policyDrop(_ lost: LostPacket) -> Finding? {
    guard let step = lost.decider, step.isPolicy, !step.isLegacy else { return nil }
    let chain = lost.snapshot.chain(of: step)
    var evidence: [String] = []
    if let hook = chain?.hook, let priority = chain?.priority {
      evidence.append(
        "chain \(Escape.name(step.chain)) is at hook \(hook.rawValue), priority \(priority)")
    }
    evidence += RuleNames.managers(lost.snapshot)
    return .error(
      "policy-drop",
      "no rule of \(RuleNames.chain(step)) accepts it, and the chain's policy is drop"
        + RuleNames.owner(step, lost),
      evidence: evidence + lost.reasonEvidence,
      remedy: try Remedy.accept(lost, before: step),
      at: RuleNames.place(step, lost))
  }

  static func ruleDrop(_ lost: LostPacket) -> Finding? {
    guard let step = lost.decider, step.verdict == .drop else { return nil }
    // A rule that does what rp_filter does: its remedy is a route, not a rule.
    if step.checksReversePath {
      return .error(
        "rule-drop",
        "\(RuleNames.rule(step)) drops what has no way back by the interface it came in",
        evidence: RuleNames.evidence(step) + lost.reasonEvidence,
        remedy: try Remedy.wayBack(lost),
        at: RuleNames.place(step, lost))
    }
    return .error(
      "rule-drop", "\(RuleNames.rule(step)) drops it\(RuleNames.owner(step, lost))",
      evidence: RuleNames.evidence(step) + RuleNames.managers(lost.snapshot)
        + lost.reasonEvidence,
      remedy: try Remedy.accept(lost, before: step), at: RuleNames.place(step, lost))
  }

  /// Dropped where conntrack makes its entry, between raw and mangle.
  static func conntrackTableFull(_ lost: LostPacket) -> Finding? {
    guard case .within(let hook) = lost.stage, hook == .prerouting || hook == .output,
      lost.last.point.priority < -199, lost.last.point.priority >= -299
    else { return nil }
    let most = lost.sysctl("net.netfilter.nf_conntrack_max").flatMap { Int($0) }
    let count = lost.sysctl("net.netfilter.nf_conntrack_count").flatMap { Int($0) }
    let isFull = most.map { count ?? 0 >= $0 } ?? false
    guard isFull || lost.delta("ct.drop") > 0 else { return nil }
    let name = "net.netfilter.nf_conntrack_max"
    let isOurs = !lost.snapshot.isReadOnly(name)
    return .error(
      "conntrack-table-full",
      "the connection table is full: conntrack drops packets of new connections"
        + (isOurs ? "" : "; \(name) can be raised in the machine's own namespace only"),
      confidence: isFull ? .certain : .likely,
      evidence: ["nf_conntrack_count \(count ?? 0) of nf_conntrack_max \(most ?? 0)"]
        + (lost.delta("ct.drop") > 0 ? ["conntrack's drop counter went up"] : [])
        + lost.reasonEvidence,
      remedy: isOurs
        ? most.map { "sysctl -w net.netfilter.nf_conntrack_max=\(max(2 * $0, 65536))" } : nil)
  }

  static func legacyDrop(_ lost: LostPacket) -> Finding? {
    guard let step = lost.decider, step.isLegacy else { return nil }
    if step.text?.contains("-m rpfilter") == true {
      return .error(
        "legacy-drop",
        "\(RuleNames.rule(step)) drops what has no way back by the interface it came in",
        evidence: RuleNames.evidence(step) + lost.reasonEvidence,
        remedy: try Remedy.wayBack(lost),
        at: RuleNames.place(step, lost))
    }
    return .error(
      "legacy-drop", "\(RuleNames.rule(step)) drops it",
      evidence: RuleNames.evidence(step) + ["iptables-legacy's TRACE names it last"]
        + lost.reasonEvidence, remedy: try Remedy.accept(lost, before: step),
      at: RuleNames.place(step, lost))
  }

  /// The same where TRACE could not be had: pinned to its table by the points around it.
  static func legacyDropUnnamed(_ lost: LostPacket) -> Finding? {
    guard let step = legacyTable(lost) else { return nil }
    return .error(
      "legacy-drop", "a rule of the iptables-legacy table \(step.table) drops it",
      confidence: .likely,
      evidence: ["seen before that table and not behind it; no nf_tables rule dropped it"]
        + [lost.snapshot.missingLegacyTrace].compactMap { $0 } + lost.reasonEvidence,
      at: RuleNames.place(step, lost))
  }

  /// A step that names no more than the legacy table behind the last point; nil where there is none.
  private static func legacyTable(_ lost: LostPacket) -> RuleStep? {
    guard case .within(let hook) = lost.stage else { return nil }
    let tables = lost.snapshot.legacyTables(version: lost.version)
    guard
      let next = lost.header?.points.first(where: {
        $0.hook == hook && $0.priority > lost.last.point.priority
      }), let table = next.table, tables.contains(table)
    else { return nil }
    return RuleStep(
      family: lost.version == 4 ? NFProto.ipv4 : NFProto.ipv6, table: table,
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
