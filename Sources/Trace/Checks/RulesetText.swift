internal import Wire

/// The text of a ruleset, and in which lines its rules stand. Of a text that nft or iptables takes.
package struct RulesetText: Sendable, Equatable {
  /// Its file.
  package let path: String
  /// Who reads it.
  package let language: Language
  /// The lines of each chain's rules, in the rules' order.
  private var lines: [Chain: [Rule]] = [:]

  /// Where a rule begins, and those of its own chain do (`jump { … }`).
  private struct Rule: Sendable, Equatable {
    var line: RulesetCoverage.Line
    var nested: [Rule] = []
  }

  /// Who reads a ruleset.
  package enum Language: Sendable, Equatable {
    /// `nft -f`.
    case nft
    /// `iptables-restore`, or `ip6tables-restore`.
    case iptables(version: Int)
  }

  private struct Chain: Hashable {
    var family: String
    var table: String
    var name: String
  }

  /// The text of a file, told apart by what it says. `included` are the files, with their texts, that a name behind
  /// "include" stands for.
  package init(
    _ text: String, path: String, included: (String) -> [(path: String, text: String)] = { _ in [] }
  ) {
    self.path = path
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let first = lines.first { line in
      line.contains { $0 != " " && $0 != "\t" } && line.first { $0 != " " && $0 != "\t" } != "#"
    }
    // iptables-save begins with a table: "*filter".
    if first?.first == "*" {
      let isV6 =
        text.firstRange(of: "ip6tables-save") != nil || text.firstRange(of: "icmpv6") != nil
        || text.firstRange(of: "icmp6-") != nil
        || lines.contains { line in
          line.split(separator: " ").contains { word in
            Prefix(String(word)).map { $0.address.family == 6 } ?? false
          }
        }
      language = .iptables(version: isV6 ? 6 : 4)
      readSaved(lines)
    } else {
      language = .nft
      var script = Script()
      readScript(text, path, &script, included, depth: 0)
    }
  }

  /// Where a rule stands, by its number in its chain, counted from 1, and in the own chain of that rule, and so on; nil where
  /// that is not known.
  package func line(
    family: UInt8, table: String, chain: String, numbers: [Int]
  ) -> RulesetCoverage.Line? {
    var rules = lines[Chain(family: NFProto.name(family), table: table, name: chain)] ?? []
    var line: RulesetCoverage.Line?
    for number in numbers {
      guard rules.indices.contains(number - 1) else { return nil }
      line = rules[number - 1].line
      rules = rules[number - 1].nested
    }
    return line
  }

  private mutating func readSaved(_ text: [Substring]) {
    guard case .iptables(let version) = language else { return }
    var table = ""
    for (number, line) in text.enumerated() {
      if line.first == "*" { table = String(line.dropFirst()) }
      // Counters may stand before it: "[5:300] -A …".
      let words = line.split(separator: " ")
      guard let mark = words.firstIndex(where: { $0 == "-A" || $0 == "--append" }), mark <= 1,
        words.count > mark + 1
      else { continue }
      let chain = Chain(
        family: version == 6 ? "ip6" : "ip", table: table, name: String(words[mark + 1]))
      lines[chain, default: []].append(Rule(line: .init(path: path, number: number + 1)))
    }
  }

  // MARK: nft

  /// Where a script is, which an included file goes on with.
  private struct Script {
    /// The table and the chain whose block this is.
    var table: (family: String, name: String)?
    var chain: String?
  }

  /// Files in files at most, as nft has it.
  private static let deepest = 16

  /// Takes an nft script apart as far as to know which of its statements are rules.
  private mutating func readScript(
    _ text: String, _ path: String, _ script: inout Script,
    _ included: (String) -> [(path: String, text: String)], depth: Int
  ) {
    var reader = ScriptReader(text)
    while let statement = reader.next(isInChain: script.chain != nil) {
      let words = statement.words
      switch statement.end {
      case .block:
        if script.table == nil, let start = words.firstIndex(of: "table") {
          script.table = Self.table(Array(words[(start + 1)...]))
        } else if script.table != nil, script.chain == nil, words.first == "chain", words.count > 1
        {
          script.chain = words[1]
        } else {
          reader.skipBlock()
        }
      case .blockEnd, .statement:
        if words.first == "include", words.count > 1 {
          for file in included(words[1]) where depth < Self.deepest {
            readScript(file.text, file.path, &script, included, depth: depth + 1)
          }
        } else if let table = script.table, let chain = script.chain, Self.isRule(words) {
          let chain = Chain(family: table.family, table: table.name, name: chain)
          lines[chain, default: []].append(Self.rule(statement, in: path))
        } else if script.table == nil {
          readCommand(words, Self.rule(statement, in: path))
        }
        if statement.end == .blockEnd {
          if script.chain != nil { script.chain = nil } else { script.table = nil }
        }
      }
    }
  }

  private static func rule(_ statement: ScriptReader.Statement, in path: String) -> Rule {
    Rule(
      line: RulesetCoverage.Line(path: path, number: statement.line),
      nested: statement.nested.map { rule($0, in: path) })
  }

  private static func table(_ words: [String]) -> (family: String, name: String)? {
    let families = ["ip", "ip6", "inet", "arp", "bridge", "netdev"]
    guard let first = words.first else { return nil }
    return words.count > 1 && families.contains(first) ? (first, words[1]) : ("ip", first)
  }

  /// Whether a statement of a chain's block is a rule, and not what the chain is.
  private static func isRule(_ words: [String]) -> Bool {
    guard let first = words.first else { return false }
    return !["type", "policy", "comment", "flags", "devices", "device", "include", "define"]
      .contains(first)
  }

  /// A rule by itself: "add rule inet fw forward …", "insert rule …".
  private mutating func readCommand(_ words: [String], _ rule: Rule) {
    guard words.count > 2, words[1] == "rule", let table = Self.table(Array(words[2...])) else {
      return
    }
    let isNamed = words[2] == table.family && words.count > 3 && words[3] == table.name
    let place = isNamed ? 4 : 3
    guard words.count > place else { return }
    let chain = Chain(family: table.family, table: table.name, name: words[place])
    switch words[0] {
    case "add": lines[chain, default: []].append(rule)
    case "insert": lines[chain, default: []].insert(rule, at: 0)
    default: break
    }
  }
}

