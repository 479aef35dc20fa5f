internal import Trace

/// Recorded traffic as a table of its flows; with what was lost of them, by rule and cause, where that is the overview
/// that a terminal shows first. Probes are told one by one there, as ever.
struct FlowsReport: Renderer {
  private let style: TextStyle
  /// Whether the table alone is wanted.
  private let isTable: Bool
  private var text: ReportText
  private var table = FlowTable()
  private var losses = LossGroups()
  private var summary = FollowSummary()
  /// The first few exchanges, which are told whole if there are no more; nil when there are.
  private var few: [Exchange]? = []
  /// What tells probes, one by one and as they were told live; nil where it is no ping that is told.
  private var probes: TextReport?

  private static let fewPackets = 16
  /// Flows that are told in an overview.
  private static let mostFlows = 40

  /// A report that looks so.
  init(style: TextStyle, isTable: Bool) {
    self.style = style
    self.isTable = isTable
    text = ReportText(style: style)
  }

  var isForPeople: Bool { true }

  mutating func begin(_ head: ReportHead) {
    if !isTable, head.header?.probe != nil {
      // In a pipe it is as it was live.
      probes = TextReport(style: style, tellsProvenance: style.isTerminal)
      probes?.begin(head)
    } else {
      text.begin(head, withProvenance: true)
    }
  }

  mutating func beginProbes(_ plan: ProbePlan) { probes?.beginProbes(plan) }

  mutating func probe(_ result: ProbeResult) -> [String] {
    if let lines = probes?.probe(result) { return lines }
    var exchange = result.exchange
    exchange.findings = result.findings
    return self.exchange(exchange)
  }

  mutating func endProbes(_ counts: EventCounts) -> [String] { probes?.endProbes(counts) ?? [] }

  mutating func exchange(_ exchange: Exchange) -> [String] {
    if let lines = probes?.exchange(exchange) { return lines }
    table.add(exchange)
    summary.add(exchange)
    if isTable { return [] }
    losses.add(exchange)
    few?.append(exchange)
    if few?.reduce(0, { $0 + $1.journeys.count }) ?? 0 > Self.fewPackets { few = nil }
    return []
  }

  mutating func remark(_ lines: [StyledLine]) -> [String] { style.written(lines) }

  mutating func finish(_ end: ReportEnd) -> [String] {
    if let lines = probes?.finish(end) { return lines }
    if table.count == 0 { return style.written(text.closing(end)) }
    // What came of it all, then what it is of, then each.
    summary.counts = end.counts
    var lines = summary.lines + [""]
    let source = text.takeProvenance()
    lines += source + (source.isEmpty ? [] : [""])
    lines += table.lines(style, most: isTable ? .max : Self.mostFlows)
    if let few, !isTable {
      lines.append("")
      for exchange in few { lines += text.exchange(exchange) }
    } else if !isTable {
      lines += losses.lines { [""] + Self.withoutLead(text.exchange($0)) }
    }
    if few == nil, !isTable {
      lines += [
        "",
        StyledLine(
          "'nftrace show --packet N' tells one packet, '--last N' the last few, '--lost', '--port', "
            + "'--from', '--rule' choose; -v tells all.", .faint),
      ]
    }
    return style.written(lines + text.closing(end))
  }

  private static func withoutLead(_ lines: [StyledLine]) -> [StyledLine] {
    Array(lines.drop { $0.isEmpty })
  }
}
