internal import Trace
internal import Wire

/// The rules of whole tables and chains, as their tools list them.
enum RuleListing {
  /// Rules of a chain that are listed, at most: more than somebody wrote by hand.
  private static let most = 256

  /// What `iptables -S` prints of a table of this family.
  static func saved(
    _ table: String, _ family: UInt8, chain: String? = nil, legacy: Bool
  ) -> [RuleText] {
    let program =
      "/usr/sbin/\(family == NFProto.ipv4 ? "iptables" : "ip6tables")-\(legacy ? "legacy" : "nft")"
    let output =
      ChildProcess.output([program, "-t", table, "-S"] + (chain.map { [$0] } ?? [])) ?? ""
    var positions: [Substring: Int] = [:]
    return output.split(separator: "\n").filter { $0.hasPrefix("-A ") }.map { line in
      let chain = line.split(separator: " ")[1]
      positions[chain, default: 0] += 1
      return RuleText(
        family: family, table: table, chain: String(chain), handle: nil,
        position: positions[chain], text: String(line), tool: legacy ? .iptablesLegacy : .iptables)
    }
  }

  /// What `nft -a list table` prints: rules are what stands in chains, two tabs deep.
  static func listed(_ table: TableName) -> [RuleText] {
    guard let family = try? Word.nftFamily(table.family), let name = try? Word.nft(table.name)
    else { return [] }
    return rules(of: table, in: NFTables.run("list table \(family) \(name)") ?? "")
  }

  /// The rules of a step's chain, in their order; none of a chain that is long.
  static func chain(of step: RuleStep, _ rules: inout RulesetReader) -> [RuleText] {
    guard !step.isLegacy, (1...most).contains(rules.chain(step).count) else { return [] }
    let chains = ((try? rules.chains()) ?? []).compactMap { try? ChainMessage($0.payload) }
    let table = TableName(step.family, step.table)
    guard let word = try? Word.nft(step.chain) else { return [] }
    if table.isIPTables(among: chains) {
      guard (try? Word.iptables(table: step.table)) != nil else { return [] }
      return saved(step.table, step.family, chain: step.chain, legacy: false)
    }
    guard let family = try? Word.nftFamily(table.family), let name = try? Word.nft(table.name)
    else { return [] }
    return self.rules(of: table, in: NFTables.run("list chain \(family) \(name) \(word)") ?? "")
  }

  private static func rules(of table: TableName, in output: String) -> [RuleText] {
    var chain: String?
    var found: [RuleText] = []
    for line in output.split(separator: "\n") {
      if line.hasPrefix("\tchain ") {
        chain = line.split(separator: " ").dropFirst().first.map(String.init)
      } else if line == "\t}" {
        chain = nil
      } else if let chain, line.hasPrefix("\t\t"), !line.hasPrefix("\t\ttype ") {
        let parts = line.dropFirst(2).components(before: " # handle ")
        found.append(
          RuleText(
            family: table.family, table: table.name, chain: chain,
            handle: parts.rest.flatMap { UInt64($0) },
            position: nil, text: parts.text, tool: .nft))
      }
    }
    return found
  }
}

extension Substring {
  /// What stands before the last of these separators, and what stands behind it.
  fileprivate func components(before separator: String) -> (text: String, rest: Substring?) {
    var end = endIndex
    while end > startIndex {
      formIndex(before: &end)
      if self[end...].hasPrefix(separator) {
        return (String(self[..<end]), self[end...].dropFirst(separator.count))
      }
    }
    return (String(self), nil)
  }
}
