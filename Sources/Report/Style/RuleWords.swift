internal import Trace
internal import Wire

/// How rules and chains are called where a packet met them.
struct RuleWords {
  let style: TextStyle
  /// What is named beside it already.
  var beside: [String] = []

  /// A base chain as its tool calls it: "inet fw forward"; of iptables the table, for the chain is called as the hook.
  static func chain(_ passed: PassedChain) -> String {
    let table = Escape.name(passed.table)
    return passed.chain.map { "\(NFProto.name(passed.family)) \(table) \(Escape.name($0))" }
      ?? table
  }

  /// The base chain in which a rule ended a packet's way; nil if that is not known.
  static func chain(of decider: Decider) -> String? {
    decider.hop.passed?.first {
      $0.table == decider.rule.table && $0.family == decider.rule.family
    }.map(chain)
  }

  /// A rule's place in few words: "ip nat POSTROUTING rule 1". nft(8) shows no numbers, and handles only where it is
  /// asked for them: they are told where nothing else names the rule.
  func place(_ step: RuleStep) -> String {
    let chain = Self.chain(step)
    if step.isPolicy { return "\(chain) policy" }
    if let position = step.position { return "\(chain) rule \(position)" }
    guard style.verbosity == .verbose || step.text == nil, let handle = step.handle
    else { return chain }
    return "\(chain) handle \(handle)"
  }

  /// What a rule did, and which one: "accepted: tcp dport 22 accept", "dropped by ip filter GUESTS rule 2".
  func decided(_ verb: String, by step: RuleStep) -> String {
    let place = place(step)
    let isHere = beside.contains(Self.chain(step))
    if isHere, step.isPolicy { return "\(verb): policy" }
    guard !step.isPolicy, step.position == nil else { return "\(verb) by \(place)" }
    guard let text = step.text else { return "\(verb) by \(place)" }
    return isHere && style.verbosity != .verbose
      ? "\(verb): \(text)" : "\(verb) by \(place): \(text)"
  }

  private static func chain(_ step: RuleStep) -> String {
    "\(NFProto.name(step.family)) \(Escape.name(step.table)) \(RuleNames.brief(step.chain))"
  }
}
