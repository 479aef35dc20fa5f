/// Something that nftrace can find out about packets: a type in a file of its own, which has all that
/// there is of it. `Registry` lists them.
protocol Diagnosis: SendableMetatype {
  /// Its id, and what a person should know of it.
  static var page: FindingPage { get }
  /// What it has to know of the kernel besides what the packet's way tells. It is told nothing else.
  static var needs: [Need] { get }
  /// What it is of: each of the three protocols below says so. A cast would be asked of the runtime, which looks for a
  /// hundred and fifty conformances among all there are at every start.
  static var kind: DiagnosisKind { get }
}

/// What a diagnosis speaks of.
enum DiagnosisKind {
  case cause(any Cause.Type)
  case exchangeNote(any ExchangeNote.Type)
  case lossNote(any LossNote.Type)
  /// What no packet is asked about.
  case remark
}

extension Diagnosis {
  static var needs: [Need] { [] }
  static var kind: DiagnosisKind { .remark }

  /// An error of this id: what kept the packet from its answer. The remedy is the command that an expert would run
  /// unseen; where there are several, `alternatives` has all of them, the narrowest first.
  static func error(
    _ summary: String, confidence: Finding.Confidence = .certain, evidence: [Evidence] = [],
    remedy: @autoclosure () throws(Word.Unspeakable) -> Command? = nil,
    alternatives: @autoclosure () -> [Command?] = [],
    at: Finding.Place? = nil
  ) -> Finding {
    .fault(
      page.id, .error, summary, confidence: confidence, evidence: evidence, remedy: remedy,
      alternatives: alternatives, at: at)
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
