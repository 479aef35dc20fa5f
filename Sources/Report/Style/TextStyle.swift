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
  /// Whether a terminal shows it: then the first line, too, is broken between words.
  package var isTerminal = false
  /// Whether to print every rule that was met, not only those that decided.
  package var allRules = false

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

  var arrow: String { unicode ? "→" : "->" }
  var backArrow: String { unicode ? "←" : "<-" }
  var cross: String { unicode ? "✗" : "x" }
  var micro: String { unicode ? "µs" : "us" }
  var ellipsis: String { unicode ? "…" : "..." }

  enum Paint: String, CaseIterable {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case cyan = "36"
  }

  /// A line in a colour, if colours are used.
  func paint(_ line: Line, _ paint: Paint) -> Line { color ? Line(line, in: paint) : line }

  /// Text in a colour, if colours are used.
  func paint(_ text: String, _ paint: Paint) -> Line { self.paint(Line(text), paint) }

  /// A first line, broken between words where a terminal would break it anywhere. In a pipe it stays
  /// one line, for `head -1`.
  func broken(_ line: Line) -> Line {
    isTerminal ? line.broken(at: width, next: "  ") : line
  }

  /// `texts` below one another, beside a label. What is too long is broken at the commas between
  /// what it says.
  func aligned(_ label: String, to column: Int, _ texts: [String]) -> [Line] {
    var lines: [String] = []
    for text in texts {
      var line = ""
      for part in text.split(separator: ", ") {
        if !line.isEmpty, column + line.count + 2 + part.count > width {
          lines.append(line + ",")
          line = String(part)
        } else {
          line += (line.isEmpty ? "" : ", ") + part
        }
      }
      lines.append(line)
    }
    let space = String(repeating: " ", count: column)
    return lines.enumerated().map {
      Line(($0.offset == 0 ? label + space.dropFirst(label.count) : space) + $0.element)
    }
  }
}
