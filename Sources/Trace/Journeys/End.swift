package import Wire

/// How a journey ended, as far as this host can tell.
package struct End: Sendable, Equatable {
  /// In which way.
  package var kind: Kind
  /// Where it was seen last, or where it was dropped.
  package var hook: Hook?
  /// The table there, as `ObservationPoint.table`.
  package var table: String?
  /// The interface it left through.
  package var out: String?
  /// The kernel's name for the reason, where it gave one.
  package var dropReason: String?
  /// The function of the kernel that dropped it, with an offset.
  package var dropPlace: String?
  /// Why it cannot be known what became of it, where its kind is unknown.
  package var unseen: Unseen?

  /// Why the end of a packet's way may be missing, though it went on; the raw value is the name in
  /// JSON.
  package enum Unseen: String, Sendable {
    /// Messages of the kernel were lost while it was on its way.
    case messagesLost = "messages-lost"
    /// What was recorded ends while it was on its way.
    case recordingEnded = "recording-ended"
    /// NAT comes next, and what it translates may not be watched: what lines of the kernel log cannot
    /// say.
    case behindNAT = "behind-nat"
  }
  /// Whether nftrace itself discarded it there, in a dry run, instead of letting it go on.
  package var isDryRun = false

  /// Ways to end; the raw value is the name in JSON.
  package enum Kind: String, Sendable {
    case transmitted, delivered, dropped, rejected, unknown
  }

  /// An end of these fields.
  package init(
    _ kind: Kind, hook: Hook? = nil, table: String? = nil, out: String? = nil,
    dropReason: String? = nil
  ) {
    self.kind = kind
    self.hook = hook
    self.table = table
    self.out = out
    self.dropReason = dropReason
  }
}
