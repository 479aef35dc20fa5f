internal import CNetfilter
internal import Glibc
internal import Trace
internal import Wire

/// Rules in the words of the tool that made them: nft's from libnftables, iptables' from the
/// matching iptables program.
struct RuleTexts {
  /// Chains that were listed already.
  private var listings: [String: String] = [:]
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
    guard isIPTables(step, &rules) else { return nftText(step, handle) }
    // A program is run for each: not for rules that only lead on to others.
    let leadsOn: [Verdict] = [.jump, .goto, .return, .continue]
    return leadsOn.contains(step.verdict) ? nil : iptablesText(step, handle, &rules)
  }

  // MARK: nft

  private mutating func nftText(_ step: RuleStep, _ handle: UInt64) -> RuleText? {
    let family = NFProto.name(step.family)
    let command = "list chain \(family) \(Self.quoted(step.table)) \(Self.quoted(step.chain))"
    // Octets, for a chain may have a hundred thousand lines.
    let suffix = " # handle \(handle)".utf8
    let lines = listing(command) { NFTables.run(command) }.utf8.split(separator: 0x0a)
    guard let line = lines.first(where: { $0.suffix(suffix.count).elementsEqual(suffix) }) else {
      return nil
    }
    let text = Substring(line.dropLast(suffix.count).drop { $0 == 0x09 || $0 == 0x20 })
    return RuleText(
      family: step.family, table: step.table, chain: step.chain, handle: handle, position: nil,
      text: String(text), tool: .nft)
  }

  /// Names that nft reads back have letters, digits and "-./_"; it takes none in quotes.
  private static func quoted(_ name: String) -> String {
    name.utf8.allSatisfy({ $0 >= 0x2d && $0 <= 0x39 || $0 >= 0x41 && $0 <= 0x7a })
      ? name : "\"\(name)\""
  }

  private mutating func listing(_ key: String, _ make: () -> String?) -> String {
    if let known = listings[key] { return known }
    let listing = make() ?? ""
    listings[key] = listing
    return listing
  }

  // MARK: iptables

  /// Tables that iptables-nft keeps in nf_tables, in the families ip and ip6.
  private static let iptablesTables = ["filter", "nat", "mangle", "raw", "security"]

  /// A rule that iptables-nft made: found by its place in the chain.
  private mutating func iptablesText(
    _ step: RuleStep, _ handle: UInt64, _ rules: inout RulesetReader
  ) -> RuleText? {
    // Its place holds as long as nobody changes the ruleset.
    for _ in 1...3 {
      let before = rules.generation()
      if before != generation { orders = [:] }
      generation = before
      let text = placedText(step, handle, &rules)
      if rules.generation() == before { return text }
    }
    return nil
  }

  private mutating func placedText(
    _ step: RuleStep, _ handle: UInt64, _ rules: inout RulesetReader
  ) -> RuleText? {
    let key = "\(step.family) \(step.table) \(step.chain)"
    if orders[key] == nil {
      orders[key] = rules.chain(step).compactMap { try? NFTRuleMessage($0.payload).handle }
    }
    guard let position = orders[key]?.firstIndex(of: handle).map({ $0 + 1 }),
      let text = saved(step, position, legacy: false)
    else { return nil }
    return RuleText(
      family: step.family, table: step.table, chain: step.chain, handle: handle,
      position: position, text: text, tool: .iptables)
  }

  /// Whether iptables-nft made this table: its base chains have the names of their hooks in upper
  /// case, as people who write for nft hardly name them.
  private mutating func isIPTables(_ step: RuleStep, _ rules: inout RulesetReader) -> Bool {
    guard step.family == NFProto.ipv4 || step.family == NFProto.ipv6,
      Self.iptablesTables.contains(step.table)
    else { return false }
    if chains == nil {
      chains = ((try? rules.chains()) ?? []).compactMap { try? ChainMessage($0.payload) }
    }
    let base = (chains ?? []).filter {
      $0.family == step.family && $0.table == step.table && $0.hook != nil
    }
    return !base.isEmpty && base.allSatisfy { $0.name == $0.hook?.rawValue.uppercased() }
  }

  private mutating func legacyText(_ step: RuleStep, _ position: Int) -> RuleText? {
    guard let line = saved(step, position, legacy: true),
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

  /// The rule at this place of a chain, as iptables-save prints it: `iptables -S CHAIN NUMBER` does
  /// so too, and reads that chain alone.
  private func saved(_ step: RuleStep, _ position: Int, legacy: Bool) -> String? {
    let program =
      "/usr/sbin/\(step.family == NFProto.ipv4 ? "iptables" : "ip6tables")"
      + "-\(legacy ? "legacy" : "nft")"
    let output =
      ChildProcess.output(
        [program, "-t", step.table, "-S", step.chain, "\(position)"] + (legacy ? ["-v"] : []))
      ?? ""
    return output.split(separator: "\n").map(String.init).first {
      $0.hasPrefix("-A \(step.chain) ")
    }
  }
}

/// libnftables, for the texts of rules.
enum NFTables {
  /// The output of a command, with handles and without counters; nil if it failed.
  static func run(_ command: String) -> String? {
    guard let text = unsafe nftrace_nft(command) else { return nil }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }
}
