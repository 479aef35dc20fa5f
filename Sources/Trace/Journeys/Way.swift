internal import Wire

/// What happened to a packet, step by step. It was seen once at least.
///
/// What it met, and what was noticed when it was seen, stands before the step of being seen; what it
/// met after it was seen last stands at the end.
package struct Way: Sendable, Equatable {
  /// All steps, in order.
  package private(set) var steps: [Step]
  /// Where among them those of being seen are: they are what is looked for most.
  private var seenAt: [Int]

  /// A way that begins where the packet was seen first, with room for so many steps.
  package init(_ first: Hop, roomFor count: Int = 1) {
    steps = []
    steps.reserveCapacity(count)
    steps.append(.seen(first))
    seenAt = []
    seenAt.reserveCapacity(count)
    seenAt.append(0)
  }

  /// A way of these steps; nil if the packet was never seen.
  package init?(_ steps: [Step]) {
    let seenAt = steps.indices.filter { if case .seen = steps[$0] { true } else { false } }
    if seenAt.isEmpty { return nil }
    self.steps = steps
    self.seenAt = seenAt
  }

  private init() { (steps, seenAt) = ([], []) }

  /// Takes all out of it, for somebody who has nothing else of it then; nothing may be asked of it any more.
  mutating func takeAll() -> Way {
    var all = Way()
    swap(&self, &all)
    return all
  }

  /// Its steps, for somebody who takes one after the other out of them from the end.
  consuming func takeSteps() -> [Step] {
    let steps = steps
    return steps
  }

  /// Where it was seen, in order.
  package var hops: Hops { Hops(steps: steps, seenAt: seenAt) }
  /// In how many places that was.
  var hopCount: Int { seenAt.count }
  /// Where it was seen first.
  package var first: Hop { hop(0) }
  /// Where it was seen last.
  package var last: Hop { hop(seenAt.count - 1) }
  private func hop(_ index: Int) -> Hop {
    guard case .seen(let hop) = steps[seenAt[index]] else {
      preconditionFailure("not a step of being seen")
    }
    return hop
  }
  /// What it met after that.
  private var rest: ArraySlice<Step> { steps[(seenAt[seenAt.count - 1] + 1)...] }
  /// Rules met after the last hop.
  package var trailingRules: [RuleStep] { rest.compactMap(\.rule) }
  /// The rule met last, if that was after the last hop.
  var lastTrailingRule: RuleStep? { rest.last?.rule }
  /// All rules it met, in order.
  package var rules: [RuleStep] { steps.compactMap(\.rule) }
  /// What was noticed to be different on it, in order.
  package var changes: [Change] {
    steps.compactMap { if case .changed(let change) = $0 { change } else { nil } }
  }
  /// Which way routing sent it, if that was asked.
  package var route: RouteDecision? {
    for case .routed(let decision) in steps { return decision }
    return nil
  }

  /// Each hop with what happened since the one before.
  package var legs: [Leg] {
    var next = 0
    return zip(seenAt, hops).map { place, hop in
      defer { next = place + 1 }
      return Leg(steps[next..<place], to: hop)
    }
  }

  /// What happened since it was seen last, on the way to a hop where it was not seen any more.
  package func lastLeg(to hop: Hop) -> Leg { Leg(rest, to: hop) }
}

extension Way {
  /// It was seen again.
  mutating func append(_ hop: Hop) {
    seenAt.append(steps.count)
    steps.append(.seen(hop))
  }

  /// It without what was seen last, and without what came after that; nil if nothing is left.
  var withoutLast: Way? { Way(Array(steps[..<seenAt[seenAt.count - 1]])) }

  /// It went on like this, beginning so many nanoseconds later.
  mutating func append(_ other: Way, later delay: UInt64) {
    for step in other.steps {
      switch step {
      case .seen(var hop):
        hop.time = hop.time.later(by: delay)
        append(hop)
      case .rule, .tracked, .changed, .routed: steps.append(step)
      }
    }
  }

  /// It met a rule.
  mutating func append(_ rule: RuleStep) { steps.append(.rule(rule)) }

  /// It met a rule before it was seen last.
  mutating func insert(_ rule: RuleStep) {
    let last = seenAt.count - 1
    steps.insert(.rule(rule), at: seenAt[last])
    seenAt[last] += 1
  }

  /// Takes in what conntrack had made of it when it was seen last. What is told later counts.
  mutating func track(_ state: Connection.State) {
    let last = seenAt.count - 1
    let place = seenAt[last]
    if place > 0, case .tracked = steps[place - 1] {
      steps[place - 1] = .tracked(state)
    } else {
      steps.insert(.tracked(state), at: place)
      seenAt[last] += 1
    }
  }

  /// Says of each rule what is better known now.
  mutating func revise(_ revised: (RuleStep) -> RuleStep) {
    for index in steps.indices {
      if case .rule(let rule) = steps[index] { steps[index] = .rule(revised(rule)) }
    }
  }

  /// Notes behind which rules the packet had another mark than before.
  mutating func noteMarks() {
    var mark: UInt32 = 0
    for index in steps.indices {
      switch steps[index] {
      case .seen(let hop): mark = hop.mark
      case .rule(var rule):
        guard let now = rule.mark else { continue }
        rule.setsMark = now != mark
        steps[index] = .rule(rule)
        mark = now
      case .tracked, .changed, .routed: break
      }
    }
  }

  /// Says of a rule of iptables-legacy that was met last which mark the packet has behind it, as the next line of TRACE
  /// has it.
  mutating func noteMarkBehindLegacy(_ mark: UInt32) {
    guard case .rule(var rule) = steps.last, rule.isLegacy else { return }
    rule.mark = mark
    steps[steps.count - 1] = .rule(rule)
  }

  /// Says what the rule that was met last did.
  mutating func setVerdictOfLastRule(_ verdict: Verdict) {
    guard case .rule(var rule) = steps.last else { return }
    rule.verdict = verdict
    steps[steps.count - 1] = .rule(rule)
  }

  /// Changes what is said of a hop.
  mutating func updateHop(_ index: Int, _ update: (inout Hop) -> Void) {
    let place = seenAt[index]
    guard case .seen(var hop) = steps[place] else { return }
    // Nobody else has it then, and it is changed where it is.
    steps[place] = .tracked(.untracked)
    update(&hop)
    steps[place] = .seen(hop)
  }
}

extension Step {
  /// The rule, if this is the step through one.
  fileprivate var rule: RuleStep? { if case .rule(let rule) = self { rule } else { nil } }
}
