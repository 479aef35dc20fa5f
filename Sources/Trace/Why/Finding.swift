public import Wire

/// Why a packet did not get through, or what else a person should know: a row of the catalogue of
/// diagnoses.
public struct Finding: Sendable, Equatable {
  /// The catalogue's id: "rule-drop".
  public var id: String
  /// How bad it is.
  public var severity: Severity
  /// How sure nftrace is.
  public var confidence: Confidence
  /// One sentence a person can act on.
  public var summary: String
  /// What it was concluded from, a line each.
  public var evidence: [String]
  /// One line for a root shell in the namespace; nil where no command helps, and where a name cannot
  /// be put into one.
  public var remedy: Command?
  /// The rule or chain that decided, if one did.
  public var at: Place?

  /// An error kept the probe from its answer, a warning will one day, a note explains.
  public enum Severity: String, Sendable {
    case error, warning, note
  }

  /// How sure a finding is.
  public enum Confidence: String, Sendable {
    case certain, likely, possible
  }

  /// The place of the deciding rule, in nf_tables' terms.
  public struct Place: Sendable, Equatable {
    /// The hook of the base chain.
    public var hook: Hook?
    /// The table's name.
    public var table: String?
    /// The chain's name.
    public var chain: String?
    /// nf_tables' handle of the rule.
    public var handle: UInt64?
    /// The rule as its owner wrote it.
    public var rule: String?

    /// A place of these fields.
    public init(
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
  public init(
    id: String, severity: Severity, confidence: Confidence, summary: String,
    evidence: [String] = [], remedy: Command? = nil, at: Place? = nil
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
