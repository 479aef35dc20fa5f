extension Finding {
  /// An error or a warning. Where a name keeps the remedy from being a command, it says so.
  static func fault(
    _ id: FindingID, _ severity: Severity, _ summary: String, confidence: Confidence,
    evidence: [Evidence], remedy: () throws(Word.Unspeakable) -> Command?,
    alternatives: () throws(Word.Unspeakable) -> [Command?] = { [] }, at: Place?
  ) -> Finding {
    var finding = Finding(
      id: id, severity: severity, confidence: confidence, summary: summary, evidence: evidence,
      at: at)
    do {
      finding.remedy = try remedy()
      let all = ((try? alternatives()) ?? []).compactMap { $0 }
      for command in all where !finding.alternatives.contains(command) {
        finding.alternatives.append(command)
      }
    } catch {
      finding.summary +=
        "; the name \(Escape.name(error.name)) cannot be put into a command for \(error.language)"
    }
    return finding
  }

  /// The same with the cause in a few words, for a headline.
  func inShort(_ words: String) -> Finding {
    var finding = self
    finding.short = words
    return finding
  }

  /// A note: what explains what the user sees.
  static func note(_ id: FindingID, _ summary: String, evidence: [Evidence]) -> Finding {
    Finding(id: id, severity: .note, confidence: .certain, summary: summary, evidence: evidence)
  }
}
