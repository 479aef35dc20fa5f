internal import Trace
internal import Wire

/// The rules of whole tables and chains, as their tools list them.
package enum RuleListing {
  /// What it takes besides CAP_NET_ADMIN in the calling thread's network namespace: iptables-legacy opens a raw socket, and
  /// iptables-nft does to know the name of a set of ipset.
  package static var rights: Capabilities {
    LegacyTables.names.isEmpty && !AddressSets.areThere ? [] : .rawSockets
  }

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

  /// The rules of all chains of a table, as nft lists them; those of chains without a name with what leads there.
  static func listed(_ table: TableName) -> [RuleText] {
    chains(of: table).flatMap { chain, rules in
      rules.flatMap { rule in
        rule.flat.map {
          RuleText(
            family: table.family, table: table.name, chain: chain, handle: rule.handle,
            position: nil, text: $0, tool: .nft)
        }
      }
    }
  }

  /// The rules of a step's chain, in their order; none of a chain that is long.
  static func chain(of step: RuleStep, _ rules: inout RulesetReader) -> [RuleText] {
    guard !step.isLegacy, (1...RulesetReader.most).contains(rules.firstHandles(step).count) else {
      return []
    }
    let chains = ((try? rules.chains()) ?? []).compactMap { try? ChainMessage($0.payload) }
    let table = TableName(step.family, step.table)
    if table.isIPTables(among: chains) {
      guard (try? Word.iptables(table: step.table)) != nil else { return [] }
      return saved(step.table, step.family, chain: step.chain, legacy: false)
    }
    return (self.rules(of: step, &rules) ?? []).map {
      RuleText(
        family: table.family, table: table.name, chain: step.chain, handle: $0.handle,
        position: nil, text: $0.text, tool: .nft)
    }
  }

  /// The same of a chain of nft, which may have no name; nil where its rules are others than the kernel's.
  static func rules(of step: RuleStep, _ rules: inout RulesetReader) -> [ListedRule]? {
    let handles = rules.handles(step)
    if let enclosing = EnclosingRule(of: step, &rules) {
      let outside = enclosing.step(like: step)
      if rules.firstHandles(outside).count > RulesetReader.most,
        let texts = rules.texts(of: handles, in: step, .nft)
      {
        return zip(texts, handles).map { ListedRule(text: $0, handle: $1) }
      }
      let outer = self.rules(of: outside, &rules)
      let nested = outer?.first { $0.handle == enclosing.handle }?.nested
      guard var nested, nested.count == handles.count else { return nil }
      for (index, handle) in handles.enumerated() { nested[index].handle = handle }
      return nested
    }
    // Where nft has no word for the chain, its rules go without their texts.
    guard let family = try? Word.nftFamily(step.family), let table = try? Word.nft(step.table),
      let chain = try? Word.nft(step.chain),
      let listing = NFTables.run("list chain \(family) \(table) \(chain)")
    else { return nil }
    return ListedRule.chain(listing, of: handles)
  }

  /// What nft prints of a table: the rules of each of its chains.
  static func chains(of table: TableName) -> [(chain: String, rules: [ListedRule])] {
    guard let family = try? Word.nftFamily(table.family), let name = try? Word.nft(table.name)
    else { return [] }
    return chains(in: NFTables.run("list table \(family) \(name)") ?? "")
  }

  /// Rules are what stands in chains, two tabs deep.
  static func chains(in output: String) -> [(chain: String, rules: [ListedRule])] {
    var found: [(chain: String, rules: [ListedRule])] = []
    var lines = output.utf8.split(separator: 0x0a)[...]
    while let line = lines.popFirst() {
      guard line.starts(with: "\tchain ".utf8),
        let name = String(Substring(line)).split(separator: " ").dropFirst().first
      else { continue }
      if lines.first?.starts(with: "\t\tcomment \"".utf8) == true { lines.removeFirst() }
      if lines.first?.starts(with: "\t\ttype ".utf8) == true { lines.removeFirst() }
      found.append((String(name), ListedRule.block(&lines)))
    }
    return found
  }
}
