internal import Trace

/// A diagram laid out in rows, for whoever draws it with letters or with lines: the packet's way goes down on the
/// left side, that of its answer up on the right.
struct DiagramGrid {
  /// A row of one side.
  struct Cell: Equatable {
    /// What is drawn on the way.
    var mark = Mark.none
    /// What is said beside it.
    var text = ""
    var tone = Tone.plain
    /// What is said behind that, more quietly.
    var aside = ""
    /// At the end of the row.
    var time = ""
    /// Whether the way comes past here.
    var isOnWay = true
  }

  /// What is drawn on the way.
  enum Mark: Equatable {
    case none, interface, host, route, hook, translated, stopped, unseen
    /// Somebody outside: the sender, or the receiver.
    case outside
    /// The way goes on to another place.
    case arrow
    /// What is told of below: which way it goes.
    case heading
  }

  /// How what is said looks.
  enum Tone: Equatable {
    case plain, title, faint, way, bad
  }

  /// What stands on one line.
  enum Row: Equatable {
    /// What both sides show; the second is missing where nothing answered.
    case cells(Cell?, Cell?)
    /// A namespace begins, and is called so.
    case opens(String?)
    /// It ends.
    case closes
  }

  /// How wide what is drawn is, in the units of who draws it: columns, or pixels.
  struct Measure: Sendable {
    /// Of a side, what is beside its text: the mark and what is left free, before it and behind.
    var lead: Int
    /// Between the text and what stands behind it in the row.
    var gap: Int
    /// What text has at least.
    var least: Int
    /// How wide text is, where it looks so.
    var text: @Sendable (String, Tone) -> Int
    /// How wide a time is.
    var time: @Sendable (String) -> Int

    /// Letters of a terminal: the mark, two spaces behind it, and two at the end.
    static let columns = Measure(
      lead: 5, gap: 1, least: 8, text: { text, _ in TextLayout.columns(text) },
      time: { TextLayout.columns($0) })
  }

  private(set) var rows: [Row] = []
  /// How wide each side is.
  let width: Int
  /// In which units, and how that is found out.
  let measure: Measure
  /// Whether there are two of them.
  let isTwoWay: Bool
  /// Empty rows between places.
  private let gap: Int
  /// What times are in.
  private let unit: String

  /// Lays out `diagram` on so many columns, or what else is measured, with `gap` empty rows between places.
  init(_ diagram: Diagram, width all: Int, gap: Int, by measure: Measure = .columns) {
    self.measure = measure
    isTwoWay = diagram.hasAnswer
    self.gap = gap
    unit = diagram.unit
    width = isTwoWay ? all / 2 : all
    let isTwoWay = isTwoWay
    let heads = [
      heading(diagram.lanes.lazy.compactMap(\.there).first),
      isTwoWay ? heading(diagram.lanes.lazy.compactMap(\.back).first) : [],
    ]
    for row in 0..<heads.map(\.count).max()! {
      rows.append(.cells(Self.cell(heads[0], row), Self.cell(heads[1], row)))
    }
    let first = diagram.lanes.first
    addOutside(first?.there?.from, first?.back?.to)
    for (place, lane) in diagram.lanes.enumerated() {
      rows.append(.opens(lane.name))
      let (there, back) = balanced(lane)
      for row in 0..<max(there.count, back.count) {
        rows.append(.cells(Self.cell(there, row), Self.cell(back, row)))
      }
      rows.append(.closes)
      if place + 1 < diagram.lanes.count {
        let next = diagram.lanes[place + 1]
        let arrow = Cell(mark: .arrow)
        rows.append(
          .cells(
            lane.there != nil && next.there != nil ? arrow : nil,
            lane.back != nil && next.back != nil ? arrow : nil))
      }
    }
    let last = diagram.lanes.last
    addOutside(
      last?.there?.to, last?.back?.from, isBelow: true, complaint: last?.there?.complaint)
  }

  private static func cell(_ cells: [Cell?], _ row: Int) -> Cell? {
    row < cells.count ? cells[row] : nil
  }

