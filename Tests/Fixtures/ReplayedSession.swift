package import Trace

/// What Trace makes of a session.
package struct ReplayedSession {
  /// The probes of its pings.
  package private(set) var results: [ProbeResult] = []
  /// Its recorded traffic.
  package private(set) var exchanges: [Exchange] = []
  /// What it was told from.
  package let counts: EventCounts

  /// The session of fixtures/ with this name, and a note at its end.
  package init(_ name: String, then note: Note? = nil) throws {
    var decoder = SessionDecoder()
    decoder.feed(try Fixtures.octets(name))
    var ping: PingStory?
    var traffic: Story?
    var last: UInt64 = 0
    while let element = try decoder.next() {
      switch element {
      case .header(let header):
        ping = header.flatMap { PingStory(header: $0) }
        traffic = ping == nil ? Story(header: header, after: traffic) : nil
      case .record(let record):
        last = record.time
        results += ping?.replay(record) ?? []
        traffic?.take(record)
      }
    }
    if let note { results += ping?.replay(Record(time: last, .note(note))) ?? [] }
    results += ping?.finishReplay() ?? []
    exchanges = traffic?.finish() ?? []
    counts = traffic?.counts ?? ping?.counts ?? EventCounts()
  }

  /// What is to be said of it as a whole, and of neither probes nor traffic.
  package var remarks: [Finding] { ProbeResult.findings(of: [Finding](), counts) }

  /// All that is found, of the whole too.
  package var findings: [Finding] {
    results.flatMap(\.findings) + exchanges.flatMap(\.findings) + remarks
  }
}
