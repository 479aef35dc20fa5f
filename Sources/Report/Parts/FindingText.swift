internal import Trace

/// Findings as people read them: the cause in words, the rule, and what to do about it.
struct FindingText {
  let style: TextStyle

  /// The lines of all findings, the cause first.
  func lines(_ findings: [Finding]) -> [Line] {
    findings.flatMap(lines)
  }

  private func lines(_ finding: Finding) -> [Line] {
    let name = finding.severity == .error ? "cause" : finding.severity.rawValue
    let doubt = finding.confidence == .certain ? "" : " (\(finding.confidence.rawValue))"
    var lines = block(name, finding.summary + doubt)
    let rule = finding.at?.rule
    if let rule { lines.append(Line(Self.indent + rule)) }
    if style.verbosity == .verbose {
      for (index, evidence) in finding.evidence.map(EvidenceText.text)
        .filter({ $0 != rule }).enumerated()
      {
        lines += block(index == 0 ? "evidence" : "", evidence)
      }
    }
    // Commands are not wrapped: they are there to be pasted.
    if let remedy = finding.remedy {
      lines.append("  " + style.paint("remedy", .bold) + "    " + remedy.text)
    }
    return lines
  }

  private static let indent = String(repeating: " ", count: 12)

  /// A label and text that is wrapped beside it.
  private func block(_ label: String, _ text: String) -> [Line] {
    let lines = wrap(text, style.width - Self.indent.count)
    let padding = String(repeating: " ", count: 10 - label.count)
    return lines.enumerated().map { index, line in
      index == 0 ? "  " + style.paint(label, .bold) + padding + line : Line(Self.indent + line)
    }
  }

  private func wrap(_ text: String, _ width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = String(word)
      } else {
        line += (line.isEmpty ? "" : " ") + word
      }
    }
    return lines + [line]
  }
}
