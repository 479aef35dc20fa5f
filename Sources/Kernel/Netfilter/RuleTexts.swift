internal import Trace
internal import Wire

/// Rules in the words of the tool that made them: nft's from libnftables, iptables' from the
/// matching iptables program.
struct RuleTexts {
  /// Chains that were listed already: nft's, and the output of iptables.
  private var listed: [String: [ListedRule]?] = [:]
  private var listings: [String: String] = [:]
  /// Rules of long chains, which were made alone to be listed, by their handles.
  private var alone: [String: [UInt64: String]] = [:]
  /// Whether chains are so long that their rules are.
  private var long: [String: Bool] = [:]
  /// The rules' handles in the order of their chain, in one generation of the ruleset.
  private var orders: [String: [UInt64]] = [:]
  private var generation: UInt32?
  private var chains: [ChainMessage]?
  /// Of the tables of iptables-legacy, before the packets that are asked about.
  private let stamps: [String: UInt64]
  /// Whether the last rule of iptables-legacy that was asked for may have been replaced.
  private(set) var hasChanged = false

  init(stamps: [String: UInt64]) { self.stamps = stamps }

  /// The text of the rule that a step names; nil if nobody can tell it.
  mutating func text(of step: RuleStep, _ rules: inout RulesetReader) -> RuleText? {
    if step.handle == nil, let position = step.position { return legacyText(step, position) }
    guard let handle = step.handle else { return nil }
    return isIPTables(step, &rules)
      ? iptablesText(step, handle, &rules) : nftText(step, handle, &rules)
  }

  // MARK: nft

  private mutating func nftText(
    _ step: RuleStep, _ handle: UInt64, _ rules: inout RulesetReader
  ) -> RuleText? {
    let text =
      alone(step, handle, .nft, &rules)
      ?? listed(step, &rules)?.first(where: { $0.handle == handle })?.text
    guard let text else { return nil }
    return RuleText(
      family: step.family, table: step.table, chain: step.chain, handle: handle, position: nil,
      text: text, tool: .nft)
  }

  /// Reads rules of a long chain together, of which the texts are asked for one by one.
  mutating func prepare(_ step: RuleStep, _ handles: [UInt64], _ rules: inout RulesetReader) {
    let tool: RuleText.Tool = isIPTables(step, &rules) ? .iptables : .nft
    // As what belongs to another generation it would be thrown away.
    generation = rules.generation()
    if isLong(step, rules), let texts = rules.texts(of: handles, in: step, tool) {
      alone[Self.key(step)] = Dictionary(zip(handles, texts), uniquingKeysWith: { $1 })
    }
  }

  private static func key(_ step: RuleStep) -> String {
    "\(step.family) \(step.table) \(step.chain)"
  }

  private mutating func isLong(_ step: RuleStep, _ rules: borrowing RulesetReader) -> Bool {
    if let known = long[Self.key(step)] { return known }
    let found = rules.firstHandles(step).count > RulesetReader.most
    long[Self.key(step)] = found
    return found
  }

  /// The text of a rule of a long chain, made alone; nil of others, and where that cannot be.
  private mutating func alone(
    _ step: RuleStep, _ handle: UInt64, _ tool: RuleText.Tool, _ rules: inout RulesetReader
  ) -> String? {
    if let known = alone[Self.key(step)]?[handle] { return known }
    guard isLong(step, rules), let text = rules.texts(of: [handle], in: step, tool)?.first else {
      return nil
    }
    alone[Self.key(step), default: [:]][handle] = text
    return text
  }

  /// The rules of a step's chain, as nft lists them.
  private mutating func listed(
    _ step: RuleStep, _ rules: inout RulesetReader
  ) -> [ListedRule]? {
    let key = Self.key(step)
    if let known = listed[key] { return known }
    let found = RuleListing.rules(of: step, &rules)
    listed[key] = .some(found)
    return found
  }

  private mutating func listing(_ key: String, _ make: () -> String?) -> String {
    if let known = listings[key] { return known }
    let listing = make() ?? ""
    listings[key] = listing
    return listing
  }

  // MARK: iptables

  /// A rule that iptables-nft made: found by its place in the chain.
  private mutating func iptablesText(
    _ step: RuleStep, _ handle: UInt64, _ rules: inout RulesetReader
  ) -> RuleText? {
    // Its place holds as long as nobody changes the ruleset.
    for _ in 1...3 {
      let before = rules.generation()
      if before != generation {
        (orders, listings, listed, alone, long) = ([:], [:], [:], [:], [:])
      }
      generation = before
      let text = placedText(step, handle, &rules)
      if rules.generation() == before { return text }
    }
    return nil
  }

