internal import Trace
internal import Wire

/// A session as one HTML file to attach to a ticket: it needs no other file and no network. Of exchanges that went
/// the same way one is told, with a picture; all are in a list, which a small script filters and sorts. Without the
/// script all is there as well.
struct HTMLPage: Renderer {
  private let style: TextStyle
  private var text: ReportText
  private var head: ReportHead?
  private var summary = FollowSummary()
  private var kinds: [PathKind: Int] = [:]
  private var told: [HTMLExchange] = []
  private var rows: [Row] = []
  /// Exchanges of kinds, and in all, that are not told for there are too many.
  private var otherKinds = 0
  private var otherRows = 0
  private var remarks: [StyledLine] = []
  private var hasTraffic = false
  /// Whom the probes of the first plan ask.
  private var target: String?

  /// A row of the list.
  private struct Row {
    /// The number of the packet.
    var id: Int
    var text: String
    /// The place of its kind.
    var path: Int?
  }

  /// Kinds of ways that are told, and rows of the list: a page of more is one that no browser likes.
  private static let mostKinds = 100
  private static let mostRows = 50_000

  /// A page of what a style wants to be told; it looks its own way.
  init(style: TextStyle) {
    self.style = style.forPages
    text = ReportText(style: style.forPages)
  }

  var isForPeople: Bool { true }

  mutating func begin(_ head: ReportHead) {
    text.begin(head)
    _ = text.takeProvenance()
    self.head = head
  }

  mutating func beginProbes(_ plan: ProbePlan) {
    text.beginProbes(plan)
    target = target ?? plan.target
  }

  mutating func probe(_ result: ProbeResult) -> [String] {
    let words = text.count(result)
    let isBad = ![.replied, .sent, .unknown].contains(result.outcome)
    let headline = words?.headline ?? Headline.traffic(result.exchange, style)
    add(
      HTMLExchange(
        number: "\(result.sequence)", headline: headline, asker: words?.asker,
        exchange: result.exchange, findings: result.findings,
        found: result.isWithoutRemedy ? result.found : nil, routers: result.routers, isBad: isBad),
      PathKind(result.exchange, result.findings, outcome: result.outcome))
    return []
  }

  mutating func endProbes(_ counts: EventCounts) -> [String] {
    remarks += text.endProbes(counts)
    return []
  }

  mutating func exchange(_ exchange: Exchange) -> [String] {
    hasTraffic = true
    summary.add(exchange)
    text.count(exchange)
    for part in exchange.parts {
      let isBad = part.journeys.contains { $0.end.isLost }
      let findings = part.findings.filter { $0.isTold(style) }
      guard let first = part.journeys.first else { continue }
      add(
        HTMLExchange(
          number: "\(first.id)", headline: Headline.traffic(part, style), asker: nil,
          exchange: part, findings: findings, found: nil, isBad: isBad),
        PathKind(part, findings))
    }
    return []
  }

  /// Lines that belong to no exchange.
  mutating func remark(_ lines: [StyledLine]) -> [String] {
    remarks += lines
    return []
  }

  private mutating func add(_ exchange: HTMLExchange, _ kind: PathKind) {
    if kinds[kind] == nil, told.count < Self.mostKinds {
      kinds[kind] = told.count
      told.append(exchange)
    }
    if let place = kinds[kind] {
      told[place].count += exchange.asked
      told[place].exchanges += 1
    } else {
      otherKinds += exchange.asked
    }
    guard rows.count < Self.mostRows else {
      otherRows += 1
      return
    }
    let id = exchange.exchange.journeys.first?.id ?? 0
    rows.append(Row(id: id, text: exchange.row, path: kinds[kind]))
  }

