internal import Trace

/// A report in words, for the formats that people read.
struct ReportText: Sendable {
  private var style: TextStyle
  private var header: SessionHeader?
  /// The first of several machines.
  private var here: Site?
  /// The plan whose probes are told, and their text.
  private var ping: (plan: ProbePlan, text: PingText)?
  private var traffic: ShowText
  /// Of pings that went two ways.
  private var comparison = PingComparison()
  private var isCompared = false
  private var isEmpty = true
  /// What stands above all that is told, until it is told.
  private var provenance: [StyledLine] = []

  /// A report that looks so.
  init(style: TextStyle) {
    self.style = style
    traffic = ShowText(style: style)
  }

  /// What is told from now on looks so.
  mutating func look(like style: TextStyle) {
    self.style = style
    traffic.style = style
    ping?.text.style = style
  }

  /// The report begins. The text of a ping is what was told live, unless `withProvenance`; that of a recording says
  /// where it comes from.
  mutating func begin(_ head: ReportHead, withProvenance: Bool = false) {
    header = head.header
    here = head.sites.first
    if style.verbosity != .quiet, withProvenance || header?.probe == nil {
      provenance = Provenance(head)?.lines(style) ?? []
    }
  }

  /// Where it comes from, for who tells that in a place of its own; then it is told.
  mutating func takeProvenance() -> [StyledLine] {
    defer { provenance = [] }
    return provenance
  }

  /// The lines below where they come from, if these are the first.
  private mutating func below(_ lines: [StyledLine]) -> [StyledLine] {
    let above = lines.isEmpty ? [] : takeProvenance()
    return above + (above.isEmpty ? [] : [""]) + lines
  }

  mutating func beginProbes(_ plan: ProbePlan) {
    ping = (plan, PingText(plan: plan, header: header, style: style, isFirst: isEmpty))
  }

  mutating func probe(_ result: ProbeResult) -> [StyledLine] {
    guard let plan = ping?.plan else { return exchange(result.exchange) }
    isEmpty = false
    comparison.add(result, of: plan)
    let lines = ping!.text.lines(result)
    return below(lines)
  }

  /// Takes in a probe that is told otherwise; returns what came of it, and as whom was asked.
  mutating func count(_ result: ProbeResult) -> (headline: StyledLine, asker: StyledLine)? {
    guard let plan = ping?.plan else { return nil }
    isEmpty = false
    comparison.add(result, of: plan)
    ping!.text.count(result)
    return (ping!.text.headline(result), ping!.text.asker(result))
  }

  /// Takes in that packets are told otherwise.
  mutating func count(_ exchange: Exchange) { isEmpty = isEmpty && exchange.journeys.isEmpty }

  mutating func endProbes(_ counts: EventCounts) -> [StyledLine] {
    guard let text = ping?.text else { return [] }
    ping = nil
    isEmpty = false
    let lines = text.closing(counts)
    return below(lines)
  }

  mutating func exchange(_ exchange: Exchange) -> [StyledLine] {
    isEmpty = false
    let lines = traffic.lines(exchange)
    return below(lines)
  }

  /// How two ways differ, to stand above them; then it is told.
  mutating func takeComparison() -> [StyledLine] {
    isCompared = true
    let lines = comparison.lines(style)
    return lines + (lines.isEmpty ? [] : [""])
  }

  /// What is left to say: how two ways differ, what is missing, and what the session cannot tell.
  func closing(_ end: ReportEnd) -> [StyledLine] {
    let isKernelLog = header?.isKernelLog == true && !isEmpty && style.verbosity != .quiet
    let differences = isCompared ? [] : comparison.lines(style)
    return (differences.isEmpty ? [] : [""]) + differences + recording(end)
      + (isKernelLog ? ["", StyledLine(Phrases.kernelLog, .faint)] : [])
  }

  /// That events are missing from recorded traffic; the summary of a ping says it itself.
  private func recording(_ end: ReportEnd) -> [StyledLine] {
    guard header?.probe == nil, style.verbosity != .quiet else { return [] }
    let notes = FindingText(style: style).lines(ProbeResult.findings(of: end.findings, end.counts))
    let clocks =
      end.clocks.isEmpty || isEmpty
      ? [] : here.map { ClockText(style: style).lines(end.clocks, against: $0) } ?? []
    return (clocks.isEmpty ? [] : [""] + clocks) + (notes.isEmpty ? [] : [""] + notes)
  }
}
