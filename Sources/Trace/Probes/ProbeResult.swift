package import Wire

/// One probe of a ping and what came of it.
package struct ProbeResult: Sendable, Equatable {
  /// Counts from 1.
  package var sequence: Int
  /// How it ended.
  package var outcome: Outcome
  /// Microseconds from sending it to its answer.
  package var roundTrip: Double?
  /// Who answered; not the destination, for an error from on the way.
  package var answeredBy: IPAddress?
  /// The answer, if one was read back.
  package var answer: Packet?
  /// Its packet and those that answered it.
  package var exchange: Exchange
  /// What is to be said about it, the cause first.
  package var findings: [Finding]
  /// Why it could not be sent, as the kernel numbers errors.
  package var errno: Int32?
  /// Whether what it carried was acknowledged, and nothing came after that.
  package var isSilent = false
  /// What a search found with which it gets through, where nothing is known to help.
  package var found: ChangesFound?
  /// How far clocks of other machines are ahead, as far as packets have told.
  package var clocks: [Clock] = []
  /// What routers on the way have written into it; nil where they were not asked.
  package var routers: RouterTrace?
  /// How it entered.
  package var entrance = EntranceKind.tun
  /// The interface by which it came in; nil where this host sent it.
  package var interface: String?
  /// Whether nobody was there as the client that nftrace picked to ask as.
  package var isClientAbsent = false

  /// The clock of a machine beside that of the one that sent the probe.
  package struct Clock: Sendable, Equatable {
    /// Which machine.
    package var site: Site
    /// How far it is ahead.
    package var offset: ClockOffset
  }

  /// How a probe can end; the raw value is the name in JSON.
  package enum Outcome: String, Sendable {
    case replied, rejected, lost, sent
    /// The session was cut off before anything could be said.
    case unknown
    case localError = "local-error"
  }

  /// A result of these fields.
  package init(
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
