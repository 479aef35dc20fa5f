internal import Wire

extension FindingID {
  static let ipsecPolicy = FindingID(rawValue: "ipsec-policy")
}

/// A policy of IPsec does not let the packet pass.
enum IPsecPolicy: Cause {
  static let page = FindingPage(
    .ipsecPolicy, "A policy of IPsec does not let the packet pass",
    meaning: """
      The kernel's policies of IPsec are asked of every packet: of what comes in for this host (in), of
      what is to be forwarded (fwd), and of what leaves (out). One of them blocks this packet, or wants
      it to have come protected, and it came in the clear.
      """,
    certainty: """
      Certain where the kernel gave its reason for the drop. Likely where it may not be asked.
      """,
    conclusion: """
      The packet stopped where policies of IPsec are looked at, and a policy that fits it has the action
      block, or is one of those for what comes in and wants protection. The drop reason is XFRM_POLICY.
      """,
    advice: """
      `ip xfrm policy` lists the policies; those with the lowest priority count first. They are made by
      the program that runs IPsec (strongSwan, Libreswan): change its configuration. If the packet should
      have come through the tunnel, see at the other end why it did not.
      """)

  static let needs: [Need] = [.host(.policies)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let policies = SecurityPolicies(lost) else { return nil }
    let evidence = lost.reasonEvidence + lost.socketReasonEvidence
    guard let (policy, isCertain) = policies.decider else {
      guard policies.isNamed else { return nil }
      return error(
        "a policy of IPsec does not let the \(RuleNames.what(lost)) pass: see 'ip xfrm policy'",
        evidence: evidence)
    }
    return finding(policy, policy.what(lost), isCertain ? .certain : .likely, evidence)
  }

  static func examine(_ unsent: UnsentPacket) -> Finding? {
    guard let policy = SecurityPolicies(unsent)?.decider?.policy, policy.isBlock else { return nil }
    return finding(policy, "packet", .likely, unsent.evidence)
  }

  private static func finding(
    _ policy: SecurityPolicy, _ what: String, _ confidence: Finding.Confidence,
    _ evidence: [Evidence]
  ) -> Finding {
    let whose = "for what goes from \(policy.source) to \(policy.destination)"
    return error(
      policy.isBlock
        ? "a policy of IPsec \(whose) blocks the \(what): see 'ip xfrm policy'"
        : "a policy of IPsec \(whose) wants it protected, and the \(what) came in the clear: see 'ip xfrm "
          + "policy', and why the sender does not use the tunnel",
      confidence: confidence, evidence: [.securityPolicy(policy)] + evidence)
  }
}
