package import Trace

/// How two rulesets answer the same questions.
package struct DiffReport: Sendable {
  /// What the rulesets are called.
  private let names: (old: String, new: String)
  /// Where they were asked.
  private let place: String
  private let differences: [String]
  /// What questions are called: "question", "flow".
  private let noun: String
  private let rulesets: (old: RulesetCoverage, new: RulesetCoverage)
  private let count: Int
  private let unasked: [CheckResult]
  private let changes: [AnswerDifference]

  /// A report of the answers of both to the same questions, in the same order.
  package init(
    _ names: (old: String, new: String), in place: String, differences: [String], noun: String,
    rulesets: (old: RulesetCoverage, new: RulesetCoverage),
    answers: (old: [CheckResult], new: [CheckResult])
  ) {
    self.names = names
    self.place = place
    self.differences = differences
    self.noun = noun
    self.rulesets = rulesets
    count = answers.old.count
    unasked = zip(answers.old, answers.new).filter { $0.obstacle != nil && $1.obstacle != nil }.map(
      \.0)
    changes = zip(answers.old, answers.new).compactMap { AnswerDifference($0, $1) }
  }

  private var important: [AnswerDifference] { changes.filter { !$0.isByRuleAlone } }

  /// 0 where both say the same, 1 where they do not, 2 where nothing could be asked.
  package var exitCode: Int32 {
    changes.isEmpty ? unasked.count == count && count > 0 ? 2 : 0 : 1
  }

  // MARK: Text

  /// Differences of a kind that are told one by one.
  private static let mostTold = 3

  /// All lines.
  package func lines(_ style: TextStyle) -> [StyledLine] {
    if style.verbosity == .quiet { return [sum] }
    var lines: [StyledLine] = ["\(names.old) against \(names.new), asked in \(place)"]
    lines += differences.map { StyledLine("differs   \($0)", .faint) }
    var told: [AnswerDifference.Kind: Int] = [:]
    let isWhole = style.verbosity == .verbose
    for change in important + (isWhole ? changes.filter(\.isByRuleAlone) : []) {
      let before = told[change.kind, default: 0]
      told[change.kind] = before + 1
      if before < (isWhole ? .max : Self.mostTold) {
        lines += self.lines(change, style, withRules: before == 0)
      }
    }
    let more = told.values.map { max(0, $0 - Self.mostTold) }.reduce(0, +)
    if more > 0, !isWhole {
      lines += ["", "\(more) more like these; -v lists all"]
    }
    for result in unasked.prefix(isWhole ? .max : Self.mostTold) {
      lines += [
        "", "\(StyledLine(result.test.name, .strong))", "  could not be asked: \(result.obstacle!)",
      ]
    }
    return lines + ["", sum]
  }

  private func lines(
    _ change: AnswerDifference, _ style: TextStyle, withRules: Bool
  ) -> [StyledLine] {
    let role: StyledLine.Role = change.isLoss ? .bad : change.isOpening ? .good : .caution
    let sign = change.isLoss ? "-" : change.isOpening ? "+" : "~"
    let words = change.changes.filter { $0.key != "by" }.map { part in
      let key = part.key == "expect" ? "" : "\(part.key) "
      return "\(key)\(part.old) \(style.arrow) \(part.new)"
    }
    let what = words.isEmpty ? "by another rule" : words.joined(separator: ", ")
    var lines: [StyledLine] = [
      "",
      "\(StyledLine(sign, role)) \(StyledLine(change.new.test.name, .strong))  \(StyledLine(what, role))",
    ]
    guard withRules else { return Array(lines.dropFirst()) }
    for (label, result, ruleset) in [
      ("old", change.old, rulesets.old), ("new", change.new, rulesets.new),
    ] {
      lines += self.lines(label, result, ruleset, ofTranslation: change.isOfTranslation)
    }
    return lines
  }

  /// Which rule decided, or why it was lost without one.
  private func lines(
    _ label: String, _ result: CheckResult, _ ruleset: RulesetCoverage, ofTranslation: Bool
  ) -> [StyledLine] {
    let head = StyledLine("  ") + StyledLine(label, .strong) + "  "
    if let obstacle = result.obstacle { return [head + StyledLine(obstacle)] }
    guard let fate = result.fate else { return [] }
    let request = result.probe?.result.exchange.request
    if request?.end.decider == nil,
      ![.accept, .delivered].contains(fate.verdict) || fate.isAnswered == false,
      let cause = result.probe?.result.findings.first(where: { $0.severity == .error })
    {
      return [head + StyledLine(cause.summary)]
    }
    let decider = ofTranslation ? fate.translator : fate.decider
    guard let rule = decider else {
      return [head + (ofTranslation ? "no rule translates it" : "no rule stops it")]
    }
    let place = ruleset.line(of: rule).map { ", \($0.path):\($0.number)" } ?? ""
    return [head + StyledLine(RuleNames.rule(rule) + place)]
      + (rule.text.map { ["       \(StyledLine($0, .faint))"] } ?? [])
  }

  /// "3 of 812 flows would now be lost, 1 would get through, 2 fare otherwise".
  private var sum: StyledLine {
    let lost = changes.count { $0.isLoss }
    let opened = changes.count { $0.isOpening }
    let others = important.count - lost - opened
    let byRule = changes.count - important.count
    var parts: [String] = []
    func add(_ count: Int, _ text: String) {
      if count > 0 {
        parts.append(
          parts.isEmpty ? "\(count) of \(plural(self.count)) \(text)" : "\(count) \(text)")
      }
    }
    add(lost, "would now be lost")
    add(opened, "would now get through")
    add(others, "would fare otherwise")
    add(byRule, "the same by another rule")
    add(unasked.count, "could not be asked")
    if parts.isEmpty { return StyledLine("\(plural(count)), all answered alike", .good) }
    return StyledLine(parts.joined(separator: ", "), lost > 0 ? .bad : .caution)
  }

  private func plural(_ count: Int) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

  // MARK: JSON

  /// One object of schema "nftrace/1".
  package var json: JSONValue {
    .object(
      JSONObjects.head("diff") + [
        ("place", .string(place)), ("old", .string(names.old)), ("new", .string(names.new)),
        ("differences", .array(differences.map { .string($0) })), ("questions", .int(count)),
        ("lost", .int(changes.count { $0.isLoss })),
        ("opened", .int(changes.count { $0.isOpening })),
        ("errors", .int(unasked.count)),
        (
          "changes",
          .array(
            changes.map { change in
              .object([
                ("name", .string(change.new.test.name)),
                ("from", .string(change.new.test.from.description)),
                ("to", .string(change.new.test.target)),
                (
                  "changed",
                  .array(
                    change.changes.map {
                      .object([
                        ("key", .string($0.key)), ("old", .string($0.old)),
                        ("new", .string($0.new)),
                      ])
                    })
                ),
                ("old", answer(change.old, rulesets.old)),
                ("new", answer(change.new, rulesets.new)),
              ])
            })
        ),
      ])
  }

  private func answer(_ result: CheckResult, _ ruleset: RulesetCoverage) -> JSONValue {
    let rule = result.fate?.decider
    let line = rule.flatMap { ruleset.line(of: $0) }
    return .object([
      ("verdict", .string(result.fate?.verdict.description)), ("error", .string(result.obstacle)),
      ("rule", .string(rule?.text)),
      (
        "at",
        line.map { .object([("file", .string($0.path)), ("line", .int($0.number))]) } ?? .null
      ),
      ("findings", .array(result.probe?.result.findings.map { JSONObjects().finding($0) } ?? [])),
    ])
  }
}
