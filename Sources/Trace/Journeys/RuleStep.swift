public import Wire

/// One rule, end of chain or policy that a packet met in the user's tables.
public struct RuleStep: Sendable, Equatable {
  /// NFPROTO_… of the table.
  public var family: UInt8
  /// The table's name.
  public var table: String
  /// The chain's name.
  public var chain: String
  /// nil for a policy, and for rules of iptables-legacy.
  public var handle: UInt64?
  /// The place in its chain, from 1, of a rule of iptables-legacy, as its TRACE tells it.
  public var position: Int?
  /// What the rule or policy said.
  public var verdict: Verdict
  /// The chain that a jump or goto leads to.
  public var target: String?
  /// Whether the chain's policy spoke, for no rule had.
  public var isPolicy: Bool
  /// The rule in the user's words, once it is known.
  public var text: String?
  /// What the rule translates, if it does.
  public var translation: NFTRuleMessage.Translation?
  /// Whether the rule answers with an error or a reset.
  public var rejects = false
  /// Whether the rule does what rp_filter does.
  public var checksReversePath = false
  /// Whether its table was loaded anew meanwhile: in one of that name its handle, or its place, may
  /// be another rule's.
  public var isReplaced = false
  /// The packet's mark behind the rule, where a trace told it.
  public var mark: UInt32?

  /// A step of these fields.
  public init(
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
  public var isLegacyRule: Bool { handle == nil && position != nil && !isPolicy }

  /// Whether the rule leaves its chain for good. In a base chain the policy is next then, and rules
  /// behind it are not met.
  var leavesChain: Bool {
    // Of iptables-legacy only the text tells. Its TRACE calls a RETURN of all packets a policy, too.
    verdict == .goto || verdict == .return || text?.contains(" -j RETURN") == true
      || text?.contains(" -g ") == true || isPolicy
  }

  /// Whether the step decided or changed something: more than being met on the way.
  public var decided: Bool { verdict != .continue || translation != nil }
}
