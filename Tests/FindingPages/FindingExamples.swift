import Foundation
import Trace

/// A finding of each kind, from the recorded sessions.
enum FindingExamples {
  /// The first of each id, by the names of the sessions: those that are certain before others.
  static func collect(_ fixtures: URL) throws -> [FindingID: Finding] {
    var found: [FindingID: Finding] = [:]
    let names = try FileManager.default.contentsOfDirectory(atPath: fixtures.path)
    for name in names.sorted() where name.hasSuffix(".pcapng") {
      for finding in try findings(fixtures.appending(path: name)) {
        let known = found[finding.id]
        if known == nil || known!.confidence != .certain && finding.confidence == .certain {
          found[finding.id] = finding
        }
      }
    }
    return found
  }

  private static func findings(_ file: URL) throws -> [Finding] {
    var decoder = SessionDecoder()
    decoder.feed([UInt8](try Data(contentsOf: file)))
    var ping: PingStory?
    var traffic: Story?
    var results: [ProbeResult] = []
    while let element = try decoder.next() {
      switch element {
      case .header(let header):
        ping = header.flatMap { PingStory(header: $0) }
        traffic = ping == nil ? Story(header: header, after: traffic) : nil
      case .record(let record):
        results += ping?.replay(record) ?? []
        traffic?.take(record)
      }
    }
    results += ping?.finishReplay() ?? []
    let recorded = traffic?.finish().flatMap(\.findings) ?? []
    let counts = traffic?.counts ?? ping?.story.counts ?? EventCounts()
    return ProbeResult.findings(of: results.flatMap(\.findings) + recorded, counts)
  }
}
