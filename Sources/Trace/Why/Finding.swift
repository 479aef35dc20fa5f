package import Wire

/// Why a packet did not get through, or what else a person should know: a row of the catalogue of
/// diagnoses.
package struct Finding: Sendable, Equatable {
  /// What it is called.
  package var id: FindingID
  /// How bad it is.
  package var severity: Severity
  /// How sure nftrace is.
  package var confidence: Confidence
  /// One sentence a person can act on.
  package var summary: String
  /// The cause in a few words, behind "did not answer: "; nil where the sentence is the shortest there is.
  package var short: String?
  /// What it was concluded from.
  package var evidence: [Evidence]
  /// One line for a root shell in the namespace; nil where no command helps, and where a name cannot
  /// be put into one.
  package var remedy: Command?
  /// Commands of which an expert would run one, the narrowest first; empty where there is no choice. A copy of the network
  /// namespace says which of them it is.
  package var alternatives: [Command] = []
  /// The source with which the packet left, if it is this that nobody out there knows a way back to. Nobody answers it in a copy
  /// either.
  package var unreturned: IPAddress?
  /// The interface out of which it was sent in vain, where it belongs out of another one. Nobody answers there in a copy either.
  package var silent: String?
  /// What came of the remedy in a copy of the network namespace; nil where it was not tried.
  package var trial: RemedyTrial?
  /// The rule or chain that decided, if one did.
  package var at: Place?
  /// The program whose rule that is.
  package var owner: Owner?
  /// Where it was found, where the packet was watched in several places. The remedy is then for a shell where that was
  /// asked.
  package var site: Site?

  /// What may help, to be tried one after the other.
  package var remedies: [Command] {
    alternatives + [remedy].compactMap { $0 }.filter { !alternatives.contains($0) }
  }

  /// An error kept the probe from its answer, a warning did not and will do so another time, a note
  /// explains.
  package enum Severity: String, Sendable {
    case error, warning, note
  }

  /// How sure a finding is.
  package enum Confidence: String, Sendable {
    case certain, likely, possible
  }

  /// The place of the deciding rule, in nf_tables' terms.
  package struct Place: Sendable, Equatable {
    /// The hook of the base chain.
    package var hook: Hook?
    /// The table's name.
    package var table: String?
    /// The chain's name.
    package var chain: String?
    /// nf_tables' handle of the rule.
    package var handle: UInt64?
    /// The rule as its owner wrote it.
    package var rule: String?

    /// A place of these fields.
    package init(
      hook: Hook? = nil, table: String? = nil, chain: String? = nil, handle: UInt64? = nil,
      rule: String? = nil
    ) {
      self.hook = hook
      self.table = table
      self.chain = chain
      self.handle = handle
      self.rule = rule
    }
  }

  /// A finding of these fields.
  package init(
    id: FindingID, severity: Severity, confidence: Confidence, summary: String,
    evidence: [Evidence] = [], remedy: Command? = nil, at: Place? = nil
  ) {
    self.id = id
    self.severity = severity
    self.confidence = confidence
    self.summary = summary
    self.evidence = evidence
    self.remedy = remedy
    self.at = at
  }
}
