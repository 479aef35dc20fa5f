/// How text is to look: decided by who knows the terminal.
package struct TextStyle: Sendable {
  /// Columns to use.
  package var width: Int
  /// Whether to use ANSI colours.
  package var color: Bool
  /// Whether characters beyond ASCII may be used.
  package var unicode: Bool
  /// How much to print.
  package var verbosity: Verbosity
  /// Rows of the terminal that shows it; nil where there is none, or it does not say.
  package var height: Int?
  /// Whether a terminal shows it: then the first line, too, is broken between words.
  package var isTerminal = false
  /// Whether to print every rule that was met, not only those that decided.
  package var allRules = false
  /// Whether pictures stand in the place of timelines.
  package var isDrawn = false
  /// How times are told.
  package var time = TimeStyle.relative

  /// How much to print.
  package enum Verbosity: Sendable {
    case quiet, normal, verbose
  }

  /// A style of these fields.
  package init(
    width: Int = 80, color: Bool = false, unicode: Bool = true, verbosity: Verbosity = .normal
  ) {
    self.width = width
    self.color = color
    self.unicode = unicode
    self.verbosity = verbosity
  }

  /// The same for a page, which has a width and letters of its own.
  var forPages: TextStyle {
    var style = self
    (style.width, style.color, style.unicode, style.isTerminal) = (80, false, true, false)
    style.height = nil
    style.isDrawn = false
    if style.verbosity == .quiet { style.verbosity = .normal }
    return style
  }

  var arrow: String { unicode ? "→" : "->" }
  var backArrow: String { unicode ? "←" : "<-" }
  var cross: String { unicode ? "✗" : "x" }
  var micro: String { unicode ? "µs" : "us" }
  var atMost: String { unicode ? "≤" : "<" }
  var times: String { unicode ? "×" : "x" }
  var ellipsis: String { unicode ? "…" : "..." }

  /// Lines as a terminal takes them, with colours if they are used.
  package func written(_ lines: [StyledLine]) -> [String] {
    lines.map { ANSI.text($0, color: color) }
  }

  /// A first line, broken between words where a terminal would break it anywhere. In a pipe it stays
  /// one line, for `head -1`.
  func broken(_ line: StyledLine) -> StyledLine {
    isTerminal ? line.broken(at: width, next: "  ") : line
  }

  /// `texts` below one another, beside a label. What is too long is broken at the commas between
  /// what it says.
  func aligned(_ label: String, to column: Int, _ texts: [String]) -> [StyledLine] {
    let lines = texts.flatMap { TextLayout.wrapped($0, to: width - column, at: ", ") }
    return lines.enumerated().map { index, line in
      StyledLine(TextLayout.padded(index == 0 ? label : "", to: column) + line)
    }
  }
}
