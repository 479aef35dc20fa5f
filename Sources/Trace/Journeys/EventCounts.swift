internal import Wire

/// How many messages a story was told from.
public struct EventCounts: Sendable, Equatable {
  /// NFLOG messages.
  public var nflog = 0
  /// Lines of the kernel log.
  public var lines = 0
  /// nf_tables trace messages.
  public var trace = 0
  /// Conntrack events.
  public var conntrack = 0
  /// Packets of which the kernel said why it dropped them.
  public var drops = 0
  /// Messages known to be missing.
  public var lost = 0
  /// NFLOG messages among them, as far as their numbers show it.
  public var missingLogs = 0
  /// The program that changed the ruleset meanwhile, if one did: nftrace is not meant.
  public var rulesetChanger: String?

  /// No messages yet.
  public init() {}

  /// Adds the counts of another part of the session.
  public mutating func add(_ other: EventCounts) {
    nflog += other.nflog
    lines += other.lines
    trace += other.trace
    conntrack += other.conntrack
    drops += other.drops
    lost = lost.adding(clamped: other.lost)
    missingLogs = missingLogs.adding(clamped: other.missingLogs)
    rulesetChanger = rulesetChanger ?? other.rulesetChanger
  }
}
