/// The texts of rules, as far as somebody told them, found by the rule.
struct KnownTexts: Sendable {
  private var texts: [Key: RuleText] = [:]
  /// In the order in which they came, so that the oldest can be forgotten.
  private var order: [Key] = []
  /// In whose words the rules of a chain were told last.
  private var tools: [Chain: RuleText.Tool] = [:]

  /// Texts that are remembered: more than any ruleset that somebody wrote by hand.
  static let most = 65536

  private struct Chain: Hashable {
    var family: UInt8
    var table: String
    var chain: String
    /// iptables-legacy has chains of the names that those of iptables-nft have.
    var isLegacy: Bool
  }

  private struct Key: Hashable {
    var chain: Chain
    /// Of a rule of nf_tables its handle; of one of iptables-legacy its place.
    var number: UInt64

    init?(_ text: RuleText) {
      guard let number = text.handle ?? text.position.map({ UInt64(clamping: $0) }) else {
        return nil
      }
      self.number = number
      chain = Chain(
        family: text.family, table: text.table, chain: text.chain, isLegacy: text.handle == nil)
    }

    init?(_ step: RuleStep) {
      guard let number = step.handle ?? step.position.map({ UInt64(clamping: $0) }) else {
        return nil
      }
      self.number = number
      chain = Chain(
        family: step.family, table: step.table, chain: step.chain, isLegacy: step.handle == nil)
    }
  }

  mutating func take(_ text: RuleText) {
    guard let key = Key(text) else { return }
    if texts.updateValue(text, forKey: key) == nil { order.append(key) }
    tools[key.chain] = text.tool
    if order.count > Self.most {
      for old in order.prefix(Self.most / 2) { texts[old] = nil }
      order.removeFirst(Self.most / 2)
      let chains = Set(texts.keys.map(\.chain))
      tools = tools.filter { chains.contains($0.key) }
    }
  }

  /// The text of the rule that a step names.
  func text(_ step: RuleStep) -> RuleText? { Key(step).flatMap { texts[$0] } }

  /// The texts of the rules of a step's chain that are known.
  func texts(ofChainOf step: RuleStep) -> [String] {
    let chain = Chain(
      family: step.family, table: step.table, chain: step.chain, isLegacy: step.isLegacy)
    return order.filter { $0.chain == chain }.compactMap { texts[$0]?.text }.filter {
      !$0.hasPrefix("-P ")
    }
  }

  /// In whose words rules of a step's chain were told.
  func tool(ofChainOf step: RuleStep) -> RuleText.Tool? {
    tools[
      Chain(
        family: step.family, table: step.table, chain: step.chain, isLegacy: step.isLegacy)]
  }

  /// Forgets the rules of a table of nf_tables, and returns them.
  mutating func forget(_ table: TableName) -> [RuleText] {
    func isGone(_ chain: Chain) -> Bool {
      chain.family == table.family && chain.table == table.name && !chain.isLegacy
    }
    let gone = order.filter { isGone($0.chain) }.compactMap { texts[$0] }
    guard !gone.isEmpty else { return [] }
    order.removeAll { isGone($0.chain) }
    texts = texts.filter { !isGone($0.key.chain) }
    tools = tools.filter { !isGone($0.key) }
    return gone
  }
}
