/// What `nftrace show --json` printed of recorded traffic.
struct ShowReport: Decodable, Sendable {
  var journeys: [PingReport.Journey]
  var findings: [PingReport.Finding]
}

extension PingReport {
  /// Recorded traffic, judged like one probe.
  init(_ recorded: ShowReport) {
    findings = recorded.findings
    probes = [
      Probe(outcome: "recorded", journeys: recorded.journeys, findings: recorded.findings)
    ]
  }
}

/// What `nftrace ping --json` printed, as far as the scenarios ask: INTERFACE.md.
struct PingReport: Decodable, Sendable {
  var probes: [Probe]
  var findings: [Finding]

  struct Probe: Decodable, Sendable {
    var outcome: String
    var journeys: [Journey]
    var findings: [Finding]
  }

  struct Journey: Decodable, Sendable {
    var direction: String
    var hops: [Hop]
  }

  struct Hop: Decodable, Sendable {
    var hook: String
  }

  struct Finding: Decodable, Sendable {
    var id: String
    var severity: String
    var confidence: String
    var summary: String
    var evidence: [String]
    var remedy: String?
    var at: Place?
  }

  struct Place: Decodable, Sendable {
    var hook: String?
    var table: String?
    var chain: String?
    var handle: Int?
    var rule: String?
  }

  /// Of the probes, each id once.
  func findings(_ severity: String) -> [Finding] {
    var seen: Set<String> = []
    return probes.flatMap(\.findings).filter {
      $0.severity == severity && seen.insert($0.id).inserted
    }
  }

  var errors: [Finding] { findings("error") }

  /// Where the last packet that is not an ICMP error was last seen: "reply forward".
  var lastSeen: String {
    guard
      let journey = probes.last?.journeys.last(where: {
        $0.direction == "reply" || $0.direction == "request"
      })
    else { return "nothing" }
    return ([journey.direction] + (journey.hops.last.map { [$0.hook] } ?? []))
      .joined(separator: " ")
  }

  /// In a few words.
  var summary: String {
    let outcome = probes.last?.outcome ?? "no probe"
    return "\(outcome) (\(lastSeen)) \(errors.map(\.id).joined(separator: ","))"
  }
}

/// A scenario, what came out, and what is wrong with that.
struct ScenarioResult: Sendable {
  var scenario: Scenario
  var report: PingReport
  var misses: [String] = []

  /// Whether the fault is the one that was meant.
  mutating func judgeFacts() {
    let outcome = report.probes.last?.outcome ?? "no probe"
    if outcome != scenario.facts.outcome {
      misses.append("outcome \(outcome), not \(scenario.facts.outcome)")
    }
    if let expected = scenario.facts.lastSeen, report.lastSeen != expected {
      misses.append("last seen: \(report.lastSeen), not \(expected)")
    }
  }

  /// Whether it is named.
  mutating func judgeFindings() {
    let said = scenario.said
    compare("errors", report.errors.map(\.id), said.errors)
    compare("warnings", report.findings("warning").map(\.id), said.warnings)
    let notes = Set(report.findings("note").map(\.id))
    for note in said.notes where !notes.contains(note) { misses.append("no note \(note)") }
    for note in notes.subtracting(said.notes).subtracting(said.mayNote).sorted() {
      misses.append("note \(note)")
    }
    let whole = Set(report.findings.map(\.id))
    for error in report.errors where !whole.contains(error.id) {
      misses.append("\(error.id) is not among the findings of the run")
    }
    guard report.errors.map(\.id) == said.errors, !said.errors.isEmpty else { return }
    judgePlace()
    judgeWords()
    judgeRemedy()
  }

  private mutating func compare(_ what: String, _ found: [String], _ expected: [String]) {
    if Set(found) != Set(expected) { misses.append("\(what) \(found), not \(expected)") }
  }

  private mutating func judgePlace() {
    guard let place = scenario.said.at else { return }
    let found = report.errors.compactMap(\.at)
    let fits = found.contains { at in
      at.hook == place.hook && at.table == place.table && at.chain == place.chain
        && (place.rule.map { (at.rule ?? "").contains($0) } ?? true)
    }
    if !fits {
      let texts = found.map {
        [$0.hook, $0.table, $0.chain, $0.rule].map { $0 ?? "–" }.joined(separator: " ")
      }
      let wanted = [place.hook, place.table, place.chain, place.rule ?? ""]
      misses.append("at \(texts), not \(wanted.joined(separator: " "))")
    }
  }

  private mutating func judgeWords() {
    let text = report.errors.map { error in
      ([error.summary] + error.evidence + [error.remedy ?? ""]).joined(separator: "\n")
    }.joined(separator: "\n").lowercased()
    for word in scenario.said.mentions where !text.contains(word.lowercased()) {
      misses.append("no word of \(word)")
    }
    if scenario.said.isInferred, report.errors.contains(where: { $0.confidence == "certain" }) {
      misses.append("certain of what it cannot know")
    }
  }

  private mutating func judgeRemedy() {
    let remedy = report.errors.first?.remedy
    switch scenario.said.remedy {
    case .none:
      if let remedy { misses.append("a remedy, where no command helps: \(remedy)") }
    case .optional: break
    case .cures, .command, .uncovers:
      if remedy == nil { misses.append("no remedy") }
    }
  }

  /// A line of the table.
  var row: String {
    let expected = scenario.said.errors + scenario.said.warnings + scenario.said.notes
    let all = ["error", "warning", "note"].flatMap { report.findings($0).map(\.id) }
    func list(_ ids: [String]) -> String { ids.isEmpty ? "–" : ids.joined(separator: ",") }
    let end = misses.isEmpty ? "ok" : "MISS  " + misses.joined(separator: "; ")
    return [scenario.name.padded(40), list(expected).padded(30), list(all).padded(30), end]
      .joined(separator: " ")
  }
}

extension String {
  /// With blanks to `width` columns.
  fileprivate func padded(_ width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
