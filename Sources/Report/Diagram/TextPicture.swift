internal import Wire

/// A diagram in letters, for a terminal.
struct TextPicture {
  let style: TextStyle

  /// The lines of it, as wide as the terminal at most.
  func lines(_ diagram: Diagram) -> [StyledLine] {
    // A frame, and a space on both sides.
    let inner = min(style.width, Self.widest) - 4
    let grid = DiagramGrid(
      style.unicode ? diagram : diagram.inASCII, width: inner, gap: 0)
    let signs = Signs(style)
    var lines: [StyledLine] = []
    var isInside = false
    for row in grid.rows {
      switch row {
      case .opens(let name):
        isInside = true
        let title = name.map { " \($0) " } ?? ""
        let shown = TextLayout.columns(title) > inner ? "" : title
        let rest = inner + 1 - TextLayout.columns(shown)
        lines.append(
          StyledLine(signs.topLeft + signs.level, .faint) + StyledLine(shown, .strong)
            + StyledLine(repeated(signs.level, rest) + signs.topRight, .faint))
      case .closes:
        isInside = false
        lines.append(
          StyledLine(
            signs.bottomLeft + repeated(signs.level, inner + 2) + signs.bottomRight, .faint))
      case .cells(let left, let right):
        let edge = isInside ? StyledLine(signs.upright, .faint) : StyledLine(" ")
        var line = edge + " " + cell(left, grid.width, signs, isBack: false)
        if grid.isTwoWay { line += cell(right, grid.width, signs, isBack: true) }
        let missing = inner - (grid.isTwoWay ? grid.width * 2 : grid.width)
        line += StyledLine(TextLayout.space(missing + 1)) + edge
        lines.append(line.trimmed)
      }
    }
    if let axis = diagram.axis { lines += [""] + scale(axis, inner, signs) }
    return lines
  }

  /// Wider than this, nothing gets clearer.
  private static let widest = 120

  private func repeated(_ sign: String, _ count: Int) -> String {
    String(repeating: sign, count: max(0, count))
  }

  private func cell(
    _ cell: DiagramGrid.Cell?, _ width: Int, _ signs: Signs, isBack: Bool
  ) -> StyledLine {
    guard let cell else { return StyledLine(TextLayout.space(width)) }
    let mark =
      cell.mark == .none && !cell.isOnWay ? StyledLine(" ") : signs.mark(cell.mark, isBack: isBack)
    let aside = cell.aside.isEmpty ? "" : "  " + cell.aside
    let used =
      DiagramGrid.Measure.columns.lead + TextLayout.columns(cell.text + aside)
      + TextLayout.columns(cell.time)
    return mark + TextLayout.space(3 - TextLayout.columns(mark.text))
      + StyledLine(cell.text, role(cell.tone)) + StyledLine(aside, .faint)
      + StyledLine(TextLayout.space(width - used)) + StyledLine(cell.time, .faint) + "  "
  }

  private func role(_ tone: DiagramGrid.Tone) -> StyledLine.Role {
    switch tone {
    case .plain: .plain
    case .title: .strong
    case .faint: .faint
    case .way: .good
    case .bad: .bad
    }
  }

  /// How long it was on its way, and its answer.
  private func scale(_ axis: Diagram.Axis, _ width: Int, _ signs: Signs) -> [StyledLine] {
    let room = width - TextLayout.columns(axis.end) - 6
    let last = Double(max(axis.there.upperBound, axis.back?.upperBound ?? 0))
    func column(_ time: UInt64) -> Int { Int(nearest: Double(time) / last * Double(room - 1)) }
    var kinds = [Int](repeating: 0, count: max(room, 1))
    for index in column(axis.there.lowerBound)...column(axis.there.upperBound) { kinds[index] = 1 }
    if let back = axis.back {
      for index in column(back.lowerBound)...column(back.upperBound) { kinds[index] = 2 }
    }
    let bar = kinds.map { [signs.rest, signs.busy, signs.busyBack][$0] }.joined()
    return [
      StyledLine("  0 ", .faint) + StyledLine(bar, .good) + StyledLine(" \(axis.end)", .faint)
    ]
  }

  /// The letters that are drawn with.
  private struct Signs {
    let isUnicode: Bool
    let style: TextStyle
    let topLeft, topRight, bottomLeft, bottomRight, level, upright: String
    let rest, busy, busyBack: String

    init(_ style: TextStyle) {
      self.style = style
      isUnicode = style.unicode
      (topLeft, topRight) = isUnicode ? ("╭", "╮") : ("+", "+")
      (bottomLeft, bottomRight) = isUnicode ? ("╰", "╯") : ("+", "+")
      (level, upright) = isUnicode ? ("─", "│") : ("-", "|")
      (rest, busy, busyBack) = isUnicode ? ("·", "━", "═") : (".", "=", "~")
    }

    func mark(_ mark: DiagramGrid.Mark, isBack: Bool) -> StyledLine {
      switch mark {
      case .none: StyledLine(isUnicode ? "┃" : "|", .good)
      case .interface: StyledLine(isUnicode ? "■" : "#", .good)
      case .host: StyledLine(isUnicode ? "■" : "#", .good)
      case .route: StyledLine(isUnicode ? "◆" : "<", .good)
      case .hook: StyledLine(isUnicode ? "●" : "o", .good)
      case .translated: StyledLine(isUnicode ? "◎" : "@", .good)
      case .outside: StyledLine(isUnicode ? "○" : "*", .good)
      case .arrow:
        StyledLine(isBack ? (isUnicode ? "▲" : "^") : (isUnicode ? "▼" : "v"), .good)
      case .heading: StyledLine(isBack ? style.backArrow : style.arrow, .strong)
      case .stopped: StyledLine(style.cross, .bad)
      case .unseen: StyledLine("?", .caution)
      }
    }
  }
}
