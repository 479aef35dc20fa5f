internal import Trace

/// A session as one HTML file that needs nothing else: no script, no other file, no network. Each
/// exchange is its first line, which unfolds to the same text that a terminal shows.
struct HTMLPage: Renderer {
  private var text: ReportText
  private var title = "nftrace "
  private var isOpen = false
  private var provenance: [StyledLine] = []

  /// A page that looks so, as far as that is the style's to say.
  init(style: TextStyle) { text = ReportText(style: style) }

  var isForPeople: Bool { true }

  mutating func begin(_ head: ReportHead) {
    text.begin(head, withProvenance: true)
    provenance = text.takeProvenance()
    title = "nftrace \(head.session ?? "")"
  }

  mutating func beginProbes(_ plan: ProbePlan) { text.beginProbes(plan) }

  mutating func probe(_ result: ProbeResult) -> [String] {
    let lines = text.probe(result)
    return folded(lines, result.findings)
  }

  mutating func endProbes(_ counts: EventCounts) -> [String] { remark(text.endProbes(counts)) }

  mutating func exchange(_ exchange: Exchange) -> [String] {
    let lines = text.exchange(exchange)
    return folded(lines, exchange.findings)
  }

  /// Lines that belong to no exchange are always seen.
  mutating func remark(_ lines: [StyledLine]) -> [String] {
    let text = lines.drop { $0.isEmpty }
    return text.isEmpty ? [] : opening() + ["<pre>"] + text.map(Self.marked) + ["</pre>"]
  }

  mutating func finish(_ end: ReportEnd) -> [String] {
    remark(text.closing(end)) + opening() + ["</body>", "</html>"]
  }

  /// An exchange: the first of these lines is what is seen of it at first. One in which something
  /// failed unfolds by itself.
  private mutating func folded(_ lines: [StyledLine], _ findings: [Finding]) -> [String] {
    let lines = Array(lines.drop { $0.isEmpty })
    guard let first = lines.first else { return [] }
    let rest = lines.dropFirst().drop { $0.isEmpty }
    guard !rest.isEmpty else { return opening() + ["<p>\(Self.marked(first))</p>"] }
    let isUnfolded = findings.contains { $0.severity != .note }
    let summary = "<summary>\(Self.marked(first))</summary>"
    return opening() + ["<details\(isUnfolded ? " open" : "")>\(summary)", "<pre>"]
      + rest.map(Self.marked) + ["</pre></details>"]
  }

  private mutating func opening() -> [String] {
    if isOpen { return [] }
    isOpen = true
    let title = Self.marked(StyledLine(title))
    return [
      "<!DOCTYPE html>", "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\">",
      "<meta name=\"viewport\" content=\"width=device-width\">", "<title>\(title)</title>",
      "<style>\(Self.look)</style>", "</head>", "<body>", "<h1>\(title)</h1>",
    ] + provenance.map { "<p>\(Self.marked($0))</p>" }
  }

  private static let look = """
    :root { color-scheme: light dark }
    body { font: 15px/1.45 ui-monospace, monospace; margin: 2em auto; max-width: 52em; padding: 0 1em }
    h1 { font-size: 1.1em }
    summary { cursor: pointer }
    pre { font: inherit; margin: .7em 0 2em; overflow-x: auto }
    .bold { font-weight: bold } .dim { opacity: .6 }
    .red { color: light-dark(#b00020, #ff6b6b) } .green { color: light-dark(#006d32, #5dd39e) }
    .yellow { color: light-dark(#8a5a00, #e8b64c) }
    """

  /// A line in HTML's words: roles become classes, and whatever a name in it has of markup stays text.
  private static func marked(_ line: StyledLine) -> String {
    line.spans.reduce(into: "") { text, span in
      guard let look = look(span.role) else { return text += escaped(span.text) }
      text += "<span class=\"\(look)\">\(escaped(span.text))</span>"
    }
  }

  /// The class of a role, which the page's style sheet has.
  private static func look(_ role: StyledLine.Role) -> String? {
    switch role {
    case .plain: nil
    case .strong: "bold"
    case .faint: "dim"
    case .bad: "red"
    case .good: "green"
    case .caution: "yellow"
    }
  }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
  }
}
