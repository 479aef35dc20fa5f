import App
import Kernel
import Report
import Trace

/// Looks for the smallest change with which a probe gets through: each is tried in a copy of its own.
struct WhyNotSearch {
  private let question: FirewallTest
  /// A copy in which these commands were run, and which the calling thread is in.
  private let place: ([String]) throws -> CheckPlace

  /// Changes that are tried, at most; and those that it takes together.
  private static let mostTried = 200
  private static let mostTogether = 3

  /// A search for what lets this question through.
  init(question: FirewallTest, in place: @escaping ([String]) throws -> CheckPlace) {
    self.question = question
    self.place = place
  }

  /// What came of the question with some changes, and what might be changed besides.
  private struct Attempt: ChangeTrial {
    var result: CheckResult
    var candidates: [ChangeCandidate]
    /// Where it was asked, in words.
    var place: String
    var differences: [String]

    var isThrough: Bool { result.isPassed }
    var likeliest: ChangeCandidate? { nil }

    var obstacle: String {
      let finding = result.probe?.result.findings.first { $0.severity == .error }
      return "\(finding?.id.rawValue ?? "") \(finding?.summary ?? "") \(finding?.at?.rule ?? "")"
    }
  }

  /// Searches, and says what was found.
  func run() throws -> WhyNotReport {
    let first = try attempt([])
    var report = WhyNotReport(
      question, place: first.place, differences: first.differences, obstacle: first.result)
    if let obstacle = first.result.obstacle { throw UsageError(obstacle) }
    if first.result.isPassed { return report }
    var trials = ChangeTrials<Attempt>(mostTried: Self.mostTried, mostTogether: Self.mostTogether)
    let steps = trials.run(from: first) { changes in
      Output.tell(progress: "trying \(changes.last?.command ?? "")")
      return try? attempt(changes)
    }
    Output.tell(progress: nil)
    report.tried = trials.count + 1
    report.changes = steps?.map(\.change) ?? []
    if steps != nil { report.opened = try opened(by: report.changes) }
    return report
  }

  private func attempt(_ changes: [ChangeCandidate]) throws -> Attempt {
    let place = try place(changes.map(\.command))
    let results = try place.ask([question]) { $0.isPassed }
    try place.exitIfInterrupted()
    let result = results[0]
    let candidates = try result.probe.map {
      try place.surroundings($0.result).candidates(for: $0.result)
    }
    let attempt = Attempt(
      result: result, candidates: candidates ?? [], place: place.description,
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
