import Fixtures
import Report
import Testing
import Trace
import Wire

/// The recorded sessions in fixtures/ as a catalogue: each cause is shown by one of them at least,
/// each session has the causes that are written in catalogue.txt and no others (FixtureTableTests), and
/// healthy ones have none.
@Suite struct CatalogueTests {
  /// The ids that no session of packets can show: a recorder's last words are not about one.
  static let unseen: Set = ["recording-ended", "machine-missing"]

  /// What became of each probe, or of each exchange of recorded traffic; last, what is of neither.
  static func outcomes(
    _ name: String
  ) throws -> [(exchange: Exchange, findings: [Finding], outcome: String)] {
    let session = try ReplayedSession(name)
    return session.results.map { ($0.exchange, $0.findings, $0.outcome.rawValue) }
      + session.exchanges.map { ($0, $0.findings, "recorded") }
      + [(Exchange(journeys: []), session.remarks, "")]
  }

  private func findings(_ name: String) throws -> [Finding] {
    try Self.outcomes(name).flatMap(\.findings)
  }

  @Test func everyCauseIsShown() throws {
    let shown = Set(try GoldenTests.names.flatMap { try findings($0).map(\.id.rawValue) })
    let all = Set(Registry.pages.map(\.id.rawValue))
    #expect(all.subtracting(shown) == Self.unseen)
    #expect(shown.subtracting(all) == [])
  }

  /// Nobody at the port: here and far away, by TCP and UDP, in both IP versions.
  @Test func everyRefusalIsShown() throws {
    var shown: Set<String> = []
    for name in GoldenTests.names {
      for (exchange, findings, _) in try Self.outcomes(name) {
        guard let finding = findings.first(where: { $0.id.rawValue == "no-listener" }),
          let packet = exchange.request?.packet
        else { continue }
        let isHere = finding.summary.hasPrefix("this host refused it")
        #expect(isHere != finding.summary.contains("not this host"))
        shown.insert("\(packet.proto) \(packet.source.family) \(isHere ? "here" : "beyond")")
      }
    }
    let all = ["tcp", "udp"].flatMap { proto in
      [4, 6].flatMap { version in ["here", "beyond"].map { "\(proto) \(version) \($0)" } }
    }
    #expect(Set(all).subtracting(shown) == [])
  }

  @Test(arguments: GoldenTests.names.filter { $0.hasPrefix("healthy") || $0.hasPrefix("walk") })
  func healthySessionsHaveNoFinding(_ name: String) throws {
    #expect(try findings(name) == [])
  }

  /// One cause a probe: what follows from it is not reported beside it.
  @Test(arguments: GoldenTests.names) func causesAreNotRepeated(_ name: String) throws {
    for (_, findings, _) in try Self.outcomes(name) {
      #expect(findings.filter { $0.severity == .error }.count <= 1)
    }
  }

  /// Sentences and evidence are there; a summary is one line without a full stop.
  @Test(arguments: GoldenTests.names) func sentencesAreSentences(_ name: String) throws {
    for finding in try findings(name) {
      #expect(!finding.summary.isEmpty && !finding.summary.contains("\n"))
      #expect(!finding.summary.hasSuffix("."))
      #expect(finding.severity == .note || !finding.evidence.isEmpty, "\(finding.id)")
    }
  }
}
