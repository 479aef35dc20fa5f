internal import Wire

/// What came of a test.
package struct CheckResult: Sendable {
  /// What was asked, and what was expected.
  package let test: FirewallTest
  /// What was sent, and what came of it; nil where it could not be asked.
  package let probe: (plan: ProbePlan, result: ProbeResult)?
  /// The same, as a firewall's rules are spoken of.
  package let fate: Fate?
  /// Why it could not be asked.
  package let obstacle: String?
  /// What was not as expected.
  package let deviations: [Deviation]

  /// Something that was not as expected.
  package struct Deviation: Sendable, Equatable {
    /// What it is about, as the test calls it: "expect", "source".
    package var key: String
    /// What was expected.
    package var expected: String
    /// What was there.
    package var actual: String
    /// What is the matter with what was expected, if that cannot be.
    package var fault: String?
  }

  /// What a test's probe came to. The ruleset knows where rules stand.
  package init(
    _ test: FirewallTest, _ plan: ProbePlan, _ result: ProbeResult, in ruleset: RulesetCoverage
  ) {
    self.test = test
    probe = (plan, result)
    obstacle = nil
    let fate = Fate(result, in: ruleset)
    self.fate = fate
    deviations = Self.deviations(test.expected, fate, result, ruleset)
  }

  /// A test that could not be asked.
  package init(_ test: FirewallTest, obstacle: String) {
    self.test = test
    probe = nil
    fate = nil
    self.obstacle = obstacle
    deviations = []
  }

  /// Whether all was as expected.
  package var isPassed: Bool { obstacle == nil && deviations.isEmpty }

  private static func deviations(
    _ expected: Expectation, _ fate: Fate, _ result: ProbeResult, _ ruleset: RulesetCoverage
  ) -> [Deviation] {
    guard expected.verdict.isMet(by: fate.verdict) else {
      return [
        Deviation(
          key: "expect", expected: expected.verdict.description, actual: fate.verdict.description)
      ] + causes(expected, result)
    }
    var found: [Deviation] = []
    func compare(_ key: String, _ expected: String?, _ actual: String?, isMet: Bool) {
      guard let expected, !isMet else { return }
      found.append(Deviation(key: key, expected: expected, actual: actual ?? "none"))
    }
    if let isAnswered = expected.isAnswered, let actual = fate.isAnswered {
      compare(
        "reply", isAnswered ? "accept" : "drop", actual ? "accept" : "drop",
        isMet: isAnswered == actual)
    }
    for (key, wish, actual) in [
      ("source", expected.source, fate.source), ("dest", expected.destination, fate.destination),
    ] {
      compare(
        key, wish?.description,
        wish?.port == nil ? actual.map { "\($0.address)" } : actual?.description,
        isMet: wish.map { wish in actual.map { wish.isMet(by: $0) } ?? false } ?? true)
    }
    compare("out", expected.out, fate.out, isMet: expected.out == fate.out)
    compare(
      "mark", expected.mark.map { "\($0)" }, fate.mark.map { "\($0)" },
      isMet: expected.mark == fate.mark)
    if let rule = expected.rule, !fate.deciders.contains(where: rule.names) {
      found.append(
        Deviation(
          key: "by", expected: rule.text, actual: fate.decider.map(RuleNames.rule) ?? "none",
          fault: ruleset.absence(of: rule)))
    }
    return found + causes(expected, result)
  }

  private static func causes(_ expected: Expectation, _ result: ProbeResult) -> [Deviation] {
    guard let cause = expected.cause else { return [] }
    let found = result.findings.filter { $0.severity == .error }.map(\.id)
    if found.contains(cause) { return [] }
    return [
      Deviation(
        key: "cause", expected: cause.rawValue, actual: found.first?.rawValue ?? "none")
    ]
  }
}

