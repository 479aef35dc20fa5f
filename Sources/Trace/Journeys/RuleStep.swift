package import Wire

/// One rule, end of chain or policy that a packet met in the user's tables.
///
/// What it has is behind one reference, as that of a hop is: steps are kept beside each other by the hundred thousand.
package struct RuleStep: Sendable, Equatable {
  /// One element, which copies of the step share until one of them is changed. What is in it is looked at through a
  /// span: the array's own subscript would make a copy of all.
  private var fields: [Fields]

  private struct Fields: Sendable, Equatable {
    var family: UInt8
    var table: String
    var chain: String
    var ref: RuleRef
    var listed: Int?
    var verdict: Verdict
    var target: String?
    var text: String?
    var translation: NFTRuleMessage.Translation?
    var rejects: Bool = false
    var checksReversePath: Bool = false
    var isReplaced: Bool = false
    var mark: UInt32?
    var setsMark: Bool = false
  }

  /// A step of these fields.
  package init(
    family: UInt8, table: String, chain: String, _ ref: RuleRef, verdict: Verdict,
    target: String? = nil
  ) {
    fields = [
      Fields(
        family: family, table: table, chain: chain, ref: ref, verdict: verdict, target: target)
    ]
  }
}

extension RuleStep {
  /// NFPROTO_… of the table.
  package var family: UInt8 {
    _read { yield fields.span[0].family }
    _modify { yield &fields[0].family }
  }

  /// The table's name.
  package var table: String {
    _read { yield fields.span[0].table }
    _modify { yield &fields[0].table }
  }

  /// The chain's name.
  package var chain: String {
    _read { yield fields.span[0].chain }
    _modify { yield &fields[0].chain }
  }

  /// Which rule of it, or the policy.
  package var ref: RuleRef {
    _read { yield fields.span[0].ref }
    _modify { yield &fields[0].ref }
  }

  /// The place of a rule of nf_tables in its chain, from 1, where its text told it.
  private var listed: Int? {
    _read { yield fields.span[0].listed }
    _modify { yield &fields[0].listed }
  }

  /// What the rule or policy said.
  package var verdict: Verdict {
    _read { yield fields.span[0].verdict }
    _modify { yield &fields[0].verdict }
  }

  /// The chain that a jump or goto leads to.
  package var target: String? {
    _read { yield fields.span[0].target }
    _modify { yield &fields[0].target }
  }

  /// The rule in the user's words, once it is known.
  package var text: String? {
    _read { yield fields.span[0].text }
    _modify { yield &fields[0].text }
  }

  /// What the rule translates, if it does.
  package var translation: NFTRuleMessage.Translation? {
    _read { yield fields.span[0].translation }
    _modify { yield &fields[0].translation }
  }

  /// Whether the rule answers with an error or a reset.
  package var rejects: Bool {
    _read { yield fields.span[0].rejects }
    _modify { yield &fields[0].rejects }
  }

  /// Whether the rule does what rp_filter does.
  package var checksReversePath: Bool {
    _read { yield fields.span[0].checksReversePath }
    _modify { yield &fields[0].checksReversePath }
  }

  /// Whether its table was loaded anew meanwhile: in one of that name its handle, or its place, may
  /// be another rule's.
  package var isReplaced: Bool {
    _read { yield fields.span[0].isReplaced }
    _modify { yield &fields[0].isReplaced }
  }

  /// The packet's mark behind the rule, where a trace told it.
  package var mark: UInt32? {
    _read { yield fields.span[0].mark }
    _modify { yield &fields[0].mark }
  }

  /// Whether the packet had another mark before the rule.
  package var setsMark: Bool {
    _read { yield fields.span[0].setsMark }
    _modify { yield &fields[0].setsMark }
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
