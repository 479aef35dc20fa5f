internal import Wire

extension FindingID {
  static let policyDrop = FindingID(rawValue: "policy-drop")
}

/// No rule of a base chain accepted the packet, and its policy drops.
enum PolicyDrop: Cause {
  static let page = FindingPage(
    .policyDrop, "No rule accepts the packet, and the policy is drop",
    meaning: """
      The packet met the rules of a base chain, none of them accepted it, and the chain's policy is
      drop. This is how a firewall that accepts by name is meant to work: what is missing is a rule.
      """,
    certainty: """
      Always certain: the kernel's trace ends with the policy of that chain.
      """,
    conclusion: """
      The last step of the trace is a policy with the verdict drop. The evidence names the chain's hook
      and priority, and the programs that manage rules here. The rules of the chain are asked for, to
      know where a new one belongs.
      """,
    advice: """
      The remedy appends a rule that accepts this packet and, for forwarded ones, its answer. If Docker,
      ufw, firewalld or Kubernetes manages rules here, make the change with that program: at its next
      reload it may remove what was added by hand.
      """)

  static let needs: [Need] = [.policyChain, .ruleBeforePolicy, .host(.rulesBeside)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let step = lost.decider, step.isPolicy, !step.isLegacy else { return nil }
    let place = lost.snapshot.place(of: step)
    let ruling = Ruling(lost, step)
    return error(
      "no rule of \(RuleNames.chain(step)) accepts it, and the chain's policy is drop", by: ruling,
      evidence: place.map { [.chain(step.chain, $0.hook, priority: $0.priority)] } ?? [],
      remedy: try ruling.remedy, alternatives: ruling.alternatives)
  }
}
