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
  /// Whether a terminal shows it: then all lines are broken between words.
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

  /// Columns that are used even where a terminal has fewer.
  package static let leastWidth = 30

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

  /// The same for lines that are told so many columns further to the right.
  func indented(by columns: Int) -> TextStyle {
    var style = self
    style.width -= columns
    return style
  }

  var arrow: String { unicode ? "→" : "->" }
  var backArrow: String { unicode ? "←" : "<-" }
  var cross: String { unicode ? "✗" : "x" }
  var micro: String { unicode ? "µs" : "us" }
  var atMost: String { unicode ? "≤" : "<=" }
  var times: String { unicode ? "×" : "x" }
  var ellipsis: String { unicode ? "…" : "..." }

  /// Lines as a terminal takes them, with colours if they are used: broken between words where a terminal would break
  /// them anywhere. In a pipe they stay as they are, for `head -1` and `grep`.
  package func written(_ lines: [StyledLine]) -> [String] {
    lines.map {
      let line = unicode ? $0 : $0.inASCII
      return ANSI.text(isTerminal ? line.broken(at: width) : line, color: color)
    }
  }

  /// A command is there to be pasted: on a terminal that is too narrow for it, it is on several lines, which a shell
  /// reads as one. The first line stands behind `lead` columns, the others begin with `indent`.
  package func broken(command text: String, behind lead: Int, indent: String) -> [StyledLine] {
    guard isTerminal else { return [StyledLine(text, .command)] }
    return ShellWords.lines(text, width: width, behind: lead, indent: indent).map {
      StyledLine($0, .command)
    }
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
