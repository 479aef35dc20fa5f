internal import Trace
internal import Wire

/// A journey as lines of text: the hooks as the backbone, the tables passed beside them, and what
/// changed where it changed.
struct Timeline {
  let style: TextStyle
  /// When the exchange began: times are counted from here. Nanoseconds since the epoch.
  let origin: UInt64
  /// How far the machine's clock was ahead of that, in nanoseconds.
  let clockStep: Int64
  /// Columns of the times, which all packets of an exchange have below one another.
  private var timeColumns: Int

  /// One line of the timeline, before it is laid out.
  struct Row {
    var time: UInt64?
    /// "≤" where `time` is no more than by when it was there.
    var bound: String = ""
    var stage: String = ""
    var tables: [String] = []
    var details: [String] = []
    var failed = false
    /// Where that is, for who draws it.
    var place = Place.end
    /// What is said of the packet at an interface, which `details` say with its name.
    var aside: [String] = []
    /// Whether addresses or ports are others from here on.
    var translates = false

    /// Whether nothing stands there, and nothing happened.
    var isEmpty: Bool { tables.isEmpty && details.isEmpty && !failed }

    /// The tables, on one line.
    var passed: String { Self.joined(tables) }

    /// Names on one line: those that are of several words have commas between them.
    static func joined(_ names: [String]) -> String {
      names.joined(separator: names.contains { $0.contains(" ") } ? ", " : " ")
    }

    /// A place that a packet comes to. Rows that go on with a hook have its place as well.
    enum Place: Sendable, Equatable {
      /// An interface's own hook, or what stands for it.
      case interface(String)
      /// This host itself: it made the packet, or took it.
      case host
      /// The routing decision.
      case route
      case hook(Hook)
      /// Where it was seen no more.
      case end
    }
  }

  /// From when on the times of an exchange's journeys are counted.
  struct Clocks {
    /// Whether all places have the times of one clock: what their kernel said itself has. What was read of
    /// them, which may have been late, has times of its own in each.
    let isOne: Bool
    private let first: UInt64
    private let firsts: [Site?: UInt64]

    init(_ exchange: Exchange) {
      isOne =
        exchange.isByOneClock
        || exchange.journeys.allSatisfy { $0.site == exchange.journeys.first?.site }
        || !exchange.journeys.contains { $0.site?.kind == .machine }
          && exchange.journeys.allSatisfy { $0.hops.contains { $0.clock != .reading } }
      first = exchange.journeys.first?.start ?? 0
      firsts = Dictionary(
        exchange.journeys.map { ($0.site, $0.start) }, uniquingKeysWith: { first, _ in first })
    }

    /// Nanoseconds since the epoch.
    func origin(_ journey: Journey) -> UInt64 { isOne ? first : firsts[journey.site] ?? 0 }
  }

  /// The timeline of one of the journeys whose clocks these are.
  init(_ journey: Journey, _ clocks: Clocks, _ style: TextStyle) {
    self.style = style
    origin = clocks.origin(journey)
    clockStep = journey.clockStep
    timeColumns = style.time.columns
  }

  /// An exchange as the style wants it: all its journeys, one below the other, or a picture. `isUnanswered` is
  /// whether an answer was waited for in vain.
  static func all(
    _ exchange: Exchange, _ style: TextStyle, isUnanswered: Bool = false
  ) -> [StyledLine] {
    if style.isDrawn {
      return Diagram(exchange, style, isUnanswered: isUnanswered).map {
        TextPicture(style: style).lines($0)
      } ?? []
    }
    var lines: [StyledLine] = []
    let clocks = Clocks(exchange)
    // There may be thousands of packets in one exchange.
    var toldConnections: Set<UInt32> = []
    let rounds = Rounds(exchange.journeys)
    let timeColumns = Self.timeColumns(exchange, clocks, style)
    for (index, journey) in exchange.journeys.enumerated() {
      if rounds.isTold(index) { continue }
      var timeline = Timeline(journey, clocks, style)
      timeline.timeColumns = timeColumns
      lines += lines.isEmpty ? [] : [""]
      lines.append(timeline.heading(journey))
      if style.verbosity == .verbose {
        let id = journey.connection?.id
        lines += ConnectionText(style: style).trace(journey)
        lines += ConnectionText(style: style).lines(
          journey, isTold: id.map { toldConnections.contains($0) } ?? false)
        if let id { toldConnections.insert(id) }
        lines.append("")
      }
      if index == 0 { lines.append(timeline.columns) }
      lines += timeline.toldRows(journey).flatMap(timeline.layout)
      if let again = rounds.again(index) {
        lines += timeline.layout(Row(details: [again]))
      }
    }
    return lines
  }

  /// Columns that the times of an exchange take: after seconds they are longer.
  private static func timeColumns(
    _ exchange: Exchange, _ clocks: Clocks, _ style: TextStyle
  ) -> Int {
    guard style.time == .relative else { return style.time.columns }
    let latest = exchange.journeys.reduce(UInt64(0)) { latest, journey in
      let last = journey.places.last?.time ?? 0
      return max(latest, journey.start.since(clocks.origin(journey)).later(by: last))
    }
    // One of them is for the mark of a bound.
    return max(style.time.columns, Phrases.microseconds(latest).count + 1)
  }

  /// What names stand below.
  static let passedTitle = "passed"

  /// Names of the columns.
  var columns: StyledLine {
    StyledLine(
      TextLayout.padded(from: timeColumns, style.time.title(style)) + "  "
        + TextLayout.padded("hook", to: Self.stageWidth)
        + Self.passedTitle, .faint)
  }

