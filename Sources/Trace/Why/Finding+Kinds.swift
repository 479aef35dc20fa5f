internal import Wire

extension Finding {
  /// An error or a warning. Where a name keeps the remedy from being a command, it says so. Each alternative stands for
  /// itself: one that cannot be said takes no other with it.
  static func fault(
    _ id: FindingID, _ severity: Severity, _ summary: String, confidence: Confidence,
    evidence: [Evidence], remedy: () throws(Word.Unspeakable) -> Command?,
    alternatives: () -> [Command?] = { [] }, at: Place?
  ) -> Finding {
    var finding = Finding(
      id: id, severity: severity, confidence: confidence, summary: summary, evidence: evidence,
      at: at)
    for command in alternatives().compactMap({ $0 })
    where !finding.alternatives.contains(command) {
      finding.alternatives.append(command)
    }
    do { finding.remedy = try remedy() } catch {
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

  /// The same, where it is this source that nobody out there knows a way back to.
  func withoutWayBack(to source: IPAddress) -> Finding {
    var finding = self
    finding.unreturned = source
    return finding
  }

  /// The same, where nobody answers what is sent out of this interface.
  func unanswered(behind interface: String) -> Finding {
    var finding = self
    finding.silent = interface
    return finding
  }

  /// A note: what explains what the user sees.
  static func note(_ id: FindingID, _ summary: String, evidence: [Evidence]) -> Finding {
    Finding(id: id, severity: .note, confidence: .certain, summary: summary, evidence: evidence)
  }
}
