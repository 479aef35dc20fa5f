/// A rule of nf_tables that is in force.
package struct RuleInForce: Sendable, Hashable {
  /// NFPROTO_… of the table.
  package let family: UInt8
  /// The table's name.
  package let table: String
  /// The chain's name.
  package let chain: String
  /// Its handle.
  package let handle: UInt64
  /// Its place in the chain, from 1.
  package let position: Int
  /// Where that is, in names that somebody gave.
  package var place: Place
  /// Its text, as far as that is known.
  package var text: String?

  /// A rule of these fields.
  package init(family: UInt8, table: String, chain: String, handle: UInt64, position: Int) {
    self.family = family
    self.table = table
    self.chain = chain
    self.handle = handle
    self.position = position
    place = Place(chain: chain, [position])
  }

  /// Where a rule stands in its table.
  package struct Place: Sendable, Hashable, CustomStringConvertible {
    /// The chain, which has a name.
    package let chain: String
    /// The rule's number in it; behind it that of the rule in the first one's own chain (`jump { … }`), and so on.
    package let numbers: [Int]

    /// The place of this rule of this chain.
    package init(chain: String, _ numbers: [Int]) {
      self.chain = chain
      self.numbers = numbers
    }

    /// The place of a rule in a chain that is this place's rule's own.
    package static func + (outer: Place, inner: Place) -> Place {
      Place(chain: outer.chain, outer.numbers + inner.numbers)
    }

    /// "forward rule 4.1": the first rule of the fourth one's own chain.
    package var description: String {
      "\(chain) rule \(numbers.map { "\($0)" }.joined(separator: "."))"
    }
  }
}

/// The rules of a ruleset, which of them packets have met, and where they stand in the files they were loaded from.
package struct RulesetCoverage: Sendable {
  /// All rules, chain by chain.
  package let rules: [RuleInForce]
  private let texts: [RulesetText]
  private let places: [Key: Int]
  private var met: Set<Int> = []

  private struct Key: Hashable {
    var family: UInt8
    var table: String
    var chain: String
    var handle: UInt64
  }

  /// Where a rule stands.
  package struct Line: Sendable, Equatable {
    /// The file.
    package let path: String
    /// The line, counted from 1.
    package let number: Int
  }

  /// These rules, loaded from these texts; no packet has met them.
  package init(_ rules: [RuleInForce], from texts: [RulesetText]) {
    self.rules = rules
    self.texts = texts
    places = Dictionary(
      rules.enumerated().map { place, rule in
        (Key(family: rule.family, table: rule.table, chain: rule.chain, handle: rule.handle), place)
      }, uniquingKeysWith: { first, _ in first })
  }

  /// Takes in what a probe and what answered it have met.
  package mutating func take(_ result: ProbeResult) {
    for journey in result.exchange.journeys {
      for step in journey.way.rules + (journey.end.decider.map { [$0.rule] } ?? []) {
        if let place = place(of: step) { met.insert(place) }
      }
    }
  }

  /// The rules that no packet has met.
  package var unmet: [RuleInForce] {
    rules.indices.filter { !met.contains($0) }.map { rules[$0] }
  }

  /// How many of a hundred rules were met; 100 where there are none.
  package var percent: Int { rules.isEmpty ? 100 : met.count * 100 / rules.count }

  /// How many rules were met.
  package var count: Int { met.count }

  /// A rule that a packet met, with its place in its chain, and its text.
  package func placed(_ step: RuleStep) -> RuleStep {
    guard let place = place(of: step) else { return step }
    var step = step
    step.take(position: rules[place].position)
    step.text = step.text ?? rules[place].text
    return step
  }

  /// What is said of a comment that no rule has, with the nearest one that a rule has; nil where a rule is named so, or by its
  /// place.
  func absence(of wish: RuleWish) -> String? {
    guard !wish.isPlace, !rules.contains(where: { $0.text.map(wish.isText) == true }) else {
      return nil
    }
    let comments = Set(rules.compactMap { $0.text.flatMap(RuleWish.comment) }).sorted()
    let nearest = NearestWord.to(wish.text, among: comments).map { "; did you mean '\($0)'?" }
    return "no rule is called that\(nearest ?? "")"
  }

  /// Where the rule stands that a packet met; nil for a policy, and where that is not known.
  package func line(of step: RuleStep) -> Line? { place(of: step).flatMap { line(of: rules[$0]) } }

  /// Where a rule stands; nil where that is not known.
  package func line(of rule: RuleInForce) -> Line? {
    for text in texts {
      let line = text.line(
        family: rule.family, table: rule.table, chain: rule.place.chain,
        numbers: rule.place.numbers)
      if let line { return line }
    }
    return nil
  }

  private func place(of step: RuleStep) -> Int? {
    step.handle.flatMap {
      places[Key(family: step.family, table: step.table, chain: step.chain, handle: $0)]
    }
  }
}
