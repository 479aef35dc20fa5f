extension Finding {
  /// An error: what kept the packet from its answer. Where a name keeps the remedy from being a
  /// command, it says so.
  static func error(
    _ id: FindingID, _ summary: String, confidence: Confidence, evidence: [Evidence],
    remedy: @autoclosure () throws(Word.Unspeakable) -> Command?, at: Place?
  ) -> Finding {
    var finding = Finding(
      id: id, severity: .error, confidence: confidence, summary: summary, evidence: evidence,
      at: at)
    do {
      finding.remedy = try remedy()
    } catch {
      finding.summary +=
        "; the name \(Escape.name(error.name)) cannot be put into a command for \(error.language)"
    }
    return finding
  }

  /// A note: what explains what the user sees.
  static func note(_ id: FindingID, _ summary: String, evidence: [Evidence]) -> Finding {
    Finding(id: id, severity: .note, confidence: .certain, summary: summary, evidence: evidence)
  }
}
