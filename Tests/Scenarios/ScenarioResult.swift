internal import Wire

/// A scenario, what came out, and what is wrong with that.
package struct ScenarioResult: Sendable {
  package var scenario: Scenario
  var report: PingReport
  /// What is not as it is expected.
  package var misses: [String] = []
  /// The remedies that were run, in their order.
  package var remedies: [String] = []

  /// Whether the fault is the one that was meant.
  mutating func judgeFacts() {
    let outcome = report.probes.last?.outcome ?? "no probe"
    if outcome != scenario.expected.outcome {
      misses.append("outcome \(outcome), not \(scenario.expected.outcome)")
    }
    if let wanted = scenario.expected.lastSeen, report.lastSeen != wanted {
      misses.append("last seen: \(report.lastSeen), not \(wanted)")
    }
  }

  /// Whether a copy's report is the original's. Whoever is asked answers a copy: what was lost elsewhere, or behind the
  /// last hook, is no copy's affair.
  mutating func judgeCopy(of original: PingReport, _ copy: PingReport, _ what: String) {
    if copy.verdict == original.verdict { return }
    let isElsewhere =
      original.probes.last?.outcome != "replied"
      && ["request egress", "request postrouting"].contains(original.lastSeen)
    let end = isElsewhere && copy.probes.last?.outcome == "replied" ? "elsewhere" : "here"
    misses.append("\(what), lost \(end): \(copy.verdict), not \(original.verdict)")
  }

  /// Whether it is named.
  mutating func judgeFindings() {
    let expected = scenario.expected
    compare("errors", report.errors.map(\.id), expected.errors)
    compare("warnings", report.findings("warning").map(\.id), expected.warnings)
    let notes = Set(report.findings("note").map(\.id))
    for note in expected.notes where !notes.contains(note) { misses.append("no note \(note)") }
    for note in notes.subtracting(expected.notes).subtracting(expected.mayNote).sorted() {
      misses.append("note \(note)")
    }
    let whole = Set(report.findings.map(\.id))
    for error in report.errors where !whole.contains(error.id) {
      misses.append("\(error.id) is not among the findings of the run")
    }
    guard report.errors.map(\.id) == expected.errors, !expected.errors.isEmpty else { return }
    judgePlace()
    judgeWords()
    judgeRemedy()
  }

  private mutating func compare(_ what: String, _ found: [String], _ expected: [String]) {
    if Set(found) != Set(expected) { misses.append("\(what) \(found), not \(expected)") }
  }

  private mutating func judgePlace() {
    guard let place = scenario.expected.at else { return }
    let found = report.errors.compactMap(\.at)
    let fits = found.contains { at in
      at.hook == place.hook && at.table == place.table
        && (at.chain == place.chain
          // The kernel numbers those of all network namespaces.
          || (place.chain == "__chain" && NFTRuleMessage.isNameless(at.chain ?? "")))
        && (place.rule.map { (at.rule ?? "").contains($0) } ?? true)
    }
    if !fits {
      let texts = found.map {
        [$0.hook, $0.table, $0.chain, $0.rule].map { $0 ?? "–" }.joined(separator: " ")
      }
      let wanted = [place.hook, place.table, place.chain, place.rule ?? ""]
      misses.append("at \(texts), not \(wanted.joined(separator: " "))")
    }
  }

  private mutating func judgeWords() {
    let text = report.errors.map { error in
      ([error.summary] + error.evidence + [error.remedy ?? ""]).joined(separator: "\n")
    }.joined(separator: "\n").lowercased()
    for word in scenario.expected.mentions where !text.contains(word.lowercased()) {
      misses.append("no word of \(word)")
    }
    if scenario.expected.isInferred, report.errors.contains(where: { $0.confidence == "certain" }) {
      misses.append("certain of what it cannot know")
    }
  }

  private mutating func judgeRemedy() {
    let remedy = report.errors.first?.remedy
    switch scenario.expected.remedy {
    case .none:
      if let remedy { misses.append("a remedy, where no command helps: \(remedy)") }
    case .optional: break
    case .cures, .command, .untried, .uncovers:
      if remedy == nil { misses.append("no remedy") }
    }
  }

  /// What was expected beside what came: of the outcome, where the packet was last seen, and findings.
  package var comparison: [(what: String, expected: String, found: String)] {
    let expected = scenario.expected
    func list(_ ids: [String]) -> String { ids.isEmpty ? "–" : ids.joined(separator: " ") }
    let notes = report.findings("note").map(\.id)
    return [
      ("outcome", expected.outcome, report.probes.last?.outcome ?? "no probe"),
      ("last seen", expected.lastSeen ?? "anywhere", report.lastSeen),
      ("errors", list(expected.errors), list(report.errors.map(\.id))),
      (
        "notes", list(expected.notes + expected.mayNote.sorted().map { "(\($0))" }),
        list(notes)
      ),
    ]
  }

  /// The errors as they were told: sentence, evidence, remedy, place.
  package var said: [String] {
    report.errors.flatMap { error in
      ["\(error.id) (\(error.confidence)): \(error.summary)"] + error.evidence.map { "  \($0)" }
        + (error.remedy.map { ["  remedy: \($0)"] } ?? [])
    }
  }

  /// A line of the table.
  package var row: String {
    let expected = scenario.expected.errors + scenario.expected.warnings + scenario.expected.notes
    let all = ["error", "warning", "note"].flatMap { report.findings($0).map(\.id) }
    func list(_ ids: [String]) -> String { ids.isEmpty ? "–" : ids.joined(separator: ",") }
    let end = misses.isEmpty ? "ok" : "MISS  " + misses.joined(separator: "; ")
    return [scenario.name.padded(40), list(expected).padded(30), list(all).padded(30), end]
      .joined(separator: " ")
  }
}

extension String {
  /// With blanks to `width` columns.
  fileprivate func padded(_ width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
