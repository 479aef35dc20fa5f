internal import Wire

/// Sets of ipset, which rules of iptables look packets up in by name.
enum IPSet {
  /// The names of the sets that a rule asks.
  static func names(in step: RuleStep) -> [String] {
    let words = (step.text ?? "").split(separator: " ")
    return zip(words, words.dropFirst()).filter { $0.0 == "--match-set" }.map { String($0.1) }
  }
}
