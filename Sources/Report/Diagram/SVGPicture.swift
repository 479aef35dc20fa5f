internal import Trace

/// A diagram in lines, as the elements of an SVG (W3C, "Scalable Vector Graphics (SVG) 2"). Text is text, and looks
/// are classes, which `sheet` has for light and dark.
struct SVGPicture {
  /// Pixels from side to side.
  let width: Int
  private var elements: [String] = []
  private(set) var height = 0

  /// What was drawn, from the top down.
  var lines: [String] { elements }

  /// The picture of a diagram.
  init(_ diagram: Diagram, width: Int) {
    self.width = width
    let grid = DiagramGrid(
      diagram, width: width - 2 * Self.margin, gap: 1, by: Self.measure)
    let rows = placed(grid)
    drawLanes(rows, grid)
    drawWays(rows, grid)
    for row in rows { drawRow(row, grid) }
    if let axis = diagram.axis { drawScale(axis) }
    height += 6
  }

  private static let margin = 10
  /// Pixels from the way to the text, with what is left free of a side before and behind them.
  private static let measure = DiagramGrid.Measure(
    lead: 34, gap: 6, least: 40,
    text: { text, tone in
      switch tone {
      case .plain, .faint: LetterWidth.pixels(text, size: 11)
      case .title: LetterWidth.pixels(text, size: 12, isBold: true)
      case .way, .bad: LetterWidth.pixels(text, size: 11, isBold: true)
      }
    }, time: { LetterWidth.pixels($0, size: 10) })
  private static let rowHeight = 16
  private static let emptyHeight = 9

  private struct Placed {
    var row: DiagramGrid.Row
    /// Where it is drawn.
    var middle: Int
  }

  private mutating func placed(_ grid: DiagramGrid) -> [Placed] {
    height = 4
    return grid.rows.map { row in
      let size =
        switch row {
        case .opens(let name): name == nil ? 8 : 20
        case .closes: 10
        case .cells(let left, let right):
          Self.isEmpty(left) && Self.isEmpty(right) ? Self.emptyHeight : Self.rowHeight
        }
      defer { height += size }
      return Placed(row: row, middle: height + size / 2)
    }
  }

  private static func isEmpty(_ cell: DiagramGrid.Cell?) -> Bool {
    cell.map { $0.mark == .none && $0.text.isEmpty } ?? true
  }

  /// Where the way of a side is.
  private func way(_ isBack: Bool, _ grid: DiagramGrid) -> Int {
    Self.margin + 12 + (isBack ? (width - 2 * Self.margin) / 2 : 0)
  }

  /// Where the text of a side ends.
  private func end(_ isBack: Bool, _ grid: DiagramGrid) -> Int {
    grid.isTwoWay && !isBack ? width / 2 - 8 : width - Self.margin - 8
  }

  // MARK: What is drawn

  private mutating func drawLanes(_ rows: [Placed], _ grid: DiagramGrid) {
    var top = 0
    for row in rows {
      switch row.row {
      case .opens(let name):
        top = row.middle
        if let name { drawName(name, at: row.middle) }
      case .closes:
        elements.insert(
          "<rect class=\"lane\" x=\"\(Self.margin - 6)\" y=\"\(top)\" "
            + "width=\"\(width - 2 * Self.margin + 12)\" height=\"\(row.middle - top)\" rx=\"10\"/>",
          at: 0)
      case .cells: break
      }
    }
  }

  private mutating func drawName(_ name: String, at middle: Int) {
    func isTooWide(_ text: String) -> Bool {
      LetterWidth.pixels(text, size: 11, isBold: true) > width - 60
    }
    var text = name
    if isTooWide(text) {
      while isTooWide(text + "…"), !text.isEmpty { text.removeLast() }
      text += "…"
    }
    elements.append(
      "<text class=\"name\" x=\"\(width - 24)\" y=\"\(middle + 4)\">"
        + "\(Markup.escaped(Escape.text(text)))</text>")
  }

