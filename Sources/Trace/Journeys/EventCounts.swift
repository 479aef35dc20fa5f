internal import Wire

/// How many messages a story was told from.
package struct EventCounts: Sendable, Equatable {
  /// NFLOG messages.
  package var nflog = 0
  /// Lines of the kernel log.
  package var lines = 0
  /// nf_tables trace messages.
  package var trace = 0
  /// Conntrack events.
  package var conntrack = 0
  /// Packets of which the kernel said why it dropped them.
  package var drops = 0
  /// Messages known to be missing.
  package var lost = 0
  /// NFLOG messages among them, as far as their numbers show it.
  package var missingLogs = 0
  /// By how many nanoseconds the machine's clock was set meanwhile, each time it was.
  package private(set) var clockSteps: [Int64] = []
  /// More of them say nothing new.
  private static let mostSteps = 64
  /// The program that changed the ruleset meanwhile, if one did: nftrace is not meant.
  package var rulesetChanger: String?

  /// No messages yet.
  package init() {}

  /// The clock was set by so many nanoseconds.
  mutating func note(clockStep step: Int64) {
    if clockSteps.count < Self.mostSteps, step != 0 { clockSteps.append(step) }
  }

  /// Adds the counts of another part of the session.
  package mutating func add(_ other: EventCounts) {
    nflog += other.nflog
    lines += other.lines
    trace += other.trace
    conntrack += other.conntrack
    drops += other.drops
    lost = lost.adding(clamped: other.lost)
    missingLogs = missingLogs.adding(clamped: other.missingLogs)
    for step in other.clockSteps { note(clockStep: step) }
    rulesetChanger = rulesetChanger ?? other.rulesetChanger
  }
}
