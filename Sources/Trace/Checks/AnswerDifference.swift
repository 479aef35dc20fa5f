internal import Wire

/// A question that two rulesets answer in two ways.
package struct AnswerDifference: Sendable {
  /// What the old one answers.
  package let old: CheckResult
  /// What the new one answers.
  package let new: CheckResult
  /// What is not the same.
  package let changes: [Change]

  /// Something that is not the same.
  package struct Change: Sendable, Hashable {
    /// What it is about, as tests call it: "expect", "reply", "source", "by".
    package var key: String
    /// What it was.
    package var old: String
    /// What it would be.
    package var new: String
  }

  /// The difference of two answers to one question; nil where there is none.
  package init?(_ old: CheckResult, _ new: CheckResult) {
    self.old = old
    self.new = new
    guard let before = old.fate, let after = new.fate else {
      guard old.obstacle != new.obstacle else { return nil }
      changes = [
        Change(key: "expect", old: old.obstacle ?? "an answer", new: new.obstacle ?? "an answer")
      ]
      return
    }
    var changes: [Change] = []
    func compare(_ key: String, _ old: String?, _ new: String?) {
      if old != new { changes.append(Change(key: key, old: old ?? "none", new: new ?? "none")) }
    }
    func word(_ isAnswered: Bool?) -> String? { isAnswered.map { $0 ? "accept" : "drop" } }
    compare("expect", before.verdict.description, after.verdict.description)
    if changes.isEmpty {
      compare("reply", word(before.isAnswered), word(after.isAnswered))
      // The port that NAT chooses is another one each time.
      compare("source", before.source.map { "\($0.address)" }, after.source.map { "\($0.address)" })
      compare("dest", before.destination?.description, after.destination?.description)
      compare("out", before.out, after.out)
      compare("mark", before.mark.map { "\($0)" }, after.mark.map { "\($0)" })
    }
    if changes.isEmpty { compare("by", Self.rule(before.decider), Self.rule(after.decider)) }
    if changes.isEmpty { return nil }
    self.changes = changes
  }

  /// Whether what NAT makes of the packet is another thing.
  package var isOfTranslation: Bool { changes.contains { ["source", "dest"].contains($0.key) } }

  /// Whether only another rule decides, and the packet fares the same.
  package var isByRuleAlone: Bool { changes.allSatisfy { $0.key == "by" } }

  /// Whether it got through, with its answer, and would not any more.
  package var isLoss: Bool { Self.isThrough(old) && !Self.isThrough(new) }

  /// Whether it did not get through, and would now.
  package var isOpening: Bool { !Self.isThrough(old) && Self.isThrough(new) }

  private static func isThrough(_ result: CheckResult) -> Bool {
    guard let fate = result.fate else { return false }
    return [.accept, .delivered].contains(fate.verdict) && fate.isAnswered != false
  }

  /// What tells a rule from others whatever its handle and its place are: where it stands, and its text.
  private static func rule(_ step: RuleStep?) -> String? {
    guard let step else { return nil }
    // A chain that its rule has in braces gets another number each time it is made: the rule's text tells enough.
    let chain = NFTRuleMessage.isNameless(step.chain) ? "{}" : step.chain
    let place = "\(RuleNames.family(step.family)) \(step.table) \(chain)"
    return step.isPolicy ? "\(place) policy" : "\(place) \(step.text ?? "")"
  }

  /// What changes of one kind have in common: what becomes of the packets, and by which rules.
  package var kind: Kind {
    Kind(
      changes: changes.filter { ["expect", "reply", "out"].contains($0.key) },
      old: Self.rule(old.fate?.decider), new: Self.rule(new.fate?.decider))
  }

  /// See `kind`.
  package struct Kind: Hashable, Sendable {
    private let changes: [Change]
    private let old: String?
    private let new: String?

    fileprivate init(changes: [Change], old: String?, new: String?) {
      self.changes = changes
      self.old = old
      self.new = new
    }
  }
}