  mutating func finish(_ end: ReportEnd) -> [String] {
    let isAlone = rows.count <= 1
    summary.counts = end.counts
    var closing = (hasTraffic ? summary.lines : []) + remarks + text.closing(end)
    // The heading of statistics as ping(8) has them says no more than the page does.
    closing = closing.filter { !$0.isEmpty && !$0.text.hasPrefix("--- ") }
    let sum = closing.first.map { line in target.map { "\($0): \(line)" } ?? line }
    let verdict = isAlone ? told.first?.headline : sum
    var lines = HTMLFrame.opening(
      title: verdict.map { StyledLine($0.text + " · nftrace") } ?? title)
    lines += header(verdict)
    lines.append("<main>")
    let ordered = ordered
    for (number, place) in ordered.enumerated() {
      lines += told[place].section(
        path: number + 1, style, isAlone: isAlone, isOpen: told[place].isBad || told.count <= 3)
    }
    if otherKinds > 0 { lines.append("<p>And \(otherKinds) packets that went other ways.</p>") }
    if !isAlone { lines += list(ordered) }
    lines.append("</main>")
    let rest = isAlone ? closing[...] : closing.dropFirst()
    if !rest.isEmpty {
      lines.append("<footer>")
      lines += rest.map { "<p>\(Markup.html($0))</p>" }
      lines.append("</footer>")
    }
    return lines + HTMLFrame.closing(withScript: true)
  }

  private var title: StyledLine {
    guard let session = head?.session else { return "nftrace" }
    return StyledLine("nftrace \(session)")
  }

  /// What a ticket needs: the answer, and of what, when and where.
  private func header(_ verdict: StyledLine?) -> [String] {
    var lines = ["<header>", "<p class=\"brand\">\(Markup.html(title))</p>"]
    lines.append("<h1>\(Markup.html(verdict ?? "no packet was seen"))</h1>")
    if rows.count <= 1, let asker = told.first?.asker {
      lines.append("<p class=\"asker\">\(Markup.html(asker))</p>")
    }
    if let provenance = head.flatMap({ Provenance($0) }) {
      lines.append("<dl class=\"facts\">")
      lines += provenance.facts.map {
        "<div><dt>\(Markup.html(StyledLine($0.name)))</dt><dd>\(Markup.html(StyledLine($0.value)))</dd></div>"
      }
      if let command = provenance.command {
        lines.append(
          "<div class=\"wide\"><dt>with</dt><dd class=\"paste\"><code>"
            + "\(Markup.code(StyledLine(command)))</code></dd></div>")
      }
      lines.append("</dl>")
    }
    return lines + ["</header>"]
  }

  /// The kinds, what was lost first, and of those the most frequent.
  private var ordered: [Int] {
    told.indices.sorted {
      (told[$1].isBad ? 1 : 0, told[$1].count, $0) < (told[$0].isBad ? 1 : 0, told[$0].count, $1)
    }
  }

  /// All exchanges, a row each, with the number of the section that tells its way.
  private func list(_ ordered: [Int]) -> [String] {
    var numbers = ordered
    for (number, place) in ordered.enumerated() { numbers[place] = number + 1 }
    let what = hasTraffic ? "packet" : "seq"
    var lines = [
      "<section id=\"packets\">", "<h2>All \(rows.count + otherRows)</h2>", HTMLFrame.tools,
      "<table class=\"list\">",
      "<thead><tr><th>\(what)<th>UTC<th>what became of it<th>path</thead>", "<tbody>",
    ]
    // What went on for long came to its end late.
    lines += (hasTraffic ? rows.sorted { $0.id < $1.id } : rows).map { row in
      row.text + (row.path.map { "<a href=\"#path-\(numbers[$0])\">\(numbers[$0])</a>" } ?? "")
    }
    lines += ["</tbody>", "</table>"]
    if otherRows > 0 {
      lines.append(
        "<p>And \(otherRows) more: '--since', '--last', '--port' and '--from' choose fewer.</p>")
    }
    return lines + ["</section>"]
  }
}

extension Exchange {
  /// It; or, where it goes on for long, its packets, each with the answer that came next. What was found is then
  /// told with what was lost.
  fileprivate var parts: [Exchange] {
    guard journeys.count > Self.mostShown, Set(journeys.map(\.site)).count == 1 else {
      return [self]
    }
    var parts: [Exchange] = []
    for journey in journeys {
      if journey.direction == .reply, let last = parts.last?.journeys, last.count == 1,
        last[0].direction == .request
      {
        parts[parts.count - 1].journeys.append(journey)
      } else {
        parts.append(Exchange(journeys: [journey]))
      }
    }
    for place in parts.indices where parts[place].journeys.contains(where: \.end.isLost) {
      parts[place].findings = findings
    }
    return parts
  }
}
