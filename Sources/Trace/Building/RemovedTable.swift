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
  var rules: [Snapshot.RuleKey: NFTRuleMessage]
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
    guard has(step), let key = Snapshot.RuleKey(step) else { return step }
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
      step.take(position: text.position)
    }
    return step
  }
}
