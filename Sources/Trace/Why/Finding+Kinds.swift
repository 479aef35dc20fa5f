extension Finding {
  /// An error: what kept the packet from its answer. Where a name keeps the remedy from being a
  /// command, it says so.
  static func error(
    _ id: String, _ summary: String, confidence: Confidence = .certain, evidence: [String] = [],
    remedy: @autoclosure () throws(Word.Unspeakable) -> Command? = nil, at: Place? = nil
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
  static func note(_ id: String, _ summary: String, evidence: [String] = []) -> Finding {
    Finding(
      id: id, severity: .note, confidence: .certain, summary: summary, evidence: evidence)
  }
}
