package import Trace
internal import Wire

/// Tells traffic while it is recorded: exchanges as they close, in a format that can be read so. A pure function of what comes in and of the times that are told.
package struct FollowReport: Sendable {
  private let filter: ExchangeFilter
  private var style: TextStyle
  /// Exchanges that are told in full in a second, or lines of them; nil is all.
  private let rate: Int?
  private let isLines: Bool
  /// What was told, for who takes it as it is; nil where nobody does.
  private var kept: [SessionReport.Told]?
  /// Records before this time, nanoseconds since the epoch, tell of the surroundings alone.
  private let since: UInt64

  private let pace: Pace
  private var stories: NamespacesStory
  private var renderer: any Renderer
  private var summary = FollowSummary()
  private var folded = FoldedFlows()
  private var told = 0
  private var isKernelLog = false
  /// Connections of which something was told: where only what passed a device is, answers did not.
  private var connections: Set<UInt32> = []
  /// Lost events of which a line was told.
  private var lostTold = 0
  /// When the second began in which `told` are told, nanoseconds of any clock.
  private var second: UInt64 = 0

  /// A report. `rate` is how many exchanges a second are told in full at most; the others are told
  /// by flow. `namespaces` are those that are followed, where it is more than one. `pace` is how soon packets are told.
  package init(
    filter: ExchangeFilter, style: TextStyle, format: ReportFormat = .text, rate: Int? = nil,
    since: UInt64 = 0, namespaces: [Site] = [], pace: Pace = .whole
  ) {
    self.pace = pace
    stories = NamespacesStory(namespaces: namespaces, pace: pace)
    self.filter = filter
    self.style = style
    renderer = format.renderer(style)
    renderer.begin(ReportHead(.show, sites: namespaces))
    self.rate = renderer.isForPeople ? rate : nil
    isLines = format == .lines
    self.since = since
  }

  /// What is told from now on is kept as it is, as well: `takeTold` gives it.
  package mutating func keepTold() { kept = [] }

  /// What was told since this was asked last, where it is kept: all of it, also what was told by flow alone.
  package mutating func takeTold() -> [SessionReport.Told] {
    guard let told = kept, !told.isEmpty else { return [] }
    kept = []
    return told
  }

  /// What is told from now on is to look as `fitted` makes it look.
  package mutating func look(like fitted: (TextStyle) -> TextStyle) {
    let now = fitted(style)
    guard now.width != style.width || now.height != style.height else { return }
    style = now
    renderer.look(like: now)
  }

  /// Takes in the next element, of the namespace with this place among the names; returns the lines
  /// to print now.
  package mutating func take(_ element: SessionDecoder.Element, from source: Int = 0) -> [String] {
    switch element {
    case .header(let header):
      isKernelLog = header?.isKernelLog == true
      kept?.append(.header(header))
      return tell(stories.begin(header, from: source))
    case .record(let record):
      if record.time < since, !record.tellsOfSurroundings {
        stories.skip(record, from: source)
        return []
      }
      return tell(stories.take(record, from: source))
    }
  }

  /// Takes in what was done with a packet that was read from the diversion's device, `octets` as they
  /// were read: of what does not come back from there, nobody else tells what became of it.
  package mutating func take(_ fate: Interception.Fate, of octets: [UInt8]) {
    stories.take(fate, of: octets, from: 0)
  }

  /// Takes in that all there is was read at this time, nanoseconds since the epoch. It is to be
  /// told a few times a second.
  package mutating func pass(to now: UInt64) -> [String] {
    // What the recorder has not written yet may be older than this moment.
    let closed = stories.pass(to: now.earlier(by: pace.latency), patience: Self.patience)
    return tell(closed) + look(at: now)
  }

  /// Takes in that nothing more comes of a namespace.
  package mutating func end(_ source: Int) -> [String] { tell(stories.end(source)) }

  /// Tells what is still open, and sums up. The sum is among the lines in a format for people; beside
  /// others it is none of the results, and its `remarks` are for who runs the command.
  package mutating func finish() -> (lines: [String], remarks: [StyledLine]) {
    var lines = tell(stories.finish()) + renderer.remark(foldedLines)
    summary.counts = stories.counts
    let sum = summary.lines + (isKernelLog ? [StyledLine(Phrases.kernelLog)] : [])
    if renderer.isForPeople { lines += renderer.remark([""] + sum) }
    lines += renderer.finish(ReportEnd(counts: EventCounts()))
    return (lines, renderer.isForPeople ? [] : sum)
  }

  /// Exchanges a second that somebody can read on a terminal.
  package static let terminalRate = 20
  /// Lines a second that somebody can.
  package static let terminalLines = 50

  /// Nanoseconds that an exchange waits for those that began before it in other namespaces.
  private static let patience: UInt64 = 3_000_000_000
  private static let mostConnections = 65536

  private mutating func tell(_ exchanges: [Exchange]) -> [String] {
    var lines: [String] = []
    for exchange in exchanges {
      guard isWanted(exchange) else { continue }
      summary.add(exchange)
      kept?.append(.exchange(exchange))
      if let rate, told >= rate {
        folded.add(exchange)
      } else {
        let text = renderer.exchange(exchange)
        // A packet and its answer are one; what goes on for long is as many as it is long.
        told += isLines ? text.count : max(exchange.journeys.count / 2, 1)
        lines += text
      }
    }
    return lines
  }

  private mutating func isWanted(_ exchange: Exchange) -> Bool {
    let known = exchange.journeys.compactMap(\.connection?.id)
    guard filter.matches(exchange) || known.contains(where: connections.contains) else {
      return false
    }
    if filter.isOfDevice {
      if connections.count > Self.mostConnections { connections = [] }
      connections.formUnion(known)
    }
    return true
  }

  /// Tells, once a second, what was not told in full, and what is missing. `now` is in nanoseconds
  /// since the epoch; it is to be told a few times a second, whether or not all was read.
  package mutating func look(at now: UInt64) -> [String] {
    guard now >= second.later(by: 1_000_000_000) || now < second else { return [] }
    second = now
    told = 0
    defer { folded = FoldedFlows() }
    return renderer.remark(foldedLines) + lossLines()
  }

  private var foldedLines: [StyledLine] { isLines ? folded.line(style) : folded.lines(style) }

  private mutating func lossLines() -> [String] {
    let lost = stories.counts.lost
    guard lost > lostTold else { return [] }
    defer { lostTold = lost }
    return renderer.remark([
      "", "\(style.ellipsis) \(lost - lostTold) events were lost: more came than could be told",
    ])
  }
}
