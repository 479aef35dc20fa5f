/// What `nftrace ping --json` printed, as far as the scenarios ask.
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

  /// Whether the last probe got through: to its answer, or where none is to be expected.
  var isThrough: Bool { ["replied", "sent"].contains(probes.last?.outcome) && errors.isEmpty }

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

  /// What became of the probe, and what decided.
  var verdict: String {
    let places = errors.map { error in
      let at = error.at.map { [$0.table, $0.chain, $0.handle.map { "\($0)" }] } ?? []
      return ([error.id] + at.compactMap(\.self)).joined(separator: "@")
    }
    return "\(probes.last?.outcome ?? "no probe") (\(lastSeen)) \(places.joined(separator: ","))"
  }

  /// In a few words.
  var summary: String {
    let outcome = probes.last?.outcome ?? "no probe"
    return "\(outcome) (\(lastSeen)) \(errors.map(\.id).joined(separator: ","))"
  }
}

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
