/// One thing that happened to a packet, or was noticed of it, on its way. How its way ended is its
/// `End`. What is large is kept elsewhere, so that those of being seen, which are most, take little room.
package enum Step: Sendable, Equatable {
  /// It met a rule of the user's own tables, or a policy.
  indirect case rule(RuleStep)
  /// Conntrack, through which it had just come, made this of it.
  case tracked(Connection.State)
  /// Routing sent it this way.
  indirect case routed(RouteDecision)
  /// A header field is not what it was when the packet was seen before.
  indirect case changed(Change)
  /// It was seen at an observation point.
  case seen(Hop)
}
