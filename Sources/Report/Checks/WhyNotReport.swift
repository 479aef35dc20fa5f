package import Trace

/// Why a probe does not get through, and with which change it would.
package struct WhyNotReport: Sendable {
  private let question: FirewallTest
  private let place: String
  private let differences: [String]
  /// What came of the probe as it is.
  private let obstacle: CheckResult
  /// What lets it through; empty where nothing was found, or nothing is needed.
  package var changes: [ChangeCandidate] = []
  /// Packets like it that get through with that as well, and did not; nil where that was not asked.
  package var opened: [FirewallTest]?
  /// Seconds after which the search was ended before it was through.
  package var seconds: Double?
  /// How many copies it took.
  package var tried = 1

  /// A report about this question, as it is answered now.
  package init(
    _ question: FirewallTest, place: String, differences: [String], obstacle: CheckResult
  ) {
    self.question = question
    self.place = place
    self.differences = differences
    self.obstacle = obstacle
  }

  /// 0 where it gets through, or a change was found.
  package var exitCode: Int32 { obstacle.isPassed || !changes.isEmpty ? 0 : 1 }

  /// All lines.
  package func lines(_ style: TextStyle) -> [StyledLine] {
    let headline =
      obstacle.probe.map { Headline(style: style).line($0.result, plan: $0.plan) }
      ?? StyledLine("\(style.cross) \(obstacle.obstacle ?? "")", .bad)
    var lines: [StyledLine] = [headline]
    lines.append("asked in \(place)")
    lines += differences.map { StyledLine("differs   \($0)", .faint) }
    if obstacle.isPassed {
      return lines + [
        "",
        StyledLine(
          "it gets through there, where everybody answers: there is nothing to change", .good),
        "if it does not in the original, what stops it is beyond this host, or not in the copy",
      ]
    }
    let causes = (obstacle.probe?.result.findings ?? []).filter { $0.severity == .error }.map {
      finding in
      var cause = finding
      // It is among the changes that were tried.
      cause.remedy = nil
      return cause
    }
    if style.verbosity != .quiet, !causes.isEmpty {
      lines += [""] + FindingText(style: style).lines(causes)
    }
    if changes.isEmpty {
      return lines + [
        "",
        StyledLine(
          "no change was found with which it gets through: \(tried) were tried (rules, sets, sysctls, routing rules)"
            + (seconds.map { ", and more could be after \(Phrases.seconds($0))" } ?? ""),
          .bad),
      ]
    }
    lines += ["", StyledLine("it gets through with", .good)]
    for change in changes {
      lines += style.broken(command: change.command, behind: 2, indent: "    ").enumerated().map {
        "  " + $1
      }
      if let words = change.words { lines.append("      \(StyledLine(words, .faint))") }
    }
    lines.append("  tried in a copy: the probe gets through, and is answered")
    guard let opened else { return lines }
    lines.append("")
    if opened.isEmpty {
      lines.append(
        "nothing else of what was asked gets through by that: other ports, sources, destinations, protocols"
      )
    } else {
      lines.append(StyledLine("that would let through as well", .caution))
      lines += opened.map { "  \($0.title)" }
    }
    return lines
  }

  /// The same for who asked a probe, and knows that it is lost; nil where it is not lost in the copy.
  package var found: ChangesFound? {
    guard obstacle.probe != nil, !obstacle.isPassed else { return nil }
    return ChangesFound(
      changes: changes.map { ChangesFound.Change(command: $0.command, about: $0.words) },
      opened: opened?.map(\.title), tried: tried, seconds: seconds)
  }

  /// One object of schema "nftrace/1".
  package var json: JSONValue {
    .object(
      JSONObjects.head("why-not") + [
        ("place", .string(place)), ("differences", .array(differences.map { .string($0) })),
        ("from", .string(question.from.description)), ("to", .string(question.target)),
        ("through", .bool(obstacle.isPassed)),
        (
          "changes",
          .array(
            changes.map {
              .object([("command", .string($0.command)), ("about", .string($0.words))])
            })
        ),
        ("opened", .array((opened ?? []).map { .string($0.title) })), ("tried", .int(tried)),
        ("probe", obstacle.probe.map { JSONObjects().probe($0.result, netns: nil) } ?? .null),
      ] + (seconds.map { [("ended_after_s", .decimal("\($0)"))] } ?? []))
  }
}
