import App
import Kernel
import Report
import Trace

/// Looks for the smallest change with which a probe gets through: each is tried in a copy of its own.
struct WhyNotSearch {
  private let question: FirewallTest
  /// A copy in which these commands were run, and which the calling thread is in.
  private let place: ([String]) throws -> CheckPlace
  private var tried = 0

  /// Changes that are tried, at most; and those that it takes together.
  private static let mostTried = 200
  private static let mostTogether = 3

  /// A search for what lets this question through.
  init(question: FirewallTest, in place: @escaping ([String]) throws -> CheckPlace) {
    self.question = question
    self.place = place
  }

  /// What came of a probe with some changes, and what might be changed besides.
  private struct Attempt {
    var result: CheckResult
    var candidates: [ChangeCandidate]
    var where_: String
    var differences: [String]
  }

  /// Searches, and says what was found.
  mutating func run() throws -> WhyNotReport {
    var changes: [ChangeCandidate] = []
    let first = try attempt(changes)
    var report = WhyNotReport(
      question, place: first.where_, differences: first.differences, obstacle: first.result)
    if let obstacle = first.result.obstacle { throw UsageError(obstacle) }
    if first.result.isPassed { return report }
    var current = first
    var met = [kind(first.result)]
    while changes.count < Self.mostTogether {
      var further: (change: ChangeCandidate, attempt: Attempt)?
      for candidate in current.candidates
      where tried < Self.mostTried && !changes.contains(candidate) {
        Output.tell(progress: "trying \(candidate.command)")
        guard let next = try? attempt(changes + [candidate]) else { continue }
        if next.result.isPassed {
          Output.tell(progress: nil)
          report.changes = changes + [candidate]
          report.tried = tried
          report.opened = try opened(by: report.changes)
          return report
        }
        if further == nil, !met.contains(kind(next.result)) { further = (candidate, next) }
      }
      // It is stopped by something else then: that is on the way.
      guard let (change, attempt) = further else { break }
      changes.append(change)
      met.append(kind(attempt.result))
      current = attempt
    }
    Output.tell(progress: nil)
    report.tried = tried
    return report
  }

  /// What tells one obstacle from another.
  private func kind(_ result: CheckResult) -> String {
    let finding = result.probe?.result.findings.first { $0.severity == .error }
    return "\(finding?.id.rawValue ?? "") \(finding?.summary ?? "") \(finding?.at?.rule ?? "")"
  }

  private mutating func attempt(_ changes: [ChangeCandidate]) throws -> Attempt {
    tried += 1
    let place = try place(changes.map(\.command))
    let results = try place.ask([question]) { $0.isPassed }
    try place.exitIfInterrupted()
    let result = results[0]
    let candidates = try result.probe.map {
      try place.surroundings($0.result).candidates(for: $0.result)
    }
    let attempt = Attempt(
      result: result, candidates: candidates ?? [], where_: place.description,
      differences: place.differences)
    try place.leave()
    return attempt
  }

  /// What else gets through with these changes that did not before, of packets like this one.
  private func opened(by changes: [ChangeCandidate]) throws -> [FirewallTest] {
    let others = question.neighbours
    let answers = try [[], changes.map(\.command)].map { commands in
      let place = try place(commands)
      let answers = try place.ask(others) { _ in true }
      try place.exitIfInterrupted()
      try place.leave()
      return answers
    }
    return zip(others, zip(answers[0], answers[1])).filter { !$1.0.isPassed && $1.1.isPassed }.map(
      \.0)
  }
}
