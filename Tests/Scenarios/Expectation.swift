/// What must be seen, and what must be said of it.
package struct Expectation: Sendable {
  /// As the JSON report has it; "recorded" of traffic that a setup recorded.
  package var outcome: String
  /// Where the last packet of the exchange that is not an ICMP error was last seen: "request
  /// forward", "reply egress", "nothing". Nil where that is not the point.
  package var lastSeen: String?
  /// The ids of severity error: these and no others.
  package var errors: [String] = []
  /// The ids of severity warning: these and no others.
  package var warnings: [String] = []
  /// Ids of severity note that must be there.
  package var notes: [String] = []
  /// Notes that may be there. That NAT rules see the first packet of a flow only is true of every
  /// reply through a translation.
  package var mayNote: Set<String> = ["nat-once-per-flow"]
  /// The place of the deciding rule, in one of the errors.
  package var at: Place?
  /// What the summary, the evidence or the remedy of the errors must name, together: a sysctl, a
  /// route, an address. In capitals or not.
  package var mentions: [String] = []
  /// What they must name besides where the kernel may be asked for drop reasons.
  package var reasons: [String] = []
  package var remedy: Remedy = .optional
  /// What `errors` are where the kernel may not be asked for its drop reasons, if they are others:
  /// less is known then, and nothing wrong may be said.
  package var errorsUnasked: [String]?
  /// Whether certainty would be too much: the cause is inferred from what was not seen.
  package var isInferred = false

  /// What becomes of a probe.
  package static let outcomes = ["replied", "lost", "rejected", "local-error", "sent", "recorded"]

  /// Where a rule stands; the rule is a part of its text, nil where there is none to tell.
  package struct Place: Sendable, Equatable {
    package var hook: String
    package var table: String
    package var chain: String
    package var rule: String?
  }

  /// What the remedy must be, and do.
  package enum Remedy: Sendable, Equatable {
    /// No command helps.
    case none
    /// A command is not demanded; if there is one it must get the same probe through.
    case optional
    /// A command that gets the same probe through.
    case cures
    /// A command that need not help here, where nobody is there to answer.
    case command
    /// A command of a program that is not here: it is not run.
    case untried
    /// A command after which these errors are found; their remedy gets the probe through.
    case uncovers([String])
  }
}
