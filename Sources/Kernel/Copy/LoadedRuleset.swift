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
    for message in try reader.rules() {
      guard let rule = try? NFTRuleMessage(message.payload), !OwnTable.isOne(rule.table) else {
        continue
      }
      let chain = "\(rule.family) \(rule.table) \(rule.chain)"
      counts[chain, default: 0] += 1
      rules.append(
        RuleInForce(
          family: rule.family, table: rule.table, chain: rule.chain, handle: rule.handle,
          position: counts[chain]!))
    }
    let chains = try reader.chains().compactMap { try? ChainMessage($0.payload) }
    var texts: [String: String] = [:]
    for table in Set(rules.map { TableName($0.family, $0.table) }) {
      let isIPTables = table.isIPTables(among: chains)
      let listed =
        isIPTables
        ? RuleListing.saved(table.name, table.family, legacy: false) : RuleListing.listed(table)
      var places: [String: Int] = [:]
      for text in listed {
        let chain = "\(table.family) \(table.name) \(text.chain)"
        places[chain, default: 0] += 1
        texts["\(chain) \(places[chain]!)"] = text.text
      }
    }
    for index in rules.indices {
      let rule = rules[index]
      rules[index].text = texts["\(rule.family) \(rule.table) \(rule.chain) \(rule.position)"]
    }
    return rules
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
        sets["\(table) \(name)"] = elements.split(separator: ",").compactMap { element in
          element.split { " \n\t".contains($0) }.first.map(String.init)
        }
      }
    }
    return sets
  }
}
