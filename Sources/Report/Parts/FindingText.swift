internal import Trace

/// Findings as people read them: the cause in words, the rule, and what to do about it.
struct FindingText {
  let style: TextStyle

  /// The lines of all findings, the cause first.
  func lines(_ findings: [Finding]) -> [StyledLine] {
    findings.flatMap(lines)
  }

  private func lines(_ finding: Finding) -> [StyledLine] {
    let name = finding.severity == .error ? "cause" : finding.severity.rawValue
    let doubt = finding.confidence == .certain ? "" : " (\(finding.confidence.rawValue))"
    var lines = block(name, finding.summary + doubt)
    let rule = finding.at?.rule
    if let rule { lines.append(StyledLine(Self.indent + rule)) }
    if style.verbosity == .verbose {
      for (index, evidence) in finding.evidence.map(EvidenceText.text)
        .filter({ $0 != rule }).enumerated()
      {
        lines += block(index == 0 ? "evidence" : "", evidence)
      }
    }
    // Commands are not wrapped: they are there to be pasted.
    if let remedy = finding.remedy {
      lines.append("  " + StyledLine("remedy", .strong) + "    " + remedy.text)
    }
    return lines
  }

  private static let indent = TextLayout.space(12)

  /// A label and text that is wrapped beside it.
  private func block(_ label: String, _ text: String) -> [StyledLine] {
    let lines = TextLayout.wrapped(text, to: style.width - Self.indent.count)
    let padding = TextLayout.space(10 - label.count)
    return lines.enumerated().map { index, line in
      index == 0
        ? "  " + StyledLine(label, .strong) + padding + line : StyledLine(Self.indent + line)
    }
  }
}