  private func heading(_ track: Diagram.Track?) -> [Cell] {
    guard let track else { return [] }
    return lines(track.packet, .title, .heading, time: unit).map { cell in
      var cell = cell
      cell.isOnWay = false
      return cell
    }
  }

  /// Who is outside, on both sides, and the way to or from there.
  private mutating func addOutside(
    _ there: String?, _ back: String?, isBelow: Bool = false, complaint: String? = nil
  ) {
    guard there != nil || back != nil || complaint != nil else { return }
    func cells(_ name: String?) -> [Cell?] {
      guard let name else { return [] }
      let lines = broken(name, .plain, to: width - measure.lead).enumerated().map { index, text in
        Cell(mark: index == 0 ? .outside : .none, text: text, isOnWay: index == 0 || !isBelow)
      }
      return isBelow ? [Cell(mark: .arrow)] + lines : lines + [Cell(mark: .arrow)]
    }
    var left = cells(there)
    let right = cells(back)
    if let complaint {
      left = left.map { cell in
        var cell = cell
        cell?.isOnWay = true
        return cell
      }
      left += lines(complaint, .bad, .stopped).map { $0 }
    }
    let count = max(left.count, right.count)
    // Arrows stand beside one another.
    func padded(_ cells: [Cell?]) -> [Cell?] {
      let empty = [Cell?](repeating: nil, count: count - cells.count)
      return isBelow ? cells + empty : empty + cells
    }
    for (left, right) in zip(padded(left), padded(right)) { rows.append(.cells(left, right)) }
  }

  // MARK: A namespace

  /// Both sides of a namespace, as high as one another.
  private func balanced(_ lane: Diagram.Lane) -> ([Cell?], [Cell?]) {
    let there = blocks(lane.there, isBack: false)
    let back = Array(blocks(lane.back, isBack: true).reversed())
    let height = max(Self.height(there, gap), Self.height(back, gap))
    return (
      stretched(there, to: height, endsBelow: lane.there?.isWhole == true, isBack: false),
      stretched(back, to: height, endsBelow: lane.back?.isWhole == true, isBack: true)
    )
  }

  private static func height(_ blocks: [[Cell]], _ gap: Int) -> Int {
    blocks.reduce(0) { $0 + $1.count } + max(0, blocks.count - 1) * gap
  }

  /// Blocks below one another. A way that ends within the host stays where it begins; another one is spread.
  private func stretched(
    _ blocks: [[Cell]], to height: Int, endsBelow: Bool, isBack: Bool
  ) -> [Cell?] {
    guard !blocks.isEmpty else { return [] }
    let missing = height - Self.height(blocks, gap)
    let gaps = blocks.count - 1
    var cells: [Cell?] = []
    for (index, block) in blocks.enumerated() {
      cells += block.map { $0 }
      guard index < gaps else { break }
      var room = gap
      if endsBelow { room += missing * (index + 1) / gaps - missing * index / gaps }
      cells += [Cell?](repeating: Cell(), count: room)
    }
    let empty = [Cell?](repeating: nil, count: max(0, height - cells.count))
    return isBack && !endsBelow ? empty + cells : cells + empty
  }

  /// The places of a way, each of some rows.
  private func blocks(_ track: Diagram.Track?, isBack: Bool) -> [[Cell]] {
    guard let track else { return [] }
    return track.stations.enumerated().map { index, station in
      block(
        station, isBack: isBack, isFirst: index == 0, isLast: index == track.stations.count - 1)
    }
  }

