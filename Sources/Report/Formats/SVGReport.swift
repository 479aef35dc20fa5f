internal import Trace

/// What was seen as one picture that stands by itself, for wikis: of each kind of way one diagram, below the line
/// that says what came of it.
struct SVGReport: Renderer {
  private let style: TextStyle
  private var plan: ProbePlan?
  private var provenance: [StyledLine] = []
  private var kinds: [PathKind: Int] = [:]
  private var pictures: [Picture] = []
  private var others = 0

  private struct Picture {
    var headline: String
    var diagram: Diagram
    var count = 1
  }

  private static let width = 640
  /// A picture of more says nothing at a glance.
  private static let most = 12

  /// A picture, whatever a terminal can show.
  init(style: TextStyle) {
    self.style = style.forPages
  }

  var isForPeople: Bool { true }

  mutating func begin(_ head: ReportHead) { provenance = Provenance(head)?.lines(style) ?? [] }

  mutating func beginProbes(_ plan: ProbePlan) { self.plan = plan }

  mutating func probe(_ result: ProbeResult) -> [String] {
    let kind = PathKind(result.exchange, result.findings, outcome: result.outcome)
    let headline = plan.map { Headline(style: style).quietLine(result, plan: $0) }
    add(
      result.exchange, kind, headline ?? Headline.traffic(result.exchange, style),
      isUnanswered: result.outcome == .lost)
    return []
  }

  mutating func exchange(_ exchange: Exchange) -> [String] {
    let cut = exchange.shown
    add(cut, PathKind(cut, cut.findings), Headline.traffic(cut, style))
    return []
  }

  private mutating func add(
    _ exchange: Exchange, _ kind: PathKind, _ headline: StyledLine, isUnanswered: Bool = false
  ) {
    if let place = kinds[kind] {
      pictures[place].count += 1
    } else if pictures.count == Self.most {
      others += 1
    } else if let diagram = Diagram(exchange, style, isUnanswered: isUnanswered) {
      kinds[kind] = pictures.count
      pictures.append(Picture(headline: headline.text, diagram: diagram))
    }
  }

  mutating func finish(_ end: ReportEnd) -> [String] {
    var elements: [String] = []
    var height = 12
    func add(_ text: String, _ name: String, _ size: Int) {
      let room = Self.width - 20
      let lines = DiagramGrid.broken(text, to: room) {
        LetterWidth.pixels($0, size: size, isBold: name == "headline")
      }
      for line in lines {
        height += size + 4
        elements.append(
          "<text class=\"\(name)\" x=\"10\" y=\"\(height)\">\(Markup.escaped(line))</text>")
      }
    }
    for picture in pictures {
      add(picture.headline, "headline", 15)
      if picture.count > 1 { add("\(picture.count) times", "aside", 11) }
      let drawn = SVGPicture(picture.diagram, width: Self.width)
      height += 8
      elements.append("<g transform=\"translate(0 \(height))\">")
      elements += drawn.lines
      elements.append("</g>")
      height += drawn.height + 12
    }
    if pictures.isEmpty { add("no packet was seen", "headline", 15) }
    if others > 0 { add("and \(others) more, other ways", "aside", 11) }
    for line in provenance { add(line.text, "aside", 11) }
    height += 12
    let label = Markup.escaped(Escape.text(pictures.first?.headline ?? "nftrace"))
    return [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"pic\" role=\"img\" "
        + "viewBox=\"0 0 \(Self.width) \(height)\" width=\"\(Self.width)\" height=\"\(height)\">",
      "<title>\(label)</title>", "<style>", SVGPicture.sheet,
      "@media (prefers-color-scheme: dark) {", SVGPicture.darkSheet, "}", "</style>",
      "<rect class=\"page\" width=\"\(Self.width)\" height=\"\(height)\"/>",
    ] + elements + ["</svg>"]
  }
}

extension Exchange {
  /// It, or a packet of it with what follows it, where it goes on for long: what was lost, if anything.
  var shown: Exchange {
    guard journeys.count > Self.mostShown, Set(journeys.map(\.site)).count == 1 else {
      return self
    }
    let lost = journeys.firstIndex { $0.end.isLost }
    let place = lost ?? 0
    var exchange = self
    exchange.journeys = Array(journeys[place...].prefix(2))
    if exchange.journeys.last?.direction == journeys[place].direction {
      exchange.journeys.removeLast(exchange.journeys.count - 1)
    }
    return exchange
  }

  /// Packets of an exchange that are told one by one.
  static let mostShown = 8
}