  private mutating func placedText(
    _ step: RuleStep, _ handle: UInt64, _ rules: inout RulesetReader
  ) -> RuleText? {
    let handles = order(of: step, &rules)
    guard let position = handles.firstIndex(of: handle).map({ $0 + 1 }),
      let text = alone(step, handle, .iptables, &rules)
        ?? listed(step, position, of: handles.count)
    else { return nil }
    return RuleText(
      family: step.family, table: step.table, chain: step.chain, handle: handle,
      position: position, text: text, tool: .iptables)
  }

  /// The handles of the rules of a step's chain.
  private mutating func order(of step: RuleStep, _ rules: inout RulesetReader) -> [UInt64] {
    let key = Self.key(step)
    if let known = orders[key] { return known }
    let handles = rules.handles(step)
    orders[key] = handles
    return handles
  }

  /// Whether iptables-nft made the table of a step.
  private mutating func isIPTables(_ step: RuleStep, _ rules: inout RulesetReader) -> Bool {
    if chains == nil {
      chains = ((try? rules.chains()) ?? []).compactMap { try? ChainMessage($0.payload) }
    }
    return TableName(step.family, step.table).isIPTables(among: chains ?? [])
  }

  private mutating func legacyText(_ step: RuleStep, _ position: Int) -> RuleText? {
    guard let line = saved(step, position),
      let (text, packets) = Self.withoutCounters(line)
    else {
      hasChanged = LegacyTables.stamps() != stamps
      return nil
    }
    // What has never matched anything is not what the packet met; nor need it be any more where the
    // tables are others than before.
    hasChanged = packets == 0 || LegacyTables.stamps() != stamps
    if hasChanged { return nil }
    return RuleText(
      family: step.family, table: step.table, chain: step.chain, handle: nil, position: position,
      text: text, tool: .iptablesLegacy)
  }

  /// A rule that was listed with its counters, and how many packets it matched.
  static func withoutCounters(_ line: String) -> (text: String, packets: UInt64)? {
    // "-c 3 252" stands before the target; a comment, which may say the same, stands in quotes.
    var words: [Substring] = []
    var isQuoted = false
    for word in line.split(separator: " ", omittingEmptySubsequences: false) {
      if isQuoted { words[words.count - 1] += " " + word } else { words.append(word) }
      let quotes = word.utf8.enumerated().filter { index, byte in
        byte == 0x22 && (index == 0 || Array(word.utf8)[index - 1] != 0x5c)
      }
      if quotes.count % 2 == 1 { isQuoted.toggle() }
    }
    guard let place = words.firstIndex(of: "-c"), place + 2 < words.count,
      let packets = UInt64(words[place + 1])
    else { return nil }
    words.removeSubrange(place...(place + 2))
    return (words.joined(separator: " "), packets)
  }

  /// The rule at this place of a chain that iptables-nft made, which has so many. The program is run once
  /// for a chain: a packet meets many of its rules.
  private mutating func listed(_ step: RuleStep, _ position: Int, of count: Int) -> String? {
    guard let command = Self.listing(step, legacy: false) else { return nil }
    let text = listing(command.joined(separator: " ")) { ChildProcess.output(command) }
    let rules = Self.rules(inSaved: text)
    guard rules.count == count else { return nil }
    return String(rules[position - 1])
  }

  /// The rules in what `iptables -S CHAIN` prints.
  static func rules(inSaved text: String) -> [Substring] {
    text.utf8.split(separator: 0x0a).filter { $0.starts(with: "-A ".utf8) }.map { Substring($0) }
  }

  /// The rule of iptables-legacy at this place of a chain, with its counters; or the chain's policy: TRACE takes a rule that
  /// asks nothing for that as well.
  private func saved(_ step: RuleStep, _ position: Int) -> String? {
    guard let command = Self.listing(step, legacy: true) else { return nil }
    func line(_ words: [String], _ start: String) -> String? {
      let output = ChildProcess.output(command + words + ["-v"]) ?? ""
      return output.split(separator: "\n").map(String.init).first {
        $0.hasPrefix("\(start) \(step.chain) ")
      }
    }
    return line(["\(position)"], "-A") ?? (step.isPolicy ? line([], "-P") : nil)
  }

  /// The command that lists the chain of a step.
  static func listing(_ step: RuleStep, legacy: Bool) -> [String]? {
    // No shell reads the chain's name; but what iptables would take for an option is none of its
    // chains, and a line's end in it would forge lines.
    guard let table = try? Word.iptables(table: step.table), !step.chain.hasPrefix("-"),
      !step.chain.hasPrefix("!"), step.chain.utf8.allSatisfy({ 0x21...0x7e ~= $0 })
    else { return nil }
    let program =
      "/usr/sbin/\(step.family == NFProto.ipv4 ? "iptables" : "ip6tables")"
      + "-\(legacy ? "legacy" : "nft")"
    return [program, "-t", table.text, "-S", step.chain]
  }
}
