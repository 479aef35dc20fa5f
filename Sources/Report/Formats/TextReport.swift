internal import Trace

/// A report as text, with colours where the style has them.
struct TextReport: Renderer {
  private var style: TextStyle
  private var text: ReportText
  private var fit: ScreenFit
  /// Whether all that is to be told is one probe.
  private var isSingle = false
  /// What waits until it is known how the ways differ; nil where it does not.
  private var held: [String]?

  /// Whether a ping's says where it comes from as well.
  private let tellsProvenance: Bool

  /// A report that looks so.
  init(style: TextStyle, tellsProvenance: Bool = false) {
    self.tellsProvenance = tellsProvenance
    self.style = style
    text = ReportText(style: style)
    fit = ScreenFit(style)
  }

  var isForPeople: Bool { true }

  mutating func look(like style: TextStyle) {
    self.style = style
    text.look(like: style)
    fit.look(like: style)
  }

  mutating func begin(_ head: ReportHead) {
    text.begin(head, withProvenance: tellsProvenance)
    if head.ways > 1 { held = [] }
  }
  mutating func beginProbes(_ plan: ProbePlan) {
    isSingle = plan.count == 1
    text.beginProbes(plan)
  }
  mutating func probe(_ result: ProbeResult) -> [String] {
    let lines = text.probe(result)
    return held(style.written(isSingle ? fit.probe(lines) : lines))
  }
  mutating func endProbes(_ counts: EventCounts) -> [String] {
    let lines = text.endProbes(counts)
    return held(style.written(isSingle ? fit.closing(lines) : lines))
  }
  mutating func exchange(_ exchange: Exchange) -> [String] {
    style.written(text.exchange(exchange))
  }
  mutating func remark(_ lines: [StyledLine]) -> [String] { style.written(lines) }
  mutating func finish(_ end: ReportEnd) -> [String] {
    let above = held.map { style.written(text.takeComparison()) + $0 } ?? []
    held = nil
    return above + style.written(text.closing(end))
  }

  /// Lines to write now.
  private mutating func held(_ lines: [String]) -> [String] {
    if held == nil { return lines }
    held! += lines
    return []
  }
}
