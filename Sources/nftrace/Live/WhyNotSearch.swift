import App
import Kernel
import Report
import Trace

/// Looks for the smallest change with which a probe gets through: each is tried in a copy of its own.
struct WhyNotSearch {
  private let question: FirewallTest
  /// How its packets are besides.
  private let packet: PacketOptions
  private let seconds: Double?
  /// A copy in which these commands were run, and which the calling thread is in.
  private let place: ([String]) throws -> CheckPlace

  /// Changes that are tried, at most; and those that it takes together.
  private static let mostTried = 200
  private static let mostTogether = 3

  /// A search for what lets this question through, which ends after so many seconds.
  init(
    question: FirewallTest, _ packet: PacketOptions, within seconds: Double? = nil,
    in place: @escaping ([String]) throws -> CheckPlace
  ) {
    self.question = question
    self.packet = packet
    self.seconds = seconds
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
    if let obstacle = first.result.obstacle, first.candidates.isEmpty { throw UsageError(obstacle) }
    if first.result.isPassed { return report }
    var trials = ChangeTrials<Attempt>(mostTried: Self.mostTried, mostTogether: Self.mostTogether)
    let end = seconds.map { Clock.realtime + UInt64($0 * 1e9) }
    let isOver = { end.map { Clock.realtime > $0 } ?? false }
    let steps = trials.run(from: first, until: isOver) { changes in
      Output.tell(progress: "trying \(changes.last?.command ?? "")")
      return try? attempt(changes)
    }
    Output.tell(progress: nil)
    report.tried = trials.count + 1
    report.changes = steps?.map(\.change) ?? []
    if trials.isCut { report.seconds = seconds }
    if steps != nil, !isOver() { report.opened = try opened(by: report.changes) }
    return report
  }

  private func attempt(_ changes: [ChangeCandidate]) throws -> Attempt {
    let place = try place(changes.map(\.command))
    let asker = try TestAsker(place, packet)
    let result = try asker.ask([question]) { $0.isPassed ? .nothing : .cause }.first
    try asker.exitIfInterrupted()
    guard let result else { throw UsageError("nothing came of it") }
    let surroundings = PlaceSurroundings(ruleset: place.ruleset)
    let attempt = Attempt(
      result: result,
      candidates: try result.probe.map { try surroundings.changes(around: $0.result) }
        ?? surroundings.changes(for: question.from),
      place: place.description, differences: place.differences)
    try place.leave()
    return attempt
  }

  /// What else gets through with these changes that did not before, of packets like this one.
  private func opened(by changes: [ChangeCandidate]) throws -> [FirewallTest] {
    let others = question.neighbours
    let answers = try [[], changes.map(\.command)].map { commands in
      let place = try place(commands)
      let asker = try TestAsker(place, packet)
      let answers = try asker.ask(others) { _ in .nothing }
      try asker.exitIfInterrupted()
      try place.leave()
      return answers
    }
    return zip(others, zip(answers[0], answers[1])).filter { !$1.0.isPassed && $1.1.isPassed }.map(
      \.0)
  }
}
