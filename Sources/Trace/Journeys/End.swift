package import Wire

/// How a journey ended, as far as this host can tell.
package enum End: Sendable, Equatable {
  /// It left through an interface.
  case sent(Place)
  /// It was delivered to this host.
  case delivered(Place)
  /// A rule or a policy dropped it.
  indirect case dropped(Decider)
  /// A rule or a policy ended it, and this host answered it with an error or a reset.
  indirect case rejected(Decider)
  /// This host's SYN proxy took it over, which answers in the place of its destination: by this rule, or in a
  /// connection that the proxy opened itself.
  indirect case proxied(Place, Decider?)
  /// No rule stopped it, and this host answered it with an error: there was no way on.
  case refused(Place, KernelDrop?)
  /// nftrace itself had it in the end.
  case kept(Keeper, Place)
  /// It was not seen any more: it is lost, unless something says why it may have gone on unseen.
  case unknown(Place, Unseen?, KernelDrop?)

  /// Where a packet was seen last.
  package struct Place: Sendable, Equatable {
    /// The hook.
    package var hook: Hook
    /// The table there, as `ObservationPoint.table`.
    package var table: String?
    /// The interface it left through, or was to leave by.
    package var out: String?

    /// A place of these fields.
    package init(hook: Hook, table: String? = nil, out: String? = nil) {
      self.hook = hook
      self.table = table
      self.out = out
    }
  }

  /// Why nftrace had a packet in the end.
  package enum Keeper: Sendable, Equatable {
    /// A dry run: it would have been sent now.
    case insteadOfSending
    /// A dry run: it would have been delivered now.
    case insteadOfDelivering
    /// An interception was to drop it.
    case interception
  }

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

  /// Ways to end, as JSON tells them; the raw value is the name there.
  package enum Kind: String, Sendable {
    case transmitted, delivered, dropped, rejected, unknown
  }

  /// In which way. A dry run's packets are told as what they would have come to.
  package var kind: Kind {
    switch self {
    case .sent, .kept(.insteadOfSending, _): .transmitted
    case .delivered, .proxied, .kept(.insteadOfDelivering, _): .delivered
    case .dropped, .kept(.interception, _): .dropped
    case .rejected, .refused: .rejected
    case .unknown: .unknown
    }
  }

  /// Where it was seen last, or where a rule ended it.
  package var place: Place {
    switch self {
    case .sent(let place), .delivered(let place), .refused(let place, _), .kept(_, let place),
      .proxied(let place, _), .unknown(let place, _, _):
      place
    case .dropped(let decider), .rejected(let decider):
      decider.place
    }
  }

  /// The rule or policy that ended it.
  package var decider: Decider? {
    switch self {
    case .dropped(let decider), .rejected(let decider): decider
    case .proxied(_, let decider): decider
    case .sent, .delivered, .refused, .kept, .unknown: nil
    }
  }

  /// Whether a rule or policy stopped it.
  package var isStopped: Bool {
    switch self {
    case .dropped, .rejected: true
    case .sent, .delivered, .proxied, .refused, .kept, .unknown: false
    }
  }

  /// What the kernel said of dropping it.
  package var kernelDrop: KernelDrop? {
    switch self {
    case .dropped(let decider), .rejected(let decider): decider.kernelDrop
    case .refused(_, let drop), .unknown(_, _, let drop): drop
    case .sent, .delivered, .proxied, .kept: nil
    }
  }

  /// Why it cannot be known what became of it.
  package var unseen: Unseen? {
    if case .unknown(_, let unseen, _) = self { unseen } else { nil }
  }

  /// Whether it did not get through, as far as that is known.
  package var isLost: Bool {
    switch self {
    case .dropped, .rejected, .refused, .kept(.interception, _), .unknown(_, nil, _): true
    case .sent, .delivered, .proxied, .kept, .unknown: false
    }
  }

  /// Whether it got as far as this host could bring it.
  package var isThrough: Bool { kind == .transmitted || kind == .delivered }

  /// Whether it was not seen any more, and nothing says that it may have gone on.
  package var isLoss: Bool { if case .unknown(_, nil, _) = self { true } else { false } }

  /// Whether a dry run ended it.
  package var isDryRun: Bool {
    switch self {
    case .kept(.insteadOfSending, _), .kept(.insteadOfDelivering, _): true
    default: false
    }
  }
}

extension Journey {
  /// Whether a SYN proxy of this host took it.
  package var isProxied: Bool { if case .proxied = end { true } else { false } }
}
