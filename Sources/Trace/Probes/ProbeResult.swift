public import Wire

/// One probe of a ping and what came of it.
public struct ProbeResult: Sendable, Equatable {
  /// Counts from 1.
  public var sequence: Int
  /// How it ended.
  public var outcome: Outcome
  /// Microseconds from sending it to its answer.
  public var roundTrip: Double?
  /// Who answered; not the destination, for an error from on the way.
  public var answeredBy: IPAddress?
  /// The answer, if one was read back.
  public var answer: Packet?
  /// Its packet and those that answered it.
  public var exchange: Exchange
  /// What is to be said about it, the cause first.
  public var findings: [Finding]
  /// Why it could not be sent, as the kernel numbers errors.
  public var errno: Int32?
  /// How it entered: "tun", "local" or "in".
  public var entrance = "tun"

  /// How a probe can end; the raw value is the name in JSON.
  public enum Outcome: String, Sendable {
    case replied, rejected, lost, sent
    /// The session was cut off before anything could be said.
    case unknown
    case localError = "local-error"
  }

  /// A result of these fields.
  public init(
    sequence: Int, outcome: Outcome, roundTrip: Double? = nil, answer: Packet? = nil,
    exchange: Exchange, findings: [Finding] = [], errno: Int32? = nil
  ) {
    self.sequence = sequence
    self.outcome = outcome
    self.roundTrip = roundTrip
    self.answer = answer
    self.answeredBy = answer?.source
    self.exchange = exchange
    self.findings = findings
    self.errno = errno
  }
}
