internal import Trace
internal import Wire

extension FlowTable {
  /// What a row of the table tells: a flow, or those to several ports of one host that fared the same.
  private struct Row {
    var key: Key
    var flow: Flow
    /// How many other ports there are.
    var others = 0
  }

  /// Flows that fared alike, none of them well, are one row from so many on: a scan of ports is one thing.
  private static let alike = 4

  /// Which flows make a row together: those that differ in the port alone.
  private struct Likeness: Hashable {
    var proto: IPProtocol
    var source: IPAddress
    var destination: IPAddress
    var fates: [String]

    /// nil for a flow that stands for itself: one that was answered.
    init?(_ key: Key, _ flow: Flow) {
      guard key.port != nil, flow.answers == 0 || flow.fates.count > 0 else { return nil }
      proto = key.proto
      source = key.source
      destination = key.destination
      fates = flow.fates.ordered.map(\.words)
    }
  }

  private var rows: [Row] {
    let ordered = ordered
    var counts: [Likeness: Int] = [:]
    for (key, flow) in ordered {
      if let likeness = Likeness(key, flow) { counts[likeness, default: 0] += 1 }
    }
    var rows: [Row] = []
    var places: [Likeness: Int] = [:]
    for (key, flow) in ordered {
      let likeness = Likeness(key, flow).flatMap { counts[$0]! >= Self.alike ? $0 : nil }
      if let likeness, let place = places[likeness] {
        rows[place].flow.add(flow)
        rows[place].others += 1
      } else {
        if let likeness { places[likeness] = rows.count }
        rows.append(Row(key: key, flow: flow))
      }
    }
    return rows.enumerated().sorted {
      ($1.element.flow.lost, $1.element.flow.packets, $0.offset)
        < ($0.element.flow.lost, $0.element.flow.packets, $1.offset)
    }.map(\.element)
  }

  /// The table, with so many rows at most.
  func lines(_ style: TextStyle, most: Int = .max) -> [StyledLine] {
    let rows = rows
    if rows.isEmpty { return [] }
    let layout = Layout(style)
    var lines = [layout.head]
    for row in rows.prefix(most) { lines += layout.lines(row) }
    let hidden = rows.dropFirst(most).reduce(0) { $0 + 1 + $1.others }
    if hidden > 0 { lines.append("\(style.ellipsis) and \(hidden) more flows: --flows tells all") }
    if others.packets > 0 {
      lines.append("\(style.ellipsis) and \(others.packets) requests of flows beyond these")
    }
    return lines
  }

  /// Where what stands.
  private struct Layout {
    let style: TextStyle
    private let time: Int
    /// Whether there is room for one time alone.
    private var isNarrow: Bool { style.width < 60 }

    init(_ style: TextStyle) {
      self.style = style
      time = max(Self.time(0, style).count, 10)
    }

    private static func time(_ time: UInt64, _ style: TextStyle) -> String {
      style.time == .iso ? CalendarText.iso(time) : String(CalendarText.ofDay(time).prefix(8))
    }

    /// Where what belongs to a row goes on below it.
    private static let below = 27

    var head: StyledLine {
      let times =
        isNarrow
        ? TextLayout.padded("last, UTC", to: max(Self.time(0, style).count, 9))
        : TextLayout.padded("first, UTC", to: time) + "  "
          + TextLayout.padded("last", to: Self.time(0, style).count)
      return StyledLine("requests  answers    lost  " + times + "  flow", .faint)
    }

    func lines(_ row: Row) -> [StyledLine] {
      let flow = row.flow
      let numbers =
        TextLayout.padded(from: 8, "\(flow.packets)") + " "
        + TextLayout.padded(from: 8, "\(flow.answers)") + " "
      let times =
        (isNarrow ? "" : TextLayout.padded(Self.time(flow.first, style), to: time) + "  ")
        + Self.time(flow.last, style) + "  "
      let lost = StyledLine(
        TextLayout.padded(from: 7, "\(flow.lost)"), flow.lost > 0 ? .bad : .plain)
      let first = StyledLine(numbers) + lost + "  " + times
      let more = row.others == 0 ? "" : " and \(row.others) other ports"
      let text = row.key.text(style) + more
      let isBeside =
        TextLayout.columns(first.text) + TextLayout.columns(text) <= style.width
      let below = isBeside ? [] : indented(text).map { StyledLine($0, .strong) }
      let way = flow.sites.isEmpty ? [] : indented(flow.sites.words(joinedBy: " \(style.arrow) "))
      return [isBeside ? first + text : first.trimmed] + below + way.map { StyledLine($0, .faint) }
        + fates(flow).flatMap { indented($0).map { StyledLine($0) } }
    }

    /// The ends that most packets had, a line each.
    private func fates(_ flow: Flow) -> [String] {
      let ends = flow.fates.ordered
      let shown = ends.prefix(Self.mostFates)
      let rest = ends.dropFirst(Self.mostFates).reduce(flow.fates.others) { $0 + $1.count }
      return shown.map { "\($0.count) \($0.words)" }
        + (rest > 0 ? ["\(rest) for other reasons: --lost tells them"] : [])
    }

    private static let mostFates = 3

    /// Text below the numbers; further to the left, where a word would have no room.
    private func indented(_ text: String) -> [String] {
      let widest = text.split(separator: " ").map { TextLayout.columns($0) + 2 }.max() ?? 0
      let column = Self.below + max(widest, 30) <= style.width ? Self.below : 6
      return TextLayout.wrapped(text, to: style.width - column, hanging: "  ").map {
        TextLayout.space(column) + $0
      }
    }
  }
}
