internal import Glibc
package import Trace
internal import Wire

/// A ruleset of a file, in force in a network namespace.
package enum LoadedRuleset {
  /// Puts a ruleset in the place of that of the calling thread's network namespace, which has none or is to lose it.
  /// Throws what its tool says of it, with the line.
  package static func load(_ ruleset: RulesetText) throws(KernelError) {
    let attempt = "load \(ruleset.path)"
    switch ruleset.language {
    case .nft:
      if let fault = try NFTables.load(file: ruleset.path) {
        throw KernelError(.usage, cannot: attempt, help: Self.trimmed(fault))
      }
    case .iptables(let version):
      let program = version == 6 ? "ip6tables-restore" : "iptables-restore"
      let (code, output) = try ChildProcess.run([program, ruleset.path])
      if code == 127 {
        throw KernelError(cannot: attempt, help: "\(program) is not there: apt install iptables")
      }
      guard code == 0 else {
        throw KernelError(.usage, cannot: attempt, help: Self.trimmed(output))
      }
    }
  }

  private static func trimmed(_ text: String) -> String {
    String(text.map { $0 == "\t" ? " " : $0 }.reversed().drop { $0 == "\n" }.reversed())
  }

  /// The rules that are in force in the calling thread's network namespace, but nftrace's own.
  package static func rules() throws(KernelError) -> [RuleInForce] {
    var reader = try RulesetReader()
    var rules: [RuleInForce] = []
    var counts: [String: Int] = [:]
    // Of chains without a name, the places of the rules in their order.
    var enclosing: [String: RuleInForce.Place] = [:]
    for message in try reader.rules() {
      guard let rule = try? NFTRuleMessage(message.payload), !OwnTable.isOne(rule.table) else {
        continue
      }
      let table = "\(rule.family) \(rule.table)"
      counts["\(table) \(rule.chain)", default: 0] += 1
      let position = counts["\(table) \(rule.chain)"]!
      let made = RuleInForce(
        family: rule.family, table: rule.table, chain: rule.chain, handle: rule.handle,
        position: position)
      if let chain = rule.namelessChain { enclosing["\(table) \(chain)"] = made.place }
      rules.append(made)
    }
    // Until nothing is found any more, for they may stand in one another.
    for index in rules.indices {
      let table = "\(rules[index].family) \(rules[index].table)"
      while let outer = enclosing["\(table) \(rules[index].place.chain)"] {
        rules[index].place = outer + rules[index].place
      }
    }
    let chains = try reader.chains().compactMap { try? ChainMessage($0.payload) }
    var texts: [TableName: [RuleInForce.Place: String]] = [:]
    for table in Set(rules.map { TableName($0.family, $0.table) }) {
      texts[table] =
        table.isIPTables(among: chains)
        ? saved(table)
        : Dictionary(
          RuleListing.chains(of: table).flatMap { chain, rules in self.texts(rules, in: chain) },
          uniquingKeysWith: { first, _ in first })
    }
    for index in rules.indices {
      let rule = rules[index]
      rules[index].text = texts[TableName(rule.family, rule.table)]?[rule.place]
    }
    return rules
  }

  private static func saved(_ table: TableName) -> [RuleInForce.Place: String] {
    let listed = RuleListing.saved(table.name, table.family, legacy: false)
    return Dictionary(
      listed.map { (RuleInForce.Place(chain: $0.chain, [$0.position ?? 0]), $0.text) },
      uniquingKeysWith: { first, _ in first })
  }

  private static func texts(
    _ rules: [ListedRule], in chain: String, behind places: [Int] = []
  ) -> [(RuleInForce.Place, String)] {
    rules.enumerated().flatMap { index, rule in
      let place = places + [index + 1]
      return [(RuleInForce.Place(chain: chain, place), rule.text)]
        + texts(rule.nested, in: chain, behind: place)
    }
  }

  /// The tables of the calling thread's network namespace that are iptables-nft's.
  package static func iptablesTables() throws(KernelError) -> Set<TableName> {
    var reader = try RulesetReader()
    let chains = try reader.chains().compactMap { try? ChainMessage($0.payload) }
    return Set(
      chains.map { TableName($0.family, $0.table) }.filter { $0.isIPTables(among: chains) })
  }

  /// The elements of sets and the keys of maps in the calling thread's network namespace, by "FAMILY TABLE NAME".
  package static func sets() -> [String: [String]] {
    var sets: [String: [String]] = [:]
    for output in [NFTables.run("list sets"), NFTables.run("list maps")].compactMap(\.self) {
      var table = ""
      for block in output.split(separator: "\n\t}") {
        for line in block.split(separator: "\n") where line.hasPrefix("table ") {
          table = line.dropFirst("table ".count).split(separator: " ").prefix(2).joined(
            separator: " ")
        }
        let head = block.split(separator: "\n").last {
          $0.hasPrefix("\tset ") || $0.hasPrefix("\tmap ")
        }
        guard let name = head?.split(separator: " ").dropFirst().first,
          let start = block.firstRange(of: "elements = {")?.upperBound
        else { continue }
        let elements = block[start...].prefix { $0 != "}" }
        sets["\(table) \(name)"] = elements.split(separator: ",").compactMap(key)
      }
    }
    return sets
  }

  /// The key of an element as it is listed, without what stands behind it: "10.0.0.1 . 80".
  private static func key(_ element: Substring) -> String? {
    let words = element.split { " \n\t".contains($0) }
    guard var key = words.first.map(String.init) else { return nil }
    var rest = words.dropFirst()
    while rest.count > 1, rest.first == "." {
      key += " . " + rest[rest.startIndex + 1]
      rest = rest.dropFirst(2)
    }
    return key
  }
}