  private mutating func drawWays(_ rows: [Placed], _ grid: DiagramGrid) {
    for isBack in [false, true] {
      var from: Int?
      var last: Int?
      var path = ""
      func close() {
        if let from, let last, last > from {
          path += "M\(way(isBack, grid)) \(from)V\(last)"
        }
      }
      for row in rows {
        guard case .cells(let left, let right) = row.row else { continue }
        let cell = isBack ? right : left
        if cell?.isOnWay == true {
          from = from ?? row.middle
          last = row.middle
        } else {
          close()
          (from, last) = (nil, nil)
        }
      }
      close()
      if !path.isEmpty { elements.append("<path class=\"way\" d=\"\(path)\"/>") }
    }
  }

  private mutating func drawRow(_ row: Placed, _ grid: DiagramGrid) {
    guard case .cells(let left, let right) = row.row else { return }
    if let left { draw(left, at: row.middle, isBack: false, grid) }
    if let right { draw(right, at: row.middle, isBack: true, grid) }
  }

  private mutating func draw(
    _ cell: DiagramGrid.Cell, at y: Int, isBack: Bool, _ grid: DiagramGrid
  ) {
    let x = way(isBack, grid)
    drawMark(cell, x, y, isBack: isBack)
    if !cell.text.isEmpty {
      let isPort = cell.mark == .interface || cell.mark == .host
      let name = isPort ? "port" : Self.name(cell.tone)
      elements.append(
        "<text class=\"\(name)\" x=\"\(isPort ? x - 1 : x + 14)\" y=\"\(y + 4)\">"
          + "\(Markup.escaped(cell.text))</text>")
    }
    if !cell.aside.isEmpty {
      let from = x + Self.portWidth(cell.text) - 2
      elements.append(
        "<text class=\"aside\" x=\"\(from)\" y=\"\(y + 4)\">\(Markup.escaped(cell.aside))</text>")
    }
    if !cell.time.isEmpty {
      elements.append(
        "<text class=\"time\" x=\"\(end(isBack, grid))\" y=\"\(y + 4)\">"
          + "\(Markup.escaped(cell.time))</text>")
    }
  }

  private static func name(_ tone: DiagramGrid.Tone) -> String {
    switch tone {
    case .plain: "plain"
    case .title: "title"
    case .faint: "aside"
    case .way: "change"
    case .bad: "died"
    }
  }

  /// How wide what an interface is written in has to be.
  private static func portWidth(_ name: String) -> Int {
    LetterWidth.pixels(name, size: 11, isBold: true) + 18
  }

  private mutating func drawMark(_ cell: DiagramGrid.Cell, _ x: Int, _ y: Int, isBack: Bool) {
    switch cell.mark {
    case .none: break
    case .interface, .host:
      let size = Self.portWidth(cell.text)
      elements.append(
        "<rect class=\"\(cell.mark == .host ? "self" : "socket")\" x=\"\(x - 9)\" y=\"\(y - 9)\" "
          + "width=\"\(size)\" height=\"18\" rx=\"9\"/>")
    case .route:
      elements.append("<path class=\"dot\" d=\"M\(x) \(y - 6)l6 6-6 6-6-6z\"/>")
    case .hook: elements.append("<circle class=\"dot\" cx=\"\(x)\" cy=\"\(y)\" r=\"4\"/>")
    case .translated: elements.append("<circle class=\"ring\" cx=\"\(x)\" cy=\"\(y)\" r=\"5\"/>")
    case .outside: elements.append("<circle class=\"ring\" cx=\"\(x)\" cy=\"\(y)\" r=\"5\"/>")
    case .arrow:
      let shape = isBack ? "l6 9h-12z" : "l6-9h-12z"
      elements.append("<path class=\"dot\" d=\"M\(x) \(isBack ? y - 5 : y + 5)\(shape)\"/>")
    case .heading:
      let shape = isBack ? "M\(x + 5) \(y)h-10m4-4l-4 4 4 4" : "M\(x - 5) \(y)h10m-4-4l4 4-4 4"
      elements.append("<path class=\"sign\" d=\"\(shape)\"/>")
    case .stopped:
      elements.append(
        "<circle class=\"end\" cx=\"\(x)\" cy=\"\(y)\" r=\"8\"/>"
          + "<path class=\"cross\" d=\"M\(x - 3) \(y - 3)l6 6m0-6l-6 6\"/>")
    case .unseen:
      elements.append(
        "<circle class=\"ring\" cx=\"\(x)\" cy=\"\(y)\" r=\"7\"/>"
          + "<text class=\"sum\" x=\"\(x)\" y=\"\(y + 4)\">?</text>")
    }
  }

