internal import Trace

/// Counts what became of packets, in words. A rule is one, whether or not its text was known yet.
struct Tally: Sendable {
  private var kinds: [String: (words: String, count: Int)] = [:]
  /// Kinds that are told apart; the rest is counted together.
  private let most: Int
  private(set) var others = 0

  /// Nothing yet; so many kinds are told apart.
  init(most: Int) { self.most = most }

  /// One more of this kind. `rule` is the rule that made it, which is the same in whichever words it is told; `site` is the place whose rule it is, where there
  /// are several.
  mutating func add(_ words: String, rule: RuleStep? = nil, at site: Site? = nil) {
    let key =
      (rule.map { "\($0.family) \($0.table) \($0.chain) \($0.ref)" } ?? words)
      + (site?.place ?? "")
    guard kinds[key] != nil || kinds.count < most else {
      others += 1
      return
    }
    kinds[key, default: (words, 0)].count += 1
    if rule?.text != nil { kinds[key]?.words = words }
  }

  /// All that another one counted.
  mutating func add(_ other: Tally) {
    others += other.others
    for (key, kind) in other.kinds {
      guard kinds[key] != nil || kinds.count < most else {
        others += kind.count
        continue
      }
      kinds[key, default: (kind.words, 0)].count += kind.count
    }
  }

  /// The kinds, the most frequent first.
  var ordered: [(words: String, count: Int)] {
    kinds.values.sorted { ($1.count, $0.words) < ($0.count, $1.words) }
  }

  /// How many kinds there are.
  var count: Int { kinds.count }
}
