package import Trace

/// Renders a recorded session as its elements come in: exchanges as they close, as text, within one
/// JSON object or as a page of HTML. A pure function of the session and the options. What is kept in memory is what
/// may still go on, and the last few if only those are asked for.
package struct SessionReport {
  private let filter: ExchangeFilter
  private let style: TextStyle
  private let format: Format
  private let last: Int?
  private let session: String?
  private let namespaces: [String]

  private var telling: Telling = .nothing
  private var header: SessionHeader?
  private var counts = EventCounts()
  private var traffic: ShowText
  private var stream: JSONStream?
  private var page: HTMLPage
  /// Of pings that went two ways.
  private var comparison = PingComparison()
  /// The last few, which wait for the end.
  private var kept: [Entry] = []
  /// Findings so far, none of them twice.
  private var findings: [Finding] = []
  /// Different findings that are kept for the end.
  private static let mostFindings = 256
  /// Exchanges that matched so far.
  package private(set) var matches = 0
  /// Whether what is read ends before its time.
  private var isCut = false
  /// How recordings ended, as they say.
  private var endings: [RecordingEnd] = []

  /// What the lines are to be.
  package enum Format: Sendable {
    case text
    case json
    case html
  }

  /// How the section at hand is told.
  private enum Telling {
    case nothing
    case ping(PingStory, PingText)
    case traffic(Story)
    case several(NamespacesStory)
  }

  private enum Entry {
    case probe(ProbeResult)
    case exchange(Exchange)

    var findings: [Finding] {
      switch self {
      case .probe(let result): result.findings
      case .exchange(let exchange): exchange.findings
      }
    }

    var exchange: Exchange {
      switch self {
      case .probe(let result): result.exchange
      case .exchange(let exchange): exchange
      }
    }
  }

  /// A report of the file `session`. `last` is how many exchanges to show at most, the newest; nil
  /// is all. `namespaces` are the names of those whose traffic is told as one, where it is more than one.
  package init(
    filter: ExchangeFilter, style: TextStyle, format: Format = .text, last: Int? = nil,
    session: String? = nil, namespaces: [String] = []
  ) {
    self.namespaces = namespaces
    if namespaces.count > 1 { telling = .several(NamespacesStory(namespaces: namespaces)) }
    self.session = session
    self.filter = filter
    var style = style
    if format == .html { style.color = true }
    self.style = style
    self.format = format
    self.last = last
    traffic = ShowText(style: style)
    page = HTMLPage(title: "nftrace \(session ?? "")")
  }

  /// Takes in the next element, of the namespace with this place among the names; those of several
  /// in the order of their times. Returns the lines to print now.
  package mutating func take(_ element: SessionDecoder.Element, from source: Int = 0) -> [String] {
    if case .record(let record) = element, case .note(.ended(let end)) = record.content,
      endings.count < Self.mostFindings
    {
      endings.append(end)
    }
    if case .several(var stories) = telling {
      telling = .nothing
      let closed: [Exchange]
      switch element {
      case .header(let next):
        header = header ?? next
        closed = stories.begin(next, from: source)
      case .record(let record):
        closed = stories.take(record, from: source) + stories.pass(to: record.time)
      }
      telling = .several(stories)
      return closed.flatMap { add(.exchange($0)) }
    }
    switch element {
    case .header(let next):
      // The recorder's file was full and it began another one: packets on their way go on in it.
      if case .traffic(let story) = telling, let old = story.header, next?.continues(old) == true {
        return []
      }
      let lines = endSection()
      begin(next)
      return lines
    case .record(let record):
      return take(record)
    }
  }

  private mutating func begin(_ next: SessionHeader?) {
    header = header ?? next
    isCut = false
    if let next, let plan = next.probe, let story = PingStory(header: next) {
      telling = .ping(story, PingText(plan: plan, style: style, isFirst: matches == 0))
    } else {
      telling = .traffic(Story(header: next))
    }
  }

  private mutating func take(_ record: Record) -> [String] {
    switch telling {
    case .nothing: return []
    case .ping(var ping, let text):
      telling = .nothing  // The story has one owner: otherwise it would be copied.
      let results = ping.replay(record)
      telling = .ping(ping, text)
      return results.flatMap { add(.probe($0)) }
    case .traffic(var story):
      telling = .nothing
      story.take(record)
      let closed = story.closeIdle()
      telling = .traffic(story)
      return closed.flatMap { add(.exchange($0)) }
    case .several: return []
    }
  }

  /// The file ends here before its time.
  package mutating func cut() { isCut = true }

  /// Nothing more comes of this namespace, by its place among the names, while others may go on.
  /// Returns the lines to print now.
  package mutating func end(_ source: Int) -> [String] {
    guard case .several(var stories) = telling else { return [] }
    telling = .nothing
    let closed = stories.end(source)
    telling = .several(stories)
    return closed.flatMap { add(.exchange($0)) }
  }

  /// All that there was up to this time, nanoseconds since the epoch, has been read: of a recording
  /// that goes on.
  package mutating func pass(to time: UInt64) -> [String] {
    switch telling {
    case .traffic(var story):
      telling = .nothing
      story.pass(to: time)
      telling = .traffic(story)
      return []
    case .several(var stories):
      telling = .nothing
      let closed = stories.pass(to: time)
      telling = .several(stories)
      return closed.flatMap { add(.exchange($0)) }
    case .nothing, .ping: return []
    }
  }

  /// Ends the section: what is still open is told as far as it went.
  private mutating func endSection() -> [String] {
    var lines: [String] = []
    switch telling {
    case .nothing: return []
    case .ping(var ping, _):
      for result in ping.finishReplay(isCut: isCut) { lines += add(.probe(result)) }
      counts.add(ping.story.counts)
      if case .ping(_, let text) = telling, last == nil {
        switch format {
        case .text: lines += text.summary(ping.story.counts)
        case .html: lines += page.add(text.closing(ping.story.counts))
        case .json: break
        }
      }
    case .traffic(var story):
      for exchange in story.finish() { lines += add(.exchange(exchange)) }
      counts.add(story.counts)
    case .several(var stories):
      for exchange in stories.finish() { lines += add(.exchange(exchange)) }
      counts.add(stories.counts)
    }
    telling = .nothing
    return lines
  }

  private mutating func add(_ entry: Entry) -> [String] {
    guard filter.matches(entry.exchange) else { return [] }
    matches += 1
    guard let last else { return lines(entry) }
    kept.append(entry)
    if kept.count > last { kept.removeFirst() }
    return []
  }

  private mutating func lines(_ entry: Entry) -> [String] {
    switch format {
    case .text: return text(entry).map(\.text)
    case .html:
      return page.add(text(entry), isOpen: entry.findings.contains { $0.severity != .note })
    case .json:
      for finding in entry.findings where findings.count < Self.mostFindings {
        let isTold = findings.contains { $0.id == finding.id && $0.at == finding.at }
        if !isTold { findings.append(finding) }
      }
      return withStream { $0.add(entry.exchange.journeys) }
    }
  }

  private mutating func text(_ entry: Entry) -> [Line] {
    switch entry {
    case .exchange(let exchange): return traffic.told(exchange)
    case .probe(let result):
      guard case .ping(let ping, var text) = telling else { return traffic.told(result.exchange) }
      defer { telling = .ping(ping, text) }
      if let plan = ping.story.header?.probe { comparison.add(result, of: plan) }
      return text.lines(result)
    }
  }

  private mutating func withStream(_ body: (inout JSONStream) -> [String]) -> [String] {
    let report = JSONReport(allRules: style.allRules)
    if stream == nil {
      var opening = report.opening(header, command: "show", session: session)
      if namespaces.count > 1 {
        opening = opening.map { $0.0 == "netns" ? ($0.0, .null) : $0 }
        opening.append(("namespaces", .array(namespaces.map { .string($0) })))
      }
      stream = JSONStream(report, opening: opening)
    }
    return body(&stream!)
  }

  /// That events are missing from recorded traffic; the summary of a ping says it itself.
  private var lossOfTraffic: [Line] {
    guard header?.probe == nil, style.verbosity != .quiet else { return [] }
    let notes = FindingText(style: style).lines(
      ProbeResult.findings(of: endings.compactMap(Finding.ended), counts))
    return notes.isEmpty ? [] : [""] + notes
  }

  /// What is left to print when all elements are in.
  package mutating func finish() -> [String] {
    var lines = endSection()
    for entry in kept { lines += self.lines(entry) }
    let isKernelLog = header?.isKernelLog == true && matches > 0 && style.verbosity != .quiet
    let compared = last == nil ? comparison.told(style) : []
    let source: [Line] = isKernelLog ? ["", style.paint(Phrases.kernelLog, .dim)] : []
    switch format {
    case .text: return lines + (compared + lossOfTraffic + source).map(\.text)
    case .html: return lines + page.add(compared + lossOfTraffic + source) + page.finish()
    case .json:
      let run = ProbeResult.findings(of: findings + endings.compactMap(Finding.ended), counts)
      let closing = JSONReport(allRules: style.allRules).closing(run, counts)
      return lines + withStream { $0.finish(closing) }
    }
  }
}