  /// How long it was on its way, and its answer: as bars below one another, on one scale.
  private mutating func drawScale(_ axis: Diagram.Axis) {
    let last = Double(max(axis.there.upperBound, axis.back?.upperBound ?? 0))
    let (from, to) = (Self.margin + 26, width - Self.margin - 8)
    func place(_ time: UInt64) -> Int {
      from + Int((Double(time) / last * Double(to - from)).rounded())
    }
    height += 14
    let bars = [axis.there] + (axis.back.map { [$0] } ?? [])
    for (index, bar) in bars.enumerated() {
      let (start, end) = (place(bar.lowerBound), place(bar.upperBound))
      let isBack = index > 0
      let x = Self.margin + 12
      let shape =
        isBack
        ? "M\(x + 5) \(height)h-10m4-4l-4 4 4 4" : "M\(x - 5) \(height)h10m-4-4l4 4-4 4"
      elements += [
        "<path class=\"sign\" d=\"\(shape)\"/>",
        "<path class=\"rule\" d=\"M\(from) \(height)H\(to)\"/>",
        "<rect class=\"bar\" x=\"\(start)\" y=\"\(height - 3)\" width=\"\(max(end - start, 3))\" "
          + "height=\"6\" rx=\"3\"/>",
      ]
      height += 12
    }
    height += 4
    elements += [
      "<text class=\"aside\" x=\"\(from)\" y=\"\(height)\">0</text>",
      "<text class=\"time\" x=\"\(to)\" y=\"\(height)\">\(Markup.escaped(axis.end))</text>",
    ]
    height += 4
  }

  // MARK: Looks

  /// How it looks, in light and dark, for the class `pic` of the picture.
  static let sheet = """
    .pic { font: 11px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
    .pic text { fill: #24292f } .pic .aside, .pic .time { fill: #5d6773 }
    .pic .time { text-anchor: end; font-size: 10px; font-variant-numeric: tabular-nums }
    .pic .title { font-weight: 600; font-size: 12px } .pic .port { font-weight: 600 }
    .pic .name { text-anchor: end; font-weight: 600; fill: #5d6773; stroke: #fff; stroke-width: 6px; paint-order: stroke }
    .pic .change { fill: #0a58ca; font-weight: 600 } .pic .died { fill: #c4001d; font-weight: 600 }
    .pic .sum { text-anchor: middle; font-weight: 700 } .pic .headline { font-size: 15px; font-weight: 600 }
    .pic .lane { fill: #f4f6f8; stroke: #d0d7de } .pic .way { fill: none; stroke: #0a58ca; stroke-width: 3; stroke-linecap: round }
    .pic .dot, .pic .bar { fill: #0a58ca } .pic .ring { fill: #fff; stroke: #0a58ca; stroke-width: 2.5 }
    .pic .socket { fill: #fff; stroke: #0a58ca; stroke-width: 1.5 } .pic .self { fill: #dbe7fb; stroke: #0a58ca; stroke-width: 1.5 }
    .pic .end { fill: #c4001d } .pic .cross { fill: none; stroke: #fff; stroke-width: 2.2; stroke-linecap: round }
    .pic .sign { fill: none; stroke: #24292f; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round }
    .pic .rule { stroke: #d0d7de; stroke-width: 1 } .pic .page { fill: #fff }
    """

  /// The same where it is dark.
  static let darkSheet = """
    .pic text { fill: #e6e9ec } .pic .aside, .pic .time { fill: #99a3ae }
    .pic .name { fill: #99a3ae; stroke: #14171b }
    .pic .change { fill: #7db0ff } .pic .died { fill: #ff7a70 }
    .pic .lane { fill: #1c2127; stroke: #363d45 } .pic .way { stroke: #5a9bff }
    .pic .dot, .pic .bar { fill: #5a9bff } .pic .ring { fill: #14171b; stroke: #5a9bff }
    .pic .socket { fill: #14171b; stroke: #5a9bff } .pic .self { fill: #1d3358; stroke: #5a9bff }
    .pic .end { fill: #f0453a } .pic .sign { stroke: #e6e9ec } .pic .rule { stroke: #363d45 } .pic .page { fill: #14171b }
    """
}
