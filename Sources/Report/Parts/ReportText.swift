internal import Trace

/// A report in words, for the formats that people read.
struct ReportText: Sendable {
  private let style: TextStyle
  private var header: SessionHeader?
  /// The plan whose probes are told, and their text.
  private var ping: (plan: ProbePlan, text: PingText)?
  private var traffic: ShowText
  /// Of pings that went two ways.
  private var comparison = PingComparison()
  private var isEmpty = true

  /// A report that looks so.
  init(style: TextStyle) {
    self.style = style
    traffic = ShowText(style: style)
  }

  mutating func begin(_ head: ReportHead) { header = head.header }

  mutating func beginProbes(_ plan: ProbePlan) {
    ping = (plan, PingText(plan: plan, netns: header?.netns, style: style, isFirst: isEmpty))
  }

  mutating func probe(_ result: ProbeResult) -> [StyledLine] {
    guard let plan = ping?.plan else { return exchange(result.exchange) }
    isEmpty = false
    comparison.add(result, of: plan)
    return ping!.text.lines(result)
  }

  mutating func endProbes(_ counts: EventCounts) -> [StyledLine] {
    guard let text = ping?.text else { return [] }
    ping = nil
    isEmpty = false
    return text.closing(counts)
  }

  mutating func exchange(_ exchange: Exchange) -> [StyledLine] {
    isEmpty = false
    return traffic.lines(exchange)
  }

  /// What is left to say: how two ways differ, what is missing, and what the session cannot tell.
  func closing(_ end: ReportEnd) -> [StyledLine] {
    let isKernelLog = header?.isKernelLog == true && !isEmpty && style.verbosity != .quiet
    return comparison.lines(style) + recording(end)
      + (isKernelLog ? ["", StyledLine(Phrases.kernelLog, .faint)] : [])
  }

  /// That events are missing from recorded traffic; the summary of a ping says it itself.
  private func recording(_ end: ReportEnd) -> [StyledLine] {
    guard header?.probe == nil, style.verbosity != .quiet else { return [] }
    let notes = FindingText(style: style).lines(ProbeResult.findings(of: end.findings, end.counts))
    return notes.isEmpty ? [] : [""] + notes
  }
}
