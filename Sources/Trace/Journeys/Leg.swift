/// The part of a packet's way that led to a hop.
package struct Leg: Sendable, Equatable {
  /// Where it led.
  package let hop: Hop
  /// The rules met on it.
  package private(set) var rules: [RuleStep] = []
  /// What was different at its end.
  package private(set) var changes: [Change] = []
  /// What conntrack made of the packet, if it came through conntrack on it.
  package private(set) var tracked: Connection.State?
  /// Which way routing sent it, if it was routed on it, and if that was asked.
  package private(set) var route: RouteDecision?

  /// What happened in these steps, none of which is one of being seen.
  package init(_ steps: ArraySlice<Step>, to hop: Hop) {
    self.hop = hop
    for step in steps {
      switch step {
      case .rule(let rule): rules.append(rule)
      case .tracked(let state): tracked = state
      case .routed(let decision): route = decision
      case .changed(let change): changes.append(change)
      case .seen: break
      }
    }
  }
}