/// Statements of an nft script.
private struct ScriptReader {
  struct Statement {
    var words: [String]
    var line: Int
    var end: End
    /// Those of a chain without a name: `jump { … }`.
    var nested: [Statement] = []
  }

  enum End { case statement, block, blockEnd }

  private let octets: [UInt8]
  private var at = 0
  private var line = 1

  init(_ text: String) { octets = Array(text.utf8) }

  /// The next statement; nil behind the last. In a chain braces belong to a rule, as those of a set do.
  mutating func next(isInChain: Bool) -> Statement? {
    var words: [String] = []
    var word: [UInt8] = []
    var depth = 0
    var start = line
    var nested: [Statement] = []
    func finish() {
      if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
      word = []
    }
    while at < octets.count {
      let octet = octets[at]
      at += 1
      if words.isEmpty, word.isEmpty { start = line }
      switch octet {
      case UInt8(ascii: "#"):
        while at < octets.count, octets[at] != 0x0a { at += 1 }
      case UInt8(ascii: "\""):
        let end = octets[at...].firstIndex(of: octet) ?? octets.count
        word += octets[at..<end]
        line += octets[at..<end].count { $0 == 0x0a }
        at = min(end + 1, octets.count)
      case UInt8(ascii: "\\") where at < octets.count && octets[at] == 0x0a:
        at += 1
        line += 1
        finish()
      case 0x0a, UInt8(ascii: ";"):
        finish()
        if octet == 0x0a { line += 1 }
        if depth == 0, !words.isEmpty {
          return Statement(words: words, line: start, end: .statement, nested: nested)
        }
      case UInt8(ascii: "{"):
        finish()
        if depth == 0, !isInChain, Self.opensBlock(words) {
          return Statement(words: words, line: start, end: .block)
        }
        if depth == 0, ["jump", "goto"].contains(words.last) {
          nested += block()
          words += ["{", "}"]
          continue
        }
        depth += 1
        words.append("{")
      case UInt8(ascii: "}"):
        finish()
        guard depth > 0 else {
          return Statement(words: words, line: start, end: .blockEnd, nested: nested)
        }
        depth -= 1
        words.append("}")
      case 0x20, 0x09, 0x0d: finish()
      default: word.append(octet)
      }
    }
    finish()
    return words.isEmpty
      ? nil : Statement(words: words, line: start, end: .statement, nested: nested)
  }

  /// The rules of a chain without a name whose brace was read, up to the other one.
  private mutating func block() -> [Statement] {
    var found: [Statement] = []
    while let statement = next(isInChain: true) {
      if !statement.words.isEmpty { found.append(statement) }
      if statement.end == .blockEnd { break }
    }
    return found
  }

  /// Whether a brace behind these words opens a block of statements, and not a set of values.
  private static func opensBlock(_ words: [String]) -> Bool {
    let objects = [
      "table", "chain", "set", "map", "flowtable", "counter", "quota", "limit", "ct", "secmark",
      "synproxy",
    ]
    guard let first = words.first else { return false }
    if ["add", "create"].contains(first) {
      return words.count > 1 && objects.prefix(5).contains(words[1])
    }
    return objects.contains(first) && words.count <= 3
  }

  /// Goes on behind the block that was opened last.
  mutating func skipBlock() {
    var depth = 1
    while at < octets.count, depth > 0 {
      switch octets[at] {
      case 0x0a: line += 1
      case UInt8(ascii: "#"):
        while at + 1 < octets.count, octets[at + 1] != 0x0a { at += 1 }
      case UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "}"): depth -= 1
      default: break
      }
      at += 1
    }
  }
}