  // MARK: Heading

  /// What the packet is.
  func heading(_ journey: Journey) -> StyledLine {
    let packet = journey.packet
    let isBack = journey.direction == .reply || journey.direction == .error
    let arrow = isBack ? style.backArrow : style.arrow
    var words = "\(arrow) \(Phrases.name(packet))"
    words += "  \(Phrases.endpoint(packet, .source)) \(style.arrow) "
    words += Phrases.endpoint(packet, .destination)
    if let icmp = packet.icmp, icmp.isEchoRequest(packet.proto) || icmp.isEchoReply(packet.proto) {
      words += "  id \(icmp.identifier) seq \(icmp.sequence)"
    }
    if journey.isCopy { words += "  (a copy)" }
    if let site = journey.site { words += "  \(site.place)" }
    return StyledLine(words, .strong)
  }

  // MARK: Rows

  /// What there is to tell of it, line by line.
  func rows(_ journey: Journey) -> [Row] {
    var builder = RowBuilder(
      style: style, start: journey.start.since(origin), route: journey.route,
      hasStamps: journey.hops.contains { $0.clock == .kernel })
    var previous: Hop?
    for part in Rounds.parts(journey.way.legs) {
      for leg in part.legs {
        builder.add(leg, after: previous)
        previous = leg.hop
      }
      if let again = part.again { builder.addRounds(again) }
    }
    builder.finish(journey)
    return builder.rows
  }

  /// The same without hooks at which nothing stands and nothing happened, but for the last one.
  private func toldRows(_ journey: Journey) -> [Row] {
    let rows = rows(journey)
    guard style.verbosity != .verbose else { return rows }
    return rows.indices.filter { index in
      if case .hook = rows[index].place, rows[index].isEmpty, index + 1 < rows.count {
        return rows[index + 1].failed
      }
      return true
    }.map { rows[$0] }
  }

  // MARK: Layout

  private static let stageWidth = 13
  /// With fewer columns than that, there is little room beside the names of hooks: what does not fit goes on below them,
  /// from this column on.
  private static let (narrow, narrowAt) = (60, 12)
  private var tablesAt: Int { timeColumns + 2 + Self.stageWidth }
  /// Behind times that are long, details stand where the tables do.
  private var detailsAt: Int { style.time == .iso ? tablesAt : tablesAt + 11 }

  private func text(_ time: UInt64) -> String {
    style.time.text(origin.later(by: time).moved(by: clockStep)) ?? Phrases.microseconds(time)
  }

  /// The time of a row; empty where it has none.
  func time(_ row: Row) -> String { row.time.map { row.bound + text($0) } ?? "" }

  private func layout(_ row: Row) -> [StyledLine] {
    let time = time(row)
    var first =
      TextLayout.space(timeColumns - TextLayout.columns(time)) + StyledLine(time, .faint) + "  "
    // Spaces that colours enclose would stay at the end of a line.
    let isAlone = row.tables.isEmpty && row.details.isEmpty
    let stage = isAlone ? row.stage : TextLayout.padded(row.stage, to: Self.stageWidth)
    first += StyledLine(stage, row.failed ? .bad : .strong)
    let isNarrow = style.width < Self.narrow
    guard !row.tables.isEmpty else {
      if row.details.isEmpty { return [first.trimmed] }
      guard isNarrow else { return below(row.details, row, at: tablesAt, first) }
      let isBeside = tablesAt + TextLayout.columns(row.details[0]) <= style.width
      let head = isBeside ? first + paint(row.details[0], row) : first.trimmed
      return [head] + below(Array(row.details.dropFirst(isBeside ? 1 : 0)), row, at: Self.narrowAt)
    }
    if isNarrow, tablesAt + TextLayout.columns(row.passed) > style.width {
      return [first.trimmed] + below([row.passed] + row.details, row, at: Self.narrowAt)
    }
    // A ruleset of many base chains: the names go on below, and what happened below them.
    let tables = wrapped(row.passed, style.width - tablesAt)
    var lines = [first + tables[0]]
    lines += tables.dropFirst().map { StyledLine(TextLayout.space(tablesAt) + $0) }
    var details = row.details[...]
    let beside = max(detailsAt, tablesAt + TextLayout.columns(tables[0]) + 2)
    if tables.count == 1, let detail = details.first,
      beside + TextLayout.columns(detail) <= style.width
    {
      let gap = TextLayout.space(beside - tablesAt - TextLayout.columns(tables[0]))
      lines[0] = lines[0] + gap + paint(details.removeFirst(), row)
    }
    return lines.map(\.trimmed)
      + below(Array(details), row, at: isNarrow ? Self.narrowAt : tablesAt + 2)
  }

  /// Details of a row, each line beginning at this column, behind `first` or spaces.
  private func below(
    _ details: [String], _ row: Row, at column: Int, _ first: StyledLine? = nil
  ) -> [StyledLine] {
    details.flatMap { wrapped($0, style.width - column) }.enumerated().map { index, detail in
      let lead = index == 0 ? first : nil
      return (lead ?? StyledLine(TextLayout.space(column))) + paint(detail, row)
    }
  }

  private func paint(_ detail: String, _ row: Row) -> StyledLine {
    row.failed ? StyledLine(detail, .bad) : StyledLine(detail)
  }

  private func wrapped(_ text: String, _ width: Int) -> [String] {
    TextLayout.wrapped(text, to: width, hanging: "  ")
  }
}
