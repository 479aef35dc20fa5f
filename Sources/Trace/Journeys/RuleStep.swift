package import Wire

/// One rule, end of chain or policy that a packet met in the user's tables.
package struct RuleStep: Sendable, Equatable {
  /// NFPROTO_… of the table.
  package var family: UInt8
  /// The table's name.
  package var table: String
  /// The chain's name.
  package var chain: String
  /// Which rule of it, or the policy.
  package var ref: RuleRef
  /// The place of a rule of nf_tables in its chain, from 1, where its text told it.
  private var listed: Int?
  /// What the rule or policy said.
  package var verdict: Verdict
  /// The chain that a jump or goto leads to.
  package var target: String?
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
  /// Whether the packet had another mark before the rule.
  package var setsMark = false

  /// A step of these fields.
  package init(
    family: UInt8, table: String, chain: String, _ ref: RuleRef, verdict: Verdict,
    target: String? = nil
  ) {
    self.family = family
    self.table = table
    self.chain = chain
    self.ref = ref
    self.verdict = verdict
    self.target = target
  }
}

extension RuleStep {
  /// nf_tables' handle; nil for a policy, and for what is iptables-legacy's.
  package var handle: UInt64? {
    if case .nft(let handle) = ref { handle } else { nil }
  }

  /// The place in the chain, from 1, where it is known.
  package var position: Int? {
    switch ref {
    case .legacy(let position), .legacyPolicy(let position): position
    case .nft, .policy, .legacyTable: listed
    }
  }

  /// Whether the chain's policy spoke, for no rule had.
  package var isPolicy: Bool {
    switch ref {
    case .policy, .legacyPolicy: true
    case .nft, .legacy, .legacyTable: false
    }
  }

  /// Whether this is a step through the tables of iptables-legacy.
  package var isLegacy: Bool {
    switch ref {
    case .legacy, .legacyPolicy, .legacyTable: true
    case .nft, .policy: false
    }
  }

  /// Whether it is a rule of iptables-legacy, known by its place.
  package var isLegacyRule: Bool {
    if case .legacy = ref { true } else { false }
  }

  /// Takes in where the rule stands, unless that is known.
  mutating func take(position: Int?) { listed = listed ?? position }
}

extension RuleStep {
  /// Whether the rule leaves its chain for good. In a base chain the policy is next then, and rules
  /// behind it are not met.
  var leavesChain: Bool {
    // Of iptables-legacy only the text tells. Its TRACE calls a RETURN of all packets a policy, too.
    verdict == .goto || verdict == .return || says("-j RETURN") || says("-g ") || isPolicy
  }

  /// Whether the rule asks for nothing, as far as its text says.
  var takesEverything: Bool {
    text.map { $0 == "-j DROP" || $0 == "drop" || $0.hasSuffix(" drop") && $0.hasPrefix("counter") }
      ?? false
  }

  /// Whether a part of its text begins so.
  private func says(_ word: String) -> Bool {
    text.map { $0.hasPrefix(word) || $0.contains(" \(word)") } ?? false
  }

  /// Whether the step decided or changed something: more than being met on the way.
  package var decided: Bool { verdict != .continue || translation != nil || setsMark }
}
