package import Trace

/// What came of tests, for who tells it.
package struct CheckReport: Sendable {
  /// What was asked: "a copy of this network namespace with new.nft".
  package var place: String
  /// What is not the same there as in the original.
  package var differences: [String]
  /// The results, file by file.
  package var files: [(path: String, results: [CheckResult])] = []
  /// The rules, and which of them were met.
  package var coverage: RulesetCoverage
  /// Percent of the rules that have to be met; nil where nobody asked which were.
  package var leastCoverage: Int?
  /// Seconds that it took.
  package var seconds: Double = 0

  /// A report without results.
  package init(place: String, differences: [String], coverage: RulesetCoverage) {
    self.place = place
    self.differences = differences
    self.coverage = coverage
  }

  /// All results, in their order.
  package var results: [CheckResult] { files.flatMap(\.results) }
  /// Tests that came out as expected.
  package var passed: Int { results.count { $0.isPassed } }
  /// Tests that did not.
  package var failed: Int { results.count { !$0.isPassed && $0.obstacle == nil } }
  /// Tests that could not be asked.
  package var unasked: Int { results.count { $0.obstacle != nil } }
  /// Whether fewer rules were met than had to be.
  package var isCoverageShort: Bool {
    leastCoverage.map { coverage.rules.isEmpty ? $0 > 0 : coverage.percent < $0 } ?? false
  }

  /// 0, 1 where something is not as expected, 2 where something could not be asked.
  package var exitCode: Int32 { unasked > 0 ? 2 : failed > 0 || isCoverageShort ? 1 : 0 }
}

/// How a result is told.
struct CheckWords {
  let report: CheckReport

  /// What is not as expected, in a sentence: "expected drop, got accept".
  func sentence(_ result: CheckResult) -> String {
    if let obstacle = result.obstacle { return obstacle }
    return result.deviations.map { deviation in
      let what = deviation.key == "expect" ? "" : "\(deviation.key) "
      let fault = deviation.fault.map { " (\($0))" } ?? ""
      return "expected \(what)\(deviation.expected)\(fault), got \(deviation.actual)"
    }.joined(separator: "; ")
  }

  /// Where the rule stands that decided: of what did not get through, or got no answer, that which stopped one of them, and none
  /// that let it on before.
  func line(_ result: CheckResult) -> RulesetCoverage.Line? {
    guard let exchange = result.probe?.result.exchange, !isThrough(result) else {
      return result.fate?.decider.flatMap { report.coverage.line(of: $0) }
    }
    let stopping = [exchange.request, exchange.reply, exchange.error].lazy
      .compactMap { $0?.end.decider?.rule }.first
    return stopping.flatMap { report.coverage.line(of: report.coverage.placed($0)) }
  }

  private func isThrough(_ result: CheckResult) -> Bool {
    [.accept, .delivered].contains(result.fate?.verdict) && result.fate?.isAnswered != false
  }

  /// The lines below a result: what a ping says of the same packet.
  func explanation(_ result: CheckResult, _ style: TextStyle) -> [StyledLine] {
    guard let probe = result.probe else { return [] }
    var lines = [Headline(style: style).line(probe.result, plan: probe.plan)]
    // What got through is told by what let it.
    let findings = FindingText(style: style, place: "this place").lines(
      isThrough(result) ? [] : probe.result.findings.filter { $0.severity != .note })
    lines += findings
    guard let rule = result.fate?.decider else { return lines }
    let place = line(result).map { "\($0.path):\($0.number)" }
    if !findings.isEmpty {
      // What it says stands above.
      if let place, probe.result.exchange.request?.end.decider != nil {
        lines.append("  \(StyledLine("at", .strong))        \(place)")
      }
      return lines
    }
    lines.append(
      "  \(StyledLine("let on", .strong))    by \(RuleNames.rule(rule))"
        + (place.map { StyledLine(", \($0)") } ?? ""))
    if let text = rule.text { lines.append("            \(text)") }
    return lines
  }
}
