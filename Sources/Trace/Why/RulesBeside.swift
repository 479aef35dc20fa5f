internal import Wire

/// The rules of the chain that ended a packet's way, besides the one that did: one of them may have been meant for it.
struct RulesBeside {
  private let lost: LostPacket
  private let step: RuleStep
  /// In their order.
  private let before: [RuleText]
  private let after: [RuleText]

  init(_ ruling: Ruling) {
    (lost, step) = (ruling.lost, ruling.step)
    let chain = (ruling.lost.host(.rulesBeside).rulesBeside ?? []).filter {
      $0.family == ruling.step.family && $0.table == ruling.step.table
        && $0.chain == ruling.step.chain
    }
    let place = chain.firstIndex {
      ruling.step.handle != nil && $0.handle == ruling.step.handle
        || ruling.step.position != nil && $0.position == ruling.step.position
    }
    before = ruling.step.isPolicy ? chain : place.map { Array(chain[..<$0]) } ?? []
    after = place.map { Array(chain[($0 + 1)...]) } ?? []
  }

  /// Whether one of them accepts the packet's answer, as that of a known connection, before it could come to the rule
  /// that ended this one's way; as far as their words say.
  var acceptAnswer: Bool {
    let answer = SeenPacket(answerTo: lost)
    for rule in before {
      let conditions = RuleConditions(rule.text)
      if conditions.surelyAccepts(answer) { return true }
      if conditions.mayStop(answer) { return false }
    }
    return false
  }

  /// Commands that put the packet into a set that a rule before looks packets up in, and accepts them, or into its map of
  /// verdicts: of rules that ask where packets go, for others would let more pass than is asked for.
  var admissions: [Command] {
    guard let hop = lost.journey.end.decider?.hop, Remedy.isChangeable(lost, step) else {
      return []
    }
    return before.flatMap { rule -> [Command] in
      let conditions = RuleConditions(rule.text)
      let lookups = SetLookup.all(rule.text).filter { $0.isMap != conditions.accepts }
      // A map in which the packet was found has an element of it already.
      guard !lookups.isEmpty, conditions.accepts || !isMet(rule),
        conditions.difference(lost) == nil,
        conditions.means(lost) || conditions.asksForPort,
        let table = try? Word.nft(rule.table), let family = try? Word.nftFamily(rule.family)
      else { return [] }
      return lookups.compactMap { lookup in
        guard let key = try? lookup.key(of: hop), let set = try? Word.nft(lookup.name) else {
          return nil
        }
        let value: Command = lookup.isMap ? " : accept" : ""
        let element = ("{ \(key)\(value) }" as Command).quoted
        return "nft add element \(family) \(table) \(set) \(element)"
      }
    }
  }

  /// Whether the packet met one of them on its way: all that it asks for was so.
  private func isMet(_ rule: RuleText) -> Bool {
    lost.journey.way.rules.contains {
      $0.family == rule.family && $0.table == rule.table && $0.chain == rule.chain
        && $0.handle != nil && $0.handle == rule.handle
    }
  }

  /// What is to be said of them, behind a semicolon; nothing where none was meant for the packet.
  var words: String {
    if let counting = step.text.flatMap({ RuleConditions($0).counting }), !step.isPolicy {
      return "; the rule goes by \(counting.criterion)"
    }
    for rule in before {
      let conditions = RuleConditions(rule.text)
      guard conditions.letsPass else { continue }
      let difference = conditions.difference(lost)
      if let counting = conditions.counting, difference == nil {
        return "; a rule before it goes by \(counting.criterion), and let no more pass: "
          + Escape.text(rule.rule)
      }
      if let difference, conditions.means(lost) {
        return "; a rule before it accepts such packets, but asks for \(difference): "
          + Escape.text(rule.rule)
      }
    }
    let late = after.first {
      let conditions = RuleConditions($0.text)
      return conditions.accepts && conditions.means(lost) && conditions.difference(lost) == nil
    }
    return late.map {
      "; a rule behind it accepts such packets, and comes too late: \(Escape.text($0.rule))"
    }
      ?? ""
  }
}
