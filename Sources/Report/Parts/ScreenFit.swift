/// Keeps a ping's report on the screen: where it would be a few lines too high, empty ones in it go; where it is higher
/// still, what came of it is told again at its end.
struct ScreenFit: Sendable {
  /// Lines that the report may have; nil where nobody knows.
  private var rows: Int?
  private var width: Int
  private let arrows: [String]
  /// Whether the empty line above the sum goes as well.
  private var isDense = false
  private var headline: StyledLine?

  /// Lines behind a probe: an empty one and the sum.
  private static let closing = 2

  init(_ style: TextStyle) {
    // The command above has a line as well, and the next prompt.
    rows = style.height.map { $0 - 2 }
    width = max(style.width, 1)
    arrows = [style.arrow, style.backArrow]
  }

  /// The terminal has another size.
  mutating func look(like style: TextStyle) {
    let fit = ScreenFit(style)
    (rows, width) = (fit.rows, fit.width)
  }

  /// The lines of the only probe.
  mutating func probe(_ lines: [StyledLine]) -> [StyledLine] {
    guard let rows else { return lines }
    // What is too wide takes several rows, and so does a word that is.
    let height = lines.reduce(0) { sum, line in
      line.broken(at: width).text.split(separator: "\n", omittingEmptySubsequences: false).reduce(
        sum
      ) {
        $0 + max(1, (TextLayout.columns($1) + width - 1) / width)
      }
    }
    var excess = height + Self.closing - rows
    guard excess > 0 else { return lines }
    // Those that matter least go first: below the head of a packet, above the sum, then from the top.
    let empty = lines.indices.filter { lines[$0].text.isEmpty }
    let belowHeads = empty.filter { place in
      place > 0 && arrows.contains { lines[place - 1].text.hasPrefix($0) }
    }
    guard excess <= empty.count + 1 else {
      headline = lines.first
      return lines
    }
    isDense = excess > belowHeads.count
    if isDense { excess -= 1 }
    let order = belowHeads.reversed() + empty.filter { !belowHeads.contains($0) }
    let dropped = order.prefix(excess)
    return lines.indices.filter { !dropped.contains($0) }.map { lines[$0] }
  }

  /// The lines that end the report.
  func closing(_ lines: [StyledLine]) -> [StyledLine] {
    let shown = isDense && lines.first?.text.isEmpty == true ? Array(lines.dropFirst()) : lines
    return shown + [headline].compactMap(\.self)
  }
}
