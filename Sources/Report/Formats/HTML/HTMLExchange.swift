internal import Trace
internal import Wire

/// An exchange on a page: as a section with all there is to say of it and those that went the same way, and as a row
/// of the list.
struct HTMLExchange: Sendable {
  /// What it is called in the list.
  var number: String
  /// What became of it.
  var headline: StyledLine
  /// As whom was asked.
  var asker: StyledLine?
  var exchange: Exchange
  var findings: [Finding]
  /// What a search found, where no command is known to help.
  var found: ChangesFound?
  /// What routers wrote into it, where they were asked.
  var routers: RouterTrace?
  /// Whether it was lost.
  var isBad: Bool
  /// How many packets went this way, answers not counted.
  var count = 0
  /// How many exchanges these are.
  var exchanges = 0

  /// Packets of it that answer nothing.
  var asked: Int {
    max(1, exchange.journeys.count { $0.direction != .reply && $0.direction != .error })
  }

  /// Pixels that a picture is wide, on a phone as well.
  private static let width = 400

  // MARK: The section

  /// All of it. `isAlone` is whether nothing else is on the page, which then has its headline above.
  func section(path: Int, _ style: TextStyle, isAlone: Bool, isOpen: Bool) -> [String] {
    var lines: [String] = []
    if isAlone {
      lines.append("<section class=\"path\" id=\"path-\(path)\">")
    } else {
      let words = "\(count) packets"
      let times =
        count == 1
        ? ""
        : "<span class=\"count\" data-all=\"\(words)\" data-rows=\"\(exchanges)\">\(words)</span>"
      lines += [
        "<details class=\"path\(isBad ? " lost" : "")\" id=\"path-\(path)\"\(isOpen ? " open" : "")"
          + " data-rules=\"\(rules)\">",
        "<summary><span class=\"number\">path \(path)</span> \(Markup.html(headline)) \(times)</summary>",
      ]
      if exchanges > 1 {
        let anchor = exchange.journeys.first.map { "#packet-\($0.id)" } ?? "#packets"
        lines.append(
          "<p class=\"faint\">\(exchanges) went this way; this is the first, "
            + "<a href=\"\(anchor)\">\(number)</a>.</p>")
      }
      if let asker { lines.append("<p class=\"asker\">\(Markup.html(asker))</p>") }
    }
    lines += told(style)
    lines += ["<div class=\"sides\">"] + picture(style) + ["<div class=\"steps\">"]
    lines += steps(style, withAnchors: isAlone) + ["</div>", "</div>"]
    return lines + [isAlone ? "</section>" : "</details>"]
  }

  /// The rules that it met, with their places, in the form of an attribute: what the list is filtered by as well. No
  /// packet's own words are in it, for those of its kind have others.
  private var rules: String {
    var told: [String] = []
    for rule in exchange.journeys.flatMap({
      $0.way.legs.flatMap(\.rules) + [$0.end.decider?.rule].compactMap(\.self)
    }) {
      let words = EndText.name(rule)
      if !told.contains(words) { told.append(words) }
    }
    return Markup.escaped(Escape.text(told.joined(separator: "; ")))
  }

  /// The cause, the rule, the remedy; what a search found.
  private func told(_ style: TextStyle) -> [String] {
    let text = FindingText(style: style)
    let told = findings.map { ($0.severity, text.pieces($0)) }
    let searched = found.map { [(Finding.Severity.note, text.pieces($0))] } ?? []
    let blocks = (told + searched).map { severity, pieces in
      var lines = ["<dl class=\"finding \(severity.rawValue)\">"]
      for piece in pieces {
        let words = Markup.html(piece.text)
        if !piece.label.isEmpty { lines.append("<dt>\(piece.label)</dt>") }
        switch piece.kind {
        case .words: lines.append("<dd>\(words)</dd>")
        case .rule: lines.append("<dd><code>\(Markup.code(piece.text))</code></dd>")
        case .command:
          lines.append("<dd class=\"paste\"><code>\(Markup.code(piece.text))</code></dd>")
        }
      }
      return lines + ["</dl>"]
    }
    return blocks.flatMap { $0 }
  }

