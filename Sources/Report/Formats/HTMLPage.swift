/// A session as one HTML file that needs nothing else: no script, no other file, no network. Each
/// exchange is its first line, which unfolds to the same text that a terminal shows.
struct HTMLPage {
  private var isOpen = false
  private let title: String

  /// A page with this title.
  init(title: String) { self.title = title }

  /// An exchange: the first of these lines is what is seen of it at first. One that failed unfolds
  /// by itself.
  mutating func add(_ lines: [Line], isOpen unfolded: Bool) -> [String] {
    let lines = Array(lines.drop { $0.isEmpty })
    guard let first = lines.first else { return [] }
    let rest = lines.dropFirst().drop { $0.isEmpty }
    let summary = "<summary>\(Self.marked(first))</summary>"
    guard !rest.isEmpty else { return begin() + ["<p>\(Self.marked(first))</p>"] }
    return begin() + ["<details\(unfolded ? " open" : "")>\(summary)", "<pre>"]
      + rest.map(Self.marked) + ["</pre></details>"]
  }

  /// Lines that belong to no exchange, and are always seen.
  mutating func add(_ lines: [Line]) -> [String] {
    let text = lines.drop { $0.isEmpty }
    return text.isEmpty ? [] : begin() + ["<pre>"] + text.map(Self.marked) + ["</pre>"]
  }

  /// The rest of the page.
  mutating func finish() -> [String] { begin() + ["</body>", "</html>"] }

  private mutating func begin() -> [String] {
    if isOpen { return [] }
    isOpen = true
    let title = Self.marked(Line(title))
    return [
      "<!DOCTYPE html>", "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\">",
      "<meta name=\"viewport\" content=\"width=device-width\">", "<title>\(title)</title>",
      "<style>\(Self.look)</style>", "</head>", "<body>", "<h1>\(title)</h1>",
    ]
  }

  private static let look = """
    :root { color-scheme: light dark }
    body { font: 15px/1.45 ui-monospace, monospace; margin: 2em auto; max-width: 52em; padding: 0 1em }
    h1 { font-size: 1.1em }
    summary { cursor: pointer }
    pre { font: inherit; margin: .7em 0 2em; overflow-x: auto }
    .bold { font-weight: bold } .dim { opacity: .6 }
    .red { color: light-dark(#b00020, #ff6b6b) } .green { color: light-dark(#006d32, #5dd39e) }
    .yellow { color: light-dark(#8a5a00, #e8b64c) } .cyan { color: light-dark(#006a80, #62c6d8) }
    """

  /// A line of a terminal in HTML's words: colours become classes, and whatever a name in it has of
  /// markup stays text.
  private static func marked(_ line: Line) -> String {
    var result = ""
    var isColored = false
    var rest = line.text[...]
    while let character = rest.first {
      if character == "\u{1b}" {
        // A line has nftrace's own colours, and no other escape sequence.
        let code = rest.dropFirst(2).prefix { $0 != "m" }
        rest = rest.dropFirst(code.count + 3)
        if isColored { result += "</span>" }
        let paint = TextStyle.Paint(rawValue: String(code))
        if let paint { result += "<span class=\"\(paint)\">" }
        isColored = paint != nil
        continue
      }
      rest = rest.dropFirst()
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return isColored ? result + "</span>" : result
  }
}
