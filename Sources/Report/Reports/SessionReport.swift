package import Trace

/// Tells a recorded session as its elements come in: exchanges as they close, in one of the formats. A
/// pure function of the session and the options. What is kept in memory is what may still go on, and the
/// last few if only those are asked for.
package struct SessionReport {
  private let filter: ExchangeFilter
  private let last: Int?
  private let session: String?
  private let namespaces: [Site]

  // How the section at hand is told: by one of these. Each is changed where it is, for to move a story to and fro costs
  // more than what most records do to it.
  private var ping: PingStory?
  private var traffic: Story?
  private var several: NamespacesStory?
  /// Whether it is the second: to ask a story whether it is there would copy it.
  private var isTraffic = false
  /// Of several, the latest time so far: of a record that has an earlier one, none passes.
  private var latest: UInt64 = 0
  private var header: SessionHeader?
  private var counts = EventCounts()
  private var renderer: any Renderer
  private var isBegun = false
  /// The last few, which wait for the end.
  private var kept: [Entry] = []
  /// Endings of recordings that are kept for the end.
  private static let mostEndings = 256
  /// Exchanges that matched so far.
  package private(set) var matches = 0
  /// Whether what is read ends before its time.
  private var isCut = false
  /// What counts messages about packets once all is told that was asked for of the section; nil before.
  var passing: PassedRecords?
  /// How recordings ended, as they say.
  private var endings: [Finding] = []

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

  /// What is told, beside the lines that tell it.
  package enum Told: Sendable {
    /// What follows is of the session of this header.
    case header(SessionHeader?)
    /// A probe.
    case probe(ProbeResult)
    /// Packets of recorded traffic.
    case exchange(Exchange)
  }

  /// How the clocks of several recordings differ from that of the first of `namespaces`.
  package var clocks: [ProbeResult.Clock] = []

  /// Who takes what is told as it is, as well.
  package var listener: ((Told) -> Void)?

  /// A report of the file `session` that `renderer` writes. `last` is how many exchanges to show at most, the newest; nil
  /// is all. `namespaces` are those whose traffic is told as one, where it is more than one.
  package init(
    filter: ExchangeFilter, renderer: any Renderer, last: Int? = nil, session: String? = nil,
    namespaces: [Site] = []
  ) {
    self.namespaces = namespaces
    if namespaces.count > 1 { several = NamespacesStory(namespaces: namespaces) }
    self.session = session
    self.filter = filter
    self.renderer = renderer
    self.last = last
  }

  /// The same in one of the formats there are.
  package init(
    filter: ExchangeFilter, style: TextStyle, format: ReportFormat = .text, last: Int? = nil,
    session: String? = nil, namespaces: [Site] = []
  ) {
    self.init(
      filter: filter, renderer: format.renderer(style), last: last, session: session,
      namespaces: namespaces)
  }

  /// Takes in the next element, of the namespace with this place among the names; those of several
  /// in the order of their times. Returns the lines to print now.
  package mutating func take(_ element: SessionDecoder.Element, from source: Int = 0) -> [String] {
    if several != nil {
      var closed: [Exchange]
      switch element {
      case .header(let next):
        note(next)
        closed = several!.begin(next, from: source)
      case .record(let record):
        noteEnding(record, of: source)
        closed = several!.take(record, from: source)
        latest = max(latest, record.time)
        closed += several!.pass(to: latest)
      }
      return closed.flatMap { add(.exchange($0)) }
    }
    switch element {
    case .header(let next):
      // The recorder's file was full and it began another one: packets on their way go on in it.
      if let old = traffic?.header, next?.continues(old) == true {
        return []
      }
      let lines = endSection()
      begin(next)
      return lines
    case .record(let record):
      noteEnding(record, of: source)
      return take(record)
    }
  }

  mutating func noteEnding(_ record: Record, of source: Int) {
    guard case .note(.ended(let end)) = record.content, endings.count < Self.mostEndings,
      let ended = Finding.ended(end)
    else { return }
    endings.append(namespaces.count > 1 ? ended.told(of: namespaces[source]) : ended)
  }

  /// The exchanges that close with the next element of recorded traffic; nil for another element.
  mutating func closed(by element: SessionDecoder.Element, from source: Int) -> [Exchange]? {
    guard isTraffic, case .record(let record) = element else { return nil }
    noteEnding(record, of: source)
    traffic!.take(record)
    return traffic!.closeIdle()
  }

  /// The next exchanges of what is left when all elements are in, so many as are told at once; none when all are told, or
  /// told otherwise.
  mutating func finishSome() -> [Exchange] {
    traffic?.finishSome() ?? several?.finishSome() ?? []
  }

  /// The lines of an exchange, if it is wanted.
  mutating func add(_ exchange: Exchange) -> [String] {
    guard !clocks.isEmpty else { return add(.exchange(exchange)) }
    // Records have been brought to the first one's clock already.
    let known = clocks.map(\.site) + namespaces.prefix(1)
    var exchange = exchange
    exchange.isByOneClock = exchange.journeys.allSatisfy { journey in
      journey.site.map { known.contains($0) } ?? false
    }
    return add(.exchange(exchange))
  }

  // MARK: Stories that are told elsewhere

  /// The stories of several places, for each to be told by itself; nil where there are not several.
  mutating func giveAway() -> [PlaceStory]? { several?.giveAway() }

  /// Takes in that a section begins in one of them.
  mutating func note(_ next: SessionHeader?) {
    header = header ?? next
    listener?(.header(header))
  }

  /// Takes in what was counted in a section of one of them.
  mutating func take(_ counts: EventCounts) { several?.take(counts) }

  /// Takes in what one of them has told. Returns the exchanges to tell.
  mutating func take(_ exchanges: [Exchange], from source: Int) -> [Exchange] {
    several?.take(exchanges, from: source) ?? []
  }

  /// Takes in that nothing that is still to come began before this. Returns the exchanges to tell.
  mutating func pass(horizon: UInt64) -> [Exchange] { several?.pass(horizon: horizon) ?? [] }

  // MARK: Sections

  private mutating func begin(_ next: SessionHeader?) {
    header = header ?? next
    listener?(.header(next))
    isCut = false
    if let next, let plan = next.probe, let story = PingStory(header: next) {
      ping = story
      // The last few are told when all sections are over.
      if last == nil {
        begin()
        renderer.beginProbes(plan)
      }
    } else {
      traffic = Story(header: next)
      traffic!.wanted = WantedExchanges(filter, last: last)
      isTraffic = true
    }
  }

  private mutating func take(_ record: Record) -> [String] {
    if let results = ping?.replay(record) { return results.flatMap { add(.probe($0)) } }
    traffic?.take(record)
    return traffic?.closeIdle().flatMap { add(.exchange($0)) } ?? []
  }

  /// The file ends here before its time.
  package mutating func cut() { isCut = true }

  /// Nothing more comes of this namespace, by its place among the names, while others may go on.
  /// Returns the lines to print now.
  package mutating func end(_ source: Int) -> [String] {
    several?.end(source).flatMap { add(.exchange($0)) } ?? []
  }

  /// All that there was up to this time, nanoseconds since the epoch, has been read: of a recording
  /// that goes on.
  package mutating func pass(to time: UInt64) -> [String] {
    traffic?.pass(to: time)
    return several?.pass(to: time).flatMap { add(.exchange($0)) } ?? []
  }

  /// Ends the section: what is still open is told as far as it went.
  private mutating func endSection() -> [String] {
    defer { (ping, traffic, several, isTraffic) = (nil, nil, nil, false) }
    if let passed = passing.take() {
      traffic?.take(passed)
      if let told = traffic?.counts { counts.add(told) }
      // What is still open was not asked for.
      return []
    }
    var lines: [String] = []
    if let results = ping?.finishReplay(isCut: isCut), let told = ping?.counts {
      for result in results { lines += add(.probe(result)) }
      counts.add(told)
      if last == nil {
        begin()
        lines += renderer.endProbes(told)
      }
    }
    if let rest = traffic?.finish() ?? several?.finish(),
      let told = traffic?.counts ?? several?.counts
    {
      for exchange in rest { lines += add(.exchange(exchange)) }
      counts.add(told)
    }
    return lines
  }

  private mutating func add(_ entry: Entry) -> [String] {
    guard filter.matches(entry.exchange) else { return [] }
    matches += 1
    // A number is one packet's in its section.
    if filter.packet != nil { passing = traffic?.passing }
    guard let last else { return lines(entry) }
    kept.append(entry)
    if kept.count > last { kept.removeFirst() }
    return []
  }

  private mutating func lines(_ entry: Entry) -> [String] {
    begin()
    switch entry {
    case .probe(let result):
      listener?(.probe(result))
      return renderer.probe(result)
    case .exchange(let exchange):
      listener?(.exchange(exchange))
      return renderer.exchange(exchange)
    }
  }

  /// With the first that is told, the first header is known.
  private mutating func begin() {
    if isBegun { return }
    isBegun = true
    renderer.begin(
      ReportHead(
        .show, header: header, session: session,
        sites: namespaces.isEmpty ? header?.sites ?? [] : namespaces))
  }

  /// What is left to print when all elements are in.
  package mutating func finish() -> [String] {
    var lines = endSection()
    for entry in kept { lines += self.lines(entry) }
    begin()
    var end = ReportEnd(counts: counts, findings: endings)
    end.clocks = clocks
    return lines + renderer.finish(end)
  }
}
