import Foundation
import Report
import Testing
import Trace
import Wire

/// The recorded sessions in fixtures/ as a catalogue: each cause is shown by one of them at least,
/// each session has the causes that are written beside it and no others (GoldenTests compares them
/// whole), and healthy ones have none.
@Suite struct CatalogueTests {
  /// Ids of DIAGNOSES.md that a ping can meet; the others need other probes.
  static let ids = [
    "forwarding-disabled", "reverse-path-filter", "local-source", "martian-source",
    "martian-destination", "no-route", "blackhole-route", "unreachable-route", "prohibit-route",
    "ttl-expired", "fragmentation-needed", "rule-drop", "policy-drop", "rule-reject",
    "legacy-drop", "invalid-state-drop", "reply-filtered", "dnat-then-filtered",
    "masquerade-no-address", "snat-clash", "conntrack-table-full", "queue-without-listener",
    "missing-masquerade", "unroutable-snat", "not-translated", "neighbour-unresolved",
    "neighbour-discovery-filtered", "no-carrier", "hairpin-without-masquerade", "no-reply",
    "echo-ignored", "hairpin-redirect", "fragmented", "mixed-backends", "lost-after",
  ]

  private func findings(_ name: String) throws -> [Finding] {
    let file = GoldenTests.directory.appending(path: "\(name).pcapng")
    var decoder = SessionDecoder()
    decoder.feed(Array(try Data(contentsOf: file)))
    var story: PingStory?
    var results: [ProbeResult] = []
    while let element = try decoder.next() {
      switch element {
      case .header(let header): story = header.flatMap { PingStory(header: $0) }
      case .record(let record): results += story?.replay(record) ?? []
      }
    }
    results += story?.finishReplay() ?? []
    return results.flatMap(\.findings)
  }

  @Test func everyCauseIsShown() throws {
    let shown = Set(try GoldenTests.names.flatMap { try findings($0).map(\.id) })
    #expect(Self.ids.filter { !shown.contains($0) } == [])
  }

  @Test(arguments: GoldenTests.names.filter { $0.hasPrefix("healthy") || $0.hasPrefix("walk") })
  func healthySessionsHaveNoFinding(_ name: String) throws {
    #expect(try findings(name) == [])
  }

  /// One cause a probe: what follows from it is not reported beside it.
  @Test(arguments: GoldenTests.names) func causesAreNotRepeated(_ name: String) throws {
    #expect(try findings(name).filter { $0.severity == .error }.count <= 1)
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
