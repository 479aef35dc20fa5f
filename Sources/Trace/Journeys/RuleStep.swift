package import Wire

/// One rule, end of chain or policy that a packet met in the user's tables.
package struct RuleStep: Sendable, Equatable {
  /// NFPROTO_… of the table.
  package var family: UInt8
  /// The table's name.
  package var table: String
  /// The chain's name.
  package var chain: String
  /// nil for a policy, and for rules of iptables-legacy.
  package var handle: UInt64?
  /// The place in its chain, from 1, of a rule of iptables-legacy, as its TRACE tells it.
  package var position: Int?
  /// What the rule or policy said.
  package var verdict: Verdict
  /// The chain that a jump or goto leads to.
  package var target: String?
  /// Whether the chain's policy spoke, for no rule had.
  package var isPolicy: Bool
  /// The rule in the user's words, once it is known.
  package var text: String?
  /// What the rule translates, if it does.
  package var translation: NFTRuleMessage.Translation?
  /// Whether the rule answers with an error or a reset.
  package var rejects = false
  /// Whether the rule does what rp_filter does.
  package var checksReversePath = false
  /// Whether its table was loaded anew meanwhile: in one of that name its handle, or its place, may
  /// be another rule's.
  package var isReplaced = false
  /// The packet's mark behind the rule, where a trace told it.
  package var mark: UInt32?

  /// A step of these fields.
  package init(
    family: UInt8, table: String, chain: String, handle: UInt64?, position: Int? = nil,
    verdict: Verdict, target: String? = nil, isPolicy: Bool = false, text: String? = nil,
    translation: NFTRuleMessage.Translation? = nil
  ) {
    self.position = position
    self.family = family
    self.table = table
    self.chain = chain
    self.handle = handle
    self.verdict = verdict
    self.target = target
    self.isPolicy = isPolicy
    self.text = text
    self.translation = translation
  }
}

extension RuleStep {
  /// Whether it is a rule of iptables-legacy, known by its place.
  package var isLegacyRule: Bool { handle == nil && position != nil && !isPolicy }

  /// Whether the rule leaves its chain for good. In a base chain the policy is next then, and rules
  /// behind it are not met.
  var leavesChain: Bool {
    // Of iptables-legacy only the text tells. Its TRACE calls a RETURN of all packets a policy, too.
    verdict == .goto || verdict == .return || text?.contains(" -j RETURN") == true
      || text?.contains(" -g ") == true || isPolicy
  }

  /// Whether the step decided or changed something: more than being met on the way.
  package var decided: Bool { verdict != .continue || translation != nil }
}
