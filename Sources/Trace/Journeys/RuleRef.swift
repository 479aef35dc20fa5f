/// What tells a step's rule from others of its chain.
package enum RuleRef: Sendable, Hashable {
  /// A rule of nf_tables, by its handle.
  case nft(handle: UInt64)
  /// The policy of a base chain of nf_tables.
  case policy
  /// A rule of iptables-legacy, by its place in its chain, from 1, as TRACE tells it.
  case legacy(position: Int)
  /// The policy of a chain of iptables-legacy, as TRACE tells it, with a place behind all rules.
  case legacyPolicy(position: Int)
  /// Some rule or policy of a table of iptables-legacy, which nothing named.
  case legacyTable

  /// What a trace message names; nil where it names neither a rule nor a policy.
  package init?(handle: UInt64?, isPolicy: Bool) {
    if isPolicy {
      self = .policy
    } else if let handle {
      self = .nft(handle: handle)
    } else {
      return nil
    }
  }
}