  private func picture(_ style: TextStyle) -> [String] {
    guard let diagram = Diagram(exchange.shown, style, isUnanswered: isBad) else { return [] }
    let drawn = SVGPicture(diagram, width: Self.width)
    return [
      "<svg class=\"pic\" role=\"img\" aria-label=\"the path as a picture\" "
        + "viewBox=\"0 0 \(Self.width) \(drawn.height)\">"
    ] + drawn.lines + ["</svg>"]
  }

  /// Timelines of most packets: it may be a walk of many.
  private static let mostTimelines = 64

  /// What happened to each packet, hook by hook.
  private func steps(_ style: TextStyle, withAnchors: Bool) -> [String] {
    let clocks = Timeline.Clocks(exchange)
    var lines: [String] = []
    var connections: Set<UInt32> = []
    var ways: Set<[String]> = []
    // What is in a list as well is told once.
    let rounds = Rounds(exchange.journeys)
    let journeys = exchange.journeys.enumerated().filter { index, journey in
      withAnchors
        ? !rounds.isTold(index)
        : ways.insert(PathKind.way(journey) + [Phrases.name(journey.packet)]).inserted
    }
    for (index, journey) in journeys.prefix(Self.mostTimelines) {
      let timeline = Timeline(journey, clocks, style)
      let anchor = withAnchors ? " id=\"packet-\(journey.id)\"" : ""
      lines.append("<h3\(anchor)>\(Markup.html(timeline.heading(journey)))</h3>")
      if style.verbosity == .verbose {
        let id = journey.connection?.id
        let text = ConnectionText(style: style).lines(
          journey, isTold: id.map { connections.contains($0) } ?? false)
        lines += text.map { "<p class=\"faint\">\(Markup.html($0))</p>" }
        if let id { connections.insert(id) }
      }
      lines += table(timeline, journey)
      if let again = rounds.again(index) {
        lines.append("<p class=\"faint\">\(again)</p>")
      }
    }
    let rest =
      exchange.journeys.count - min(journeys.count, Self.mostTimelines)
      - rounds.toldCount
    if rest > 0 { lines.append("<p class=\"faint\">and \(rest) more that went the same way</p>") }
    return lines + RouterText(style: style).html(routers)
  }

  private func table(_ timeline: Timeline, _ journey: Journey) -> [String] {
    let unit = timeline.style.time == .relative ? timeline.style.micro : "UTC"
    var lines = [
      "<table class=\"timeline \(timeline.style.time.rawValue)\">",
      "<thead><tr><th>\(unit)<th>hook<th>\(Timeline.passedTitle)<th></thead>", "<tbody>",
    ]
    for row in timeline.rows(journey) {
      let details = row.details.map { Markup.html(StyledLine($0)) }
      let kind = row.failed ? " class=\"bad\"" : row.translates ? " class=\"change\"" : ""
      lines.append(
        "<tr\(kind)><td>\(timeline.time(row))"
          + "<td>\(Markup.html(StyledLine(row.stage)))<td>\(Markup.html(StyledLine(row.passed)))"
          + "<td>\(details.joined(separator: "<br>"))")
    }
    return lines + ["</tbody>", "</table>"]
  }

  // MARK: The row

  /// The row of the list, up to the cell in which the section is named that tells its way.
  var row: String {
    let journeys = exchange.journeys
    let id = journeys.first.map { " id=\"packet-\($0.id)\"" } ?? ""
    let more = journeys.dropFirst().prefix(Self.mostAnchors).map {
      "<a id=\"packet-\($0.id)\"></a>"
    }
    let time = journeys.first.map { CalendarText.ofDay($0.time) } ?? ""
    return "<tr\(id)\(isBad ? " class=\"lost\"" : "")><td>\(number)\(more.joined())<td>\(time)"
      + "<td>\(Markup.html(headline))<td>"
  }

  private static let mostAnchors = 64
}