/// What became of a probe, as a firewall's rules are spoken of.
package struct Fate: Sendable, Equatable {
  /// What became of it.
  package let verdict: Expectation.Verdict
  /// Whether its answer came back; nil where none is to be expected, or it did not get that far.
  package let isAnswered: Bool?
  /// Where it came from in the end.
  package let source: Expectation.Endpoint?
  /// Where it went in the end.
  package let destination: Expectation.Endpoint?
  /// The interface it left by.
  package let out: String?
  /// Its mark in the end.
  package let mark: UInt32?
  /// The rules and policies that decided: that which stopped it, or those that let it on.
  package let deciders: [RuleStep]

  /// The one of them that is told: a rule before a policy, and no translation if another one decided as well.
  package var decider: RuleStep? {
    deciders.last { !$0.isPolicy && !Self.translates($0) }
      ?? deciders.last { $0.isPolicy && $0.table != "nat" } ?? translator ?? deciders.last
  }

  /// The rule that made something else of its addresses.
  package var translator: RuleStep? { deciders.last(where: Self.translates) }

  private static let translations: Set<Substring> = [
    "masquerade", "snat", "dnat", "redirect", "MASQUERADE", "SNAT", "DNAT", "REDIRECT", "NETMAP",
  ]

  /// Whether a rule translates: its message says it where it was asked for, or else its text.
  private static func translates(_ step: RuleStep) -> Bool {
    step.translation != nil
      || step.text?.split(separator: " ").contains(where: translations.contains) == true
  }

  /// Whether a rule says why it did not get through, or it did.
  package var isExplained: Bool {
    isStopped || [.accept, .delivered].contains(verdict) && isAnswered != false
  }

  /// Whether a rule or policy stopped it.
  private let isStopped: Bool

  /// What became of this one. The ruleset knows where rules stand.
  package init(_ result: ProbeResult, in ruleset: RulesetCoverage) {
    let request = result.exchange.request
    let last = request?.places.last
    source = last.map { .init($0.packet.source, port: $0.packet.sourcePort) }
    destination = last.map { .init($0.packet.destination, port: $0.packet.destinationPort) }
    mark = last?.mark
    out = request?.end.place.out ?? last?.outDevice
    isStopped = request?.end.decider != nil
    let rules =
      request?.end.decider.map { [$0.rule] }
      ?? request?.way.rules.filter { $0.verdict == .accept || $0.translation != nil } ?? []
    deciders = rules.map(ruleset.placed)
    let refusal =
      (result.answer ?? result.exchange.error?.packet ?? result.exchange.reply?.packet).flatMap {
        Rejection($0)
      }
    switch request?.end {
    case .sent, .kept(.insteadOfSending, _): verdict = .accept
    case .delivered, .proxied, .kept(.insteadOfDelivering, _): verdict = .delivered
    case .rejected, .refused: verdict = .reject(refusal)
    // The kernel sends only so many refusals a second.
    case .dropped(let decider) where decider.rule.rejects:
      verdict = .reject(ruleset.placed(decider.rule).text.flatMap(Rejection.init(inRule:)))
    // No route leads there, say: who asked is told, though no rule did it.
    case .unknown where result.outcome == .rejected && refusal != nil: verdict = .reject(refusal)
    case .dropped, .kept(.interception, _), .unknown, nil: verdict = .drop
    }
    switch (verdict, result.outcome) {
    case (.accept, .replied), (.delivered, .replied): isAnswered = true
    // Nobody listens, and that comes back: the firewall let both through.
    case (.delivered, .rejected), (.accept, .rejected): isAnswered = true
    case (.accept, .lost): isAnswered = false
    // Who gets a datagram may have nothing to say; to echo requests and SYNs the kernel itself answers.
    case (.delivered, .lost):
      let isSilent = result.exchange.reply == nil && result.exchange.error == nil
      isAnswered = isSilent && !(request?.packet.asksTheKernel ?? false) ? nil : false
    default: isAnswered = nil
    }
  }
}

extension Packet {
  /// Whether the kernel of who gets it answers, whoever listens there.
  fileprivate var asksTheKernel: Bool {
    tcp?.flags.contains(.syn) == true || icmp?.isEchoRequest(proto) == true
  }
}
