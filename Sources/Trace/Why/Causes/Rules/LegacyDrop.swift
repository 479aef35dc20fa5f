internal import Wire

extension FindingID {
  static let legacyDrop = FindingID(rawValue: "legacy-drop")
}

/// A rule or policy of iptables-legacy dropped the packet: the trace of nf_tables does not see those.
enum LegacyDrop: Cause {
  static let page = FindingPage(
    .legacyDrop, "A rule of iptables-legacy drops the packet",
    meaning: """
      This kernel has rules of the old iptables (`iptables-legacy`), beside nf_tables or instead of it.
      One of them, or a policy, dropped the packet. `nft list ruleset` and `iptables-nft` do not show
      these rules: `iptables-legacy-save` does.
      """,
    certainty: """
      Certain where the TRACE target of iptables-legacy could be used: then the rule is named. Likely
      where it could not: then the packet was seen before the table and not behind it, and the table
      alone is named.
      """,
    conclusion: """
      The lines of TRACE end with the rule. Without them, the points of nftrace around the table do: the
      packet was seen at the last point before its priority, and at none behind it, and no rule of
      nf_tables dropped it. `/proc/net/ip_tables_names` says that there is such a table.
      """,
    advice: """
      Run the remedy, in words of iptables-legacy, or look at the table with `iptables-legacy-save -t
      TABLE`. If nothing here should use iptables-legacy any more, move its rules to nf_tables: rules in
      two places are hard to reason about (see `mixed-backends`).
      """)

  static let needs: [Need] = [
    .ruleBeforePolicy, .routes, .wayBack, .neighbours, .host(.rulesBeside),
  ]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let step = lost.decider, step.isLegacy else { return nil }
    let back = step.text?.contains("-m rpfilter") == true ? ReversePath(lost) : nil
    let ruling = Ruling(lost, step)
    return error(
      "\(RuleNames.rule(step)) drops \(back == nil ? "it" : step.dropsForReversePath)", by: ruling,
      evidence: back?.evidence ?? [.namedByLegacyTrace],
      remedy: try back == nil ? ruling.remedy : back?.remedy(loosened: nil),
      alternatives: back == nil ? ruling.alternatives : [])
  }

  /// The same where TRACE could not be had: pinned to its table by the points around it.
  enum Unnamed: Cause {
    static var page: FindingPage { LegacyDrop.page }

    static func examine(_ lost: LostPacket) -> Finding? {
      guard let step = lost.legacyTable else { return nil }
      let missing = lost.snapshot.missingLegacyTrace.map { [Evidence.missingLegacyTrace($0)] } ?? []
      return error(
        "a rule of the iptables-legacy table \(step.table) drops it", confidence: .likely,
        evidence: [.lostInLegacyTable] + missing + lost.reasonEvidence,
        at: RuleNames.place(step, lost))
    }
  }
}

extension LostPacket {
  /// A step that names no more than the legacy table behind the last point; nil where there is none.
  var legacyTable: RuleStep? {
    guard case .within(let hook) = stage, unsent?.isRefusedByRouting != true else { return nil }
    let tables = snapshot.legacyTables(version: version)
    guard
      let next = header?.points.first(where: {
        $0.hook == hook && $0.priority > last.point.priority
      }), let table = next.table, tables.contains(table),
      // iptables refuses a rule that drops in that table.
      table != "nat",
      // What TRACE names there would have been what drops it.
      journey.way.trailingRules.last.map({ $0.isLegacy && $0.table == table }) != true
    else { return nil }
    return RuleStep(
      family: version == 4 ? NFProto.ipv4 : NFProto.ipv6, table: table,
      chain: hook.rawValue.uppercased(), .legacyTable, verdict: .drop)
  }
}
