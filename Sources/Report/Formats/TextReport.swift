internal import Trace

/// A report as text, with colours where the style has them.
struct TextReport: Renderer {
  private let style: TextStyle
  private var text: ReportText

  /// A report that looks so.
  init(style: TextStyle) {
    self.style = style
    text = ReportText(style: style)
  }

  var isForPeople: Bool { true }

  mutating func begin(_ head: ReportHead) { text.begin(head) }
  mutating func beginProbes(_ plan: ProbePlan) { text.beginProbes(plan) }
  mutating func probe(_ result: ProbeResult) -> [String] { style.written(text.probe(result)) }
  mutating func endProbes(_ counts: EventCounts) -> [String] {
    style.written(text.endProbes(counts))
  }
  mutating func exchange(_ exchange: Exchange) -> [String] {
    style.written(text.exchange(exchange))
  }
  mutating func remark(_ lines: [StyledLine]) -> [String] { style.written(lines) }
  mutating func finish(_ end: ReportEnd) -> [String] { style.written(text.closing(end)) }
}