  private func block(
    _ station: Diagram.Station, isBack: Bool, isFirst: Bool, isLast: Bool
  ) -> [Cell] {
    let isEnd = station.isEnd
    var cells: [Cell] = []
    // Going up, what is below the title comes before it: the cross is on top.
    let mark: Mark = isEnd && (isBack || station.kind == .lost) ? .stopped : Self.mark(station.kind)
    let tone: Tone = station.kind == .lost ? .bad : .title
    cells += lines(station.title, tone, mark, time: station.time)
    var events = station.events
    if station.kind == .interface || station.kind == .host, cells.count == 1 {
      // What is said of the packet there has room beside the name, mostly.
      let aside = Escape.text(events.flatMap(\.notes).joined(separator: ", "))
      let used =
        measure.text(cells[0].text, tone) + measure.time(cells[0].time) + measure.gap * 4
      if used + measure.text(aside, .faint) <= width - measure.lead {
        cells[0].aside = aside
        events = []
      }
    }
    for event in events {
      if !event.tables.isEmpty {
        let mark: Mark =
          switch event.kind {
          case .passed: .none
          case .translated: .translated
          case .stopped: isBack ? .none : .stopped
          }
        let tone: Tone =
          switch event.kind {
          case .passed: .faint
          case .translated: .way
          case .stopped: .bad
          }
        cells += lines(
          Timeline.Row.joined(event.tables), tone, mark,
          time: event.time == station.time ? "" : event.time)
      }
      for (index, note) in event.notes.enumerated() {
        let tone: Tone =
          switch event.kind {
          case .passed: station.kind == .lost ? .bad : .faint
          case .translated: index == 0 ? .way : .faint
          case .stopped: .bad
          }
        cells += lines(note, tone, .none)
      }
    }
    // Where the way begins or ends, it does so at the mark.
    let stop = cells.firstIndex { $0.mark == .stopped || $0.mark == .unseen }
    for index in cells.indices {
      if let stop, isBack ? index < stop : index > stop { cells[index].isOnWay = false }
      if stop == nil, index > 0, isBack ? isFirst : isLast { cells[index].isOnWay = false }
    }
    return cells
  }

  private static func mark(_ kind: Diagram.Kind) -> Mark {
    switch kind {
    case .interface: .interface
    case .host: .host
    case .route: .route
    case .hook: .hook
    case .lost: .stopped
    case .unseen: .unseen
    }
  }

  /// Text on as many rows as it takes, with a mark before the first.
  private func lines(_ text: String, _ tone: Tone, _ mark: Mark, time: String = "") -> [Cell] {
    let room = width - measure.lead
    let first = time.isEmpty ? room : room - measure.time(time) - measure.gap
    // A name that has room without its time stays whole.
    if measure.text(text, tone) > first, measure.text(text, tone) <= room, !text.contains(" ") {
      return [
        Cell(mark: mark, text: Escape.text(text), tone: tone), Cell(text: "", time: time),
      ]
    }
    return broken(text, tone, to: max(first, measure.least)).enumerated().map { index, line in
      Cell(
        mark: index == 0 ? mark : .none, text: line, tone: tone, time: index == 0 ? time : "")
    }
  }

  private func broken(_ text: String, _ tone: Tone, to width: Int) -> [String] {
    Self.broken(text, to: width) { measure.text($0, tone) }
  }

  /// Text on lines of at most so much width, as `columns` measures it: between words, and within those that are longer.
  static func broken(
    _ text: String, to width: Int, by columns: (String) -> Int = { TextLayout.columns($0) }
  ) -> [String] {
    let text = Escape.text(text)
    guard columns(text) > width else { return [text] }
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      let longer = line.isEmpty ? String(word) : line + " " + word
      if columns(longer) <= width {
        line = longer
        continue
      }
      if !line.isEmpty { lines.append(line) }
      line = ""
      for character in word {
        if columns(line + String(character)) > width, !line.isEmpty {
          // Between the parts of an address or a name, if one of them ends late enough in the line.
          let end = line.lastIndex { ":_./-,".contains($0) }.map { line.index(after: $0) }
          let isLate = end.map { line.distance(from: line.startIndex, to: $0) * 2 > line.count }
          let cut = isLate == true ? end! : line.endIndex
          lines.append(String(line[..<cut]))
          line = String(line[cut...])
        }
        line.append(character)
      }
    }
    return lines + [line]
  }
}

extension Diagram.Track {
  /// Whether its way goes through to where it leaves, or is taken.
  fileprivate var isWhole: Bool {
    stations.last.map { $0.kind == .interface || $0.kind == .host } ?? false
  }
}
