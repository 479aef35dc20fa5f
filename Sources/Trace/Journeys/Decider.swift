/// The rule or policy that ended a journey, and where.
package struct Decider: Sendable, Equatable {
  /// The packet as it was there. It was seen at the point before, and would have been at this one.
  package var hop: Hop
  /// The rule or policy. It is among those that the packet met since it was seen last.
  package var rule: RuleStep
  /// What the kernel said of dropping it.
  package var kernelDrop: KernelDrop?

  /// Where it ended the journey.
  package var place: End.Place { End.Place(hook: hop.point.hook, table: hop.point.table) }

  /// A decider of these fields.
  package init(hop: Hop, rule: RuleStep, kernelDrop: KernelDrop? = nil) {
    self.hop = hop
    self.rule = rule
    self.kernelDrop = kernelDrop
  }
}
