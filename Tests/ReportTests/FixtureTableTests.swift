import Foundation
import Report
import Testing
import Trace

/// What matters of every recorded session, a line each, in two files: `fixtures/catalogue.txt` has what became
/// of it and where, `fixtures/sentences.txt` how it is said. A phrase that changes is a line here, not a
/// report for each session that has it: GoldenTests compares few of them whole.
@Suite struct FixtureTableTests {
  /// What the JSON report has of it.
  private struct Told: Decodable {
    var journeys: [Journey]
    var findings: [Finding]

    struct Journey: Decodable {
      var direction: String
      var hops: [Hop]
      var end: End
    }
    struct Hop: Decodable { var hook: String }
    struct End: Decodable { var kind: String }
    struct Finding: Decodable {
      var id: String
      var confidence: String
      var summary: String
      var evidence: [String]
      var remedy: String?
      var at: Place?
    }
    struct Place: Decodable {
      var hook: String?
      var table: String?
      var chain: String?
      var handle: Int?
      var rule: String?
    }
  }

  private func told(_ name: String) throws -> Told {
    let text = try GoldenTests.render(name, .json, style: TextStyle())
    return try JSONDecoder().decode(Told.self, from: Data(text.utf8))
  }

  /// "NAME: outcome; finding certain at hook table chain #handle; request ingress prerouting lost"
  private func line(_ name: String) throws -> String {
    let told = try told(name)
    let findings = told.findings.map { finding in
      var words = [finding.id, finding.confidence]
      if let at = finding.at {
        words += ["at"] + [at.hook, at.table, at.chain].map { $0 ?? "-" }
        if let handle = at.handle { words.append("#\(handle)") }
      }
      return words.joined(separator: " ")
    }
    let journeys = told.journeys.map { journey in
      var hooks: [String] = []
      for hop in journey.hops where hop.hook != hooks.last { hooks.append(hop.hook) }
      return ([journey.direction] + hooks + [journey.end.kind]).joined(separator: " ")
    }
    let parts = [
      try CatalogueTests.outcomes(name).map(\.outcome).filter { !$0.isEmpty }
        .joined(separator: " "), findings.joined(separator: ", "), journeys.joined(separator: ", "),
    ]
    return "\(name): " + parts.map { $0.isEmpty ? "-" : $0 }.joined(separator: "; ")
  }

  /// The first line of the report, and all that is said of findings, below the session's name.
  private func sentences(_ name: String) throws -> String {
    let report = try GoldenTests.render(name, .text, style: TextStyle())
    var lines = [name, "  " + (report.split(separator: "\n").first ?? "")]
    for finding in try told(name).findings {
      lines.append("  \(finding.id): \(finding.summary)")
      lines += finding.evidence.map { "    \($0)" }
      if let rule = finding.at?.rule { lines.append("    rule: \(rule)") }
      if let remedy = finding.remedy { lines.append("    $ \(remedy)") }
    }
    return lines.joined(separator: "\n")
  }

  private func isAsWritten(_ parts: [String], in name: String, by separator: String) throws {
    let file = GoldenTests.directory.appending(path: name)
    if GoldenTests.writes {
      try Data((parts.joined(separator: separator) + "\n").utf8).write(to: file)
      return
    }
    let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    let written = text.dropLast().components(separatedBy: separator)
    let difference = parts.difference(from: written)
    #expect(difference.isEmpty, "\(name): \(difference.map { "\($0)" }.joined(separator: "\n"))")
  }

  @Test func whatBecameOfIt() throws {
    try isAsWritten(GoldenTests.names.map(line), in: "catalogue.txt", by: "\n")
  }

  @Test func howItIsSaid() throws {
    try isAsWritten(GoldenTests.names.map(sentences), in: "sentences.txt", by: "\n\n")
  }
}
