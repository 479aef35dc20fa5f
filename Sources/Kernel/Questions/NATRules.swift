internal import CNetfilter
internal import Glibc
package import Trace
internal import Wire

/// The rules that lead packets elsewhere, as far as a diagnosis asks for them.
package enum NATRules {
  /// Rules that are kept, at most.
  private static let most = 32

  /// What a recording has to know of them: the rules that translate sources.
  package static func forRecording(_ rules: inout RulesetReader) -> HostState {
    var state = HostState()
    for version in [4, 6] {
      guard let count = count(atPostrouting: version, &rules) else { continue }
      state.sourceTranslations = (state.sourceTranslations ?? 0) + count
      if count > 0 {
        state.sourceRules =
          (state.sourceRules ?? []) + translatingSources(version: version, &rules)
      }
    }
    return state
  }

  /// How many rules stand in the nat chains of POSTROUTING of this IP version; nil where they could not
  /// be listed.
  static func count(atPostrouting version: Int, _ rules: inout RulesetReader) -> Int? {
    guard let messages = try? rules.chains() else { return nil }
    return chains(messages, version).filter { $0.hook == .postrouting }.reduce(0) {
      $0 + rules.handles(step($1)).count
    }
  }

  /// The rules that translate destinations and have this port among their words; nil where no rule
  /// translates destinations. One program is run for each tool that has a nat table.
  static func naming(
    port: UInt16, version: Int, _ rules: inout RulesetReader
  ) -> [RuleText]? {
    let translating = all(version: version, &rules).filter(\.translatesDestinations)
    return translating.isEmpty ? nil : Array(translating.filter { $0.names(port) }.prefix(most))
  }

  /// The first rules that translate sources.
  static func translatingSources(version: Int, _ rules: inout RulesetReader) -> [RuleText] {
    Array(all(version: version, &rules).filter(\.translatesSources).prefix(most))
  }

  /// The first rules of nft that give packets to transparent proxies.
  static func transparentProxies(_ rules: inout RulesetReader) -> [RuleText] {
    let all = ((try? rules.chains()) ?? []).compactMap { try? ChainMessage($0.payload) }
    let tables = Set(
      all.filter { $0.hook == .prerouting && $0.type == "filter" }
        .map { TableName($0.family, $0.table) })
    return Array(
      tables.filter { !OwnTable.isOne($0.name) && !$0.isIPTables(among: all) }
        .sorted { $0.name < $1.name }.flatMap { RuleListing.listed($0) }
        .filter { $0.text.split(separator: " ").contains("tproxy") }.prefix(most))
  }

  /// The rules of all tables that have nat chains.
  private static func all(version: Int, _ rules: inout RulesetReader) -> [RuleText] {
    let all = ((try? rules.chains()) ?? []).compactMap { try? ChainMessage($0.payload) }
    let own = version == 4 ? NFProto.ipv4 : NFProto.ipv6
    var found: [RuleText] = []
    let isIPTables = TableName(own, "nat").isIPTables(among: all)
    if isIPTables { found += RuleListing.saved("nat", own, legacy: false) }
    if LegacyTables.names(version: version).contains("nat") {
      found += RuleListing.saved("nat", own, legacy: true)
    }
    let tables = Set(
      // One that is called so may have chains that no hook leads to, and rules there that are meant to be met.
      all.filter {
        ($0.type == "nat" || $0.table == "nat") && [own, NFProto.inet].contains($0.family)
      }.map { TableName($0.family, $0.table) })
    for table in tables.sorted(by: { $0.name < $1.name })
    where !(isIPTables && table == TableName(own, "nat")) {
      found += RuleListing.listed(table)
    }
    return found
  }

  private static func chains(_ messages: [NetlinkMessage], _ version: Int) -> [ChainMessage] {
    let own = version == 4 ? NFProto.ipv4 : NFProto.ipv6
    return messages.compactMap { try? ChainMessage($0.payload) }
      .filter { $0.type == "nat" && [own, NFProto.inet].contains($0.family) }
  }

  private static func step(_ chain: ChainMessage) -> RuleStep {
    RuleStep(
      family: chain.family, table: chain.table, chain: chain.name, .policy, verdict: .continue)
  }
}

extension RuleText {
  /// Whether it leads packets elsewhere.
  fileprivate var translatesDestinations: Bool {
    ["-j DNAT", "-j REDIRECT", "dnat ", "redirect"].contains { text.contains($0) }
  }

  /// Whether it gives packets another source.
  fileprivate var translatesSources: Bool {
    ["-j SNAT", "-j MASQUERADE", "snat ", "masquerade"].contains { text.contains($0) }
  }

  /// Whether the number is among its words.
  fileprivate func names(_ port: UInt16) -> Bool {
    text.split(whereSeparator: { " ,{}".contains($0) }).contains { word in
      word == "\(port)"
        || word.contains(":") && Self.range(word, ":").map { $0.contains(port) } == true
        || word.contains("-") && Self.range(word, "-").map { $0.contains(port) } == true
    }
  }

  private static func range(_ word: Substring, _ separator: Character) -> ClosedRange<UInt16>? {
    let ends = word.split(separator: separator).map { UInt16($0) }
    guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last else {
      return nil
    }
    return first...last
  }
}
