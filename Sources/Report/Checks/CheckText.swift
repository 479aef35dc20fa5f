internal import Trace

/// Tests as people read them: those that are not as expected, then the sum.
package struct CheckText {
  private let report: CheckReport
  private let style: TextStyle

  /// The text of a report.
  package init(_ report: CheckReport, _ style: TextStyle) {
    self.report = report
    self.style = style
  }

  /// All lines.
  package var lines: [StyledLine] {
    if style.verbosity == .quiet { return [sum] }
    let words = CheckWords(report: report)
    var lines: [StyledLine] = ["asked in \(report.place)"]
    lines += report.differences.map { StyledLine("differs   \($0)", .faint) }
    var isBelow = false
    for (path, results) in report.files {
      for result in results where !result.isPassed || style.verbosity == .verbose {
        if !result.isPassed || !isBelow { lines.append("") }
        isBelow = result.isPassed
        let place = StyledLine("  \(path):\(result.test.line)", .faint)
        if result.isPassed {
          lines.append(
            StyledLine(style.unicode ? "✓ " : "ok ", .good) + "\(result.test.name)  "
              + StyledLine(result.test.expected.verdict.description, .faint) + place)
          continue
        }
        lines.append(
          StyledLine(style.cross + " ", .bad) + StyledLine(result.test.name, .strong) + place)
        lines.append("  \(StyledLine(words.sentence(result), .bad))")
        lines += words.explanation(result, style.indented(by: 2)).map { "  " + $0 }
      }
    }
    if report.leastCoverage != nil { lines += coverage }
    return lines + ["", sum]
  }

  /// "12 of 14 tests as expected, 2 not".
  private var sum: StyledLine {
    let count = report.results.count
    var text = "\(report.passed) of \(count) test\(count == 1 ? "" : "s") as expected"
    if report.failed > 0 { text += ", \(report.failed) not" }
    if report.unasked > 0 { text += ", \(report.unasked) could not be asked" }
    if let least = report.leastCoverage {
      text +=
        report.coverage.rules.isEmpty
        ? "; there are no rules" : "; \(report.coverage.percent)% of the rules were met"
      if report.isCoverageShort { text += ", and \(least)% have to be" }
    }
    return StyledLine(text, report.exitCode == 0 ? .good : .bad)
  }

  /// Rules that nobody met.
  private var coverage: [StyledLine] {
    let unmet = report.coverage.unmet
    if unmet.isEmpty { return [] }
    let count = report.coverage.rules.count
    return ["", "\(unmet.count) of \(count) rules were met by no test:"]
      + unmet.map { rule in
        let place =
          report.coverage.line(of: rule).map { "\($0.path):\($0.number)" }
          ?? "\(RuleNames.family(rule.family)) \(rule.table) \(rule.place)"
        return "  \(place)  \(StyledLine(rule.text ?? "handle \(rule.handle)", .faint))"
      }
  }
}
