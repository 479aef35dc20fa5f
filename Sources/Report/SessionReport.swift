public import Trace

/// Renders a recorded session as its elements come in: text as exchanges close, or one JSON object
/// at the end. A pure function of the session and the options; memory is bounded as long as neither
/// JSON nor the last few are asked for.
public struct SessionReport {
  private let filter: ExchangeFilter
  private let style: TextStyle
  private let json: Bool
  private let last: Int?

  private var telling: Telling = .nothing
  private var header: SessionHeader?
  private var counts = EventCounts()
  private var traffic: ShowText
  /// What waits for the end: all for JSON, the last few where only those are wanted.
  private var kept: [Entry] = []
  /// Exchanges that matched so far.
  public private(set) var matches = 0

  /// How the section at hand is told.
  private enum Telling {
    case nothing
    case ping(PingStory, PingText)
    case traffic(Story)
  }

  private enum Entry {
    case probe(ProbeResult)
    case exchange(Exchange)

    var exchange: Exchange {
      switch self {
      case .probe(let result): result.exchange
      case .exchange(let exchange): exchange
      }
    }
  }

  /// A report. `last` is how many exchanges to show at most, the newest; nil is all.
  public init(filter: ExchangeFilter, style: TextStyle, json: Bool = false, last: Int? = nil) {
    self.filter = filter
    self.style = style
    self.json = json
    self.last = last
    traffic = ShowText(style: style)
  }

  /// Takes in the next element; returns the lines to print now.
  public mutating func take(_ element: SessionDecoder.Element) -> [String] {
    switch element {
    case .header(let next):
      let lines = endSection()
      begin(next)
      return lines
    case .record(let record):
      return take(record)
    }
  }

  private mutating func begin(_ next: SessionHeader?) {
    header = header ?? next
    if let next, let plan = next.probe, let story = PingStory(header: next) {
      telling = .ping(story, PingText(plan: plan, style: style))
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
    }
  }

  /// Ends the section: what is still open is told as far as it went.
  private mutating func endSection() -> [String] {
    var lines: [String] = []
    switch telling {
    case .nothing: return []
    case .ping(var ping, _):
      for result in ping.finishReplay() { lines += add(.probe(result)) }
      counts.add(ping.story.counts)
      if case .ping(_, let text) = telling, !json, last == nil {
        lines += text.summary(ping.story.counts)
      }
    case .traffic(var story):
      for exchange in story.finish() { lines += add(.exchange(exchange)) }
      counts.add(story.counts)
    }
    telling = .nothing
    return lines
  }

  private mutating func add(_ entry: Entry) -> [String] {
    guard filter.matches(entry.exchange) else { return [] }
    matches += 1
    guard !json, last == nil else {
      kept.append(entry)
      if let last, kept.count > last { kept.removeFirst() }
      return []
    }
    return lines(entry)
  }

  private mutating func lines(_ entry: Entry) -> [String] {
    switch entry {
    case .exchange(let exchange): return traffic.lines(exchange)
    case .probe(let result):
      guard case .ping(let ping, var text) = telling else { return traffic.lines(result.exchange) }
      defer { telling = .ping(ping, text) }
      return text.add(result)
    }
  }

  /// What is left to print when all elements are in. `session` is the file's name.
  public mutating func finish(session: String?) -> [String] {
    let lines = endSection()
    guard json else { return lines + kept.flatMap { traffic.lines($0.exchange) } }
    let probes = kept.compactMap { if case .probe(let result) = $0 { result } else { nil } }
    return [
      JSONReport(allRules: style.allRules).run(
        header: header, command: "show", session: session, probes: probes.isEmpty ? nil : probes,
        journeys: kept.flatMap(\.exchange.journeys),
        findings: ProbeResult.findings(of: probes, counts), counts: counts
      ).pretty
    ]
  }
}
