/// Something that nftrace can find out about packets: a type in a file of its own, which has all that
/// there is of it. `Registry` lists them.
protocol Diagnosis: SendableMetatype {
  /// Its id, and what a person should know of it.
  static var page: FindingPage { get }
  /// What it has to know of the kernel besides what the packet's way tells. It is told nothing else.
  static var needs: [Need] { get }
}

extension Diagnosis {
  static var needs: [Need] { [] }

  /// An error of this id: what kept the packet from its answer.
  static func error(
    _ summary: String, confidence: Finding.Confidence = .certain, evidence: [Evidence] = [],
    remedy: @autoclosure () throws(Word.Unspeakable) -> Command? = nil, at: Finding.Place? = nil
  ) -> Finding {
    .fault(
      page.id, .error, summary, confidence: confidence, evidence: evidence, remedy: remedy, at: at)
  }

  /// A warning of this id: what did not keep this packet from its answer, and may keep others.
  static func warning(
    _ summary: String, confidence: Finding.Confidence = .certain, evidence: [Evidence] = [],
    remedy: @autoclosure () throws(Word.Unspeakable) -> Command? = nil
  ) -> Finding {
    .fault(
      page.id, .warning, summary, confidence: confidence, evidence: evidence, remedy: remedy,
      at: nil)
  }

  /// A note of this id: what explains what the user sees.
  static func note(_ summary: String, evidence: [Evidence] = []) -> Finding {
    .note(page.id, summary, evidence: evidence)
  }
}
