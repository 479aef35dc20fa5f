internal import Wire

extension FindingID {
  static let ipsecNoState = FindingID(rawValue: "ipsec-no-state")
}

extension Counter {
  fileprivate static let outNoStates = Counter("XfrmOutNoStates")
}

/// A policy wants the packet protected, and there is no association to protect it with.
enum IPsecNoState: Cause {
  static let page = FindingPage(
    .ipsecNoState, "IPsec is to protect the packet, and there is no security association",
    meaning: """
      A policy of IPsec wants this packet in a tunnel, or protected otherwise (ESP, AH). Keys for that are
      agreed upon by a program (strongSwan, Libreswan, racoon), which hands the kernel a security
      association. There is none for this policy, so the kernel drops the packet.
      """,
    certainty: """
      Certain where the kernel gave its reason for the drop. Likely where it may not be asked.
      """,
    conclusion: """
      The packet stopped where policies of IPsec are looked at, a policy for what leaves fits it and wants
      it protected, and the kernel lists no association to the policy's other end. The drop reason is
      XFRM_POLICY; the counter `XfrmOutNoStates` goes up.
      """,
    advice: """
      `ip xfrm policy` lists the policies, `ip xfrm state` the associations. See why the tunnel is not up:
      `swanctl --list-sas`, `ipsec status`, and that program's log. A policy that a program left behind
      when it ended goes with `ip xfrm policy delete`.
      """)

  static let needs: [Need] = [.host(.policies), .counter(.outNoStates)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let (policy, isCertain) = SecurityPolicies(lost)?.decider, policy.isMissingState else {
      return nil
    }
    let rises = lost.rises([.outNoStates])
    return finding(
      policy, policy.what(lost), isCertain || !rises.isEmpty ? .certain : .likely,
      rises + lost.reasonEvidence + lost.socketReasonEvidence)
  }

  static func examine(_ unsent: UnsentPacket) -> Finding? {
    guard let policy = SecurityPolicies(unsent)?.decider?.policy, policy.isMissingState else {
      return nil
    }
    return finding(policy, "packet", .likely, unsent.evidence)
  }

  private static func finding(
    _ policy: SecurityPolicy, _ what: String, _ confidence: Finding.Confidence,
    _ evidence: [Evidence]
  ) -> Finding {
    error(
      "a policy of IPsec wants what goes from \(policy.source) to \(policy.destination) protected"
        + (policy.peer.map { ", to \($0)" } ?? "")
        + (policy.hasAssociation
          ? ", and no security association fits the \(what)"
          : ", and there is no security association for that")
        + ": see 'ip xfrm state', and the program that should make it",
      confidence: confidence, evidence: [.securityPolicy(policy)] + evidence)
  }
}

extension SecurityPolicy {
  /// Whether it is one that drops packets for want of an association.
  fileprivate var isMissingState: Bool {
    direction == .outgoing && !isBlock && wantsProtection
  }
}
