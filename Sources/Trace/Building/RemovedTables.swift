internal import Wire

// A table that is made anew counts its handles from the beginning: handle 5 may be another rule's.
// The trace names handles alone, and packets go on while a ruleset is loaded. What the kernel does
// when it carries out a transaction (nf_tables_commit): packets meet the new rules from one moment
// on, and only then are the changes told, the end of the transaction last. So what a packet met may
// be told
//  - before the removal of the table, though it was the new rule: while the kernel writes the
//    changes down, which takes the longer the more there are;
//  - behind it, though it was the old rule: if the processor was taken away in between.
// The kernel tells of each rule in full as it goes and as it comes. Where both generations have a
// rule of that handle, and they differ, nobody knows which of them it was: that is said.

/// A table that was removed, and what was known of its rules.
struct RemovedTable: Sendable {
  var name: TableName
  var rules: [Environment.RuleKey: NFTRuleMessage]
  var texts: [RuleText]
  /// When the end of the transaction was told, in nanoseconds; nil until then.
  var end: UInt64?

  /// For so long after a transaction, in nanoseconds, a packet may be told of that met the rules
  /// from before: two things would have to happen at once for it to be more than microseconds.
  static let lateness: UInt64 = 20_000_000
  /// More are not remembered.
  static let most = 64

  /// Whether a step may have met a rule of it.
  func has(_ step: RuleStep) -> Bool {
    step.table == name.name && step.family == name.family && step.handle != nil
      && !step.isReplaced
  }

  /// The step as far as it is certain. `new` is the rule that has its handle since, if there is one.
  func certain(_ step: RuleStep, new: NFTRuleMessage?) -> RuleStep {
    guard has(step), let key = Environment.RuleKey(step) else { return step }
    let old = rules[key]
    if let old, let new, old.fingerprint != nil, old.fingerprint == new.fingerprint { return step }
    var step = step
    step.isReplaced = true
    step.text = nil
    let isNew = new != nil
    // Whichever it was, what both of them do was done.
    step.translation = !isNew || old?.translation == new?.translation ? old?.translation : nil
    step.rejects = old?.rejects == true && (!isNew || new?.rejects == true)
    step.checksReversePath =
      old?.checksReversePath == true && (!isNew || new?.checksReversePath == true)
    if !isNew, let text = texts.last(where: { $0.chain == step.chain && $0.handle == step.handle })
    {
      step.text = text.text
      step.position = step.position ?? text.position
    }
    return step
  }
}

extension Story {
  /// Takes in that a table is gone, if the message says so.
  mutating func noteRemoval(_ message: NetlinkMessage) {
    guard let table = TableName(removedBy: message) else { return }
    let known = environment.forgetRules(table)
    removedTables.append(RemovedTable(name: table, rules: known.rules, texts: known.texts))
  }

  /// Takes in the end of a transaction: of each rule in the tables that it removed it is known now
  /// what came in its place.
  mutating func settleRemovals() {
    for index in removedTables.indices where removedTables[index].end == nil {
      let removed = removedTables[index]
      reviseSteps { removed.certain($0, new: $1) }
      // What has not changed need not be read again. It may stand elsewhere in its chain.
      for text in removed.texts {
        let step = RuleStep(
          family: text.family, table: text.table, chain: text.chain, handle: text.handle,
          verdict: .continue)
        guard !removed.certain(step, new: environment.rule(step)).isReplaced else { continue }
        var text = text
        text.position = nil
        environment.take(.rule(text))
      }
      removedTables[index].end = now
    }
    removedTables.removeAll { now.since($0.end ?? now) > RemovedTable.lateness }
    removedTables.removeFirst(max(removedTables.count - RemovedTable.most, 0))
  }

  /// A step that is told of now, as far as it is certain.
  func certain(_ step: RuleStep) -> RuleStep {
    removedTables.reduce(step) { step, removed in
      guard let end = removed.end, now.since(end) <= RemovedTable.lateness,
        let key = Environment.RuleKey(step), removed.rules[key] != nil
      else { return step }
      return removed.certain(step, new: environment.rule(step))
    }
  }

  private mutating func reviseSteps(_ certain: (RuleStep, NFTRuleMessage?) -> RuleStep) {
    let environment = environment
    func revised(_ step: RuleStep) -> RuleStep { certain(step, environment.rule(step)) }
    for index in open.indices {
      open[index].steps = open[index].steps.map(revised)
      open[index].dropped = open[index].dropped.map(revised)
      for hop in open[index].hops.indices where !open[index].hops[hop].rules.isEmpty {
        open[index].hops[hop].rules = open[index].hops[hop].rules.map(revised)
      }
    }
    self.environment.reviseDiscoveryDrops(revised)
  }
}

extension Record {
  /// Whether it tells of a change of the ruleset, or of the end of a transaction.
  public var isRulesetChange: Bool {
    guard case .netlink(let message) = content else { return false }
    return message.type >> 8 == UInt16(NetfilterSubsystem.nftables)
      && message.type != TraceMessage.type
  }

  /// The table that is gone, if it says that.
  public var removedTable: TableName? {
    if case .netlink(let message) = content { TableName(removedBy: message) } else { nil }
  }

  /// Whether it tells of a rule of one of these tables, with its handle.
  public func tellsOfRule(in tables: Set<TableName>) -> Bool {
    switch content {
    case .netlink(let message) where message.type == NFTRuleMessage.newType:
      guard let table = TableName(message) else { return false }
      return tables.contains(table)
    case .note(.rule(let text)):
      return text.handle != nil && tables.contains(TableName(text.family, text.table))
    default: return false
    }
  }
}

/// What a table of nf_tables is known by.
public struct TableName: Hashable, Sendable {
  /// NFPROTO_….
  public var family: UInt8
  /// Its name.
  public var name: String

  /// A name of these parts.
  public init(_ family: UInt8, _ name: String) {
    self.family = family
    self.name = name
  }

  /// The table a message of nf_tables is about.
  init?(_ message: NetlinkMessage) {
    guard let family = (try? NetfilterHeader(message.payload))?.family,
      let name = RulesetWatch.table(of: message)
    else { return nil }
    self.init(family, name)
  }

  /// The table that is gone, if the message says that.
  init?(removedBy message: NetlinkMessage) {
    guard message.type == RulesetWatch.deleteTableType else { return nil }
    self.init(message)
  }
}
