internal import Trace
internal import Wire

/// The text of recorded traffic: each exchange with a line that says what became of it.
struct ShowText: Sendable {
  var style: TextStyle
  private var isFirst = true

  /// The text of traffic of which nothing was told yet.
  init(style: TextStyle) { self.style = style }

  /// "#1-2" of packets that follow one another, "#1" of those that others are between.
  private static func numbers(_ exchange: Exchange) -> String {
    let (first, last) = (exchange.journeys[0].id, exchange.journeys.last?.id ?? 0)
    let areAll = last - first == exchange.journeys.count - 1
    return "#\(first)" + (areAll && last > first ? "-\(last)" : "")
  }

  /// The lines of one exchange.
  mutating func lines(_ exchange: Exchange) -> [StyledLine] {
    guard let first = exchange.journeys.first else { return [] }
    let time = style.time.text(first.time).map { StyledLine($0, .faint) + "  " } ?? ""
    let headline: StyledLine =
      "\(Self.numbers(exchange))  \(time)\(Headline.traffic(exchange, style))"
    if style.verbosity == .quiet { return [headline] }
    let lead: [StyledLine] = isFirst ? [] : [""]
    isFirst = false
    let told = exchange.findings.filter { $0.isTold(style) }
    let findings = FindingText(style: style).lines(told)
    return lead + [headline, ""] + findings + (findings.isEmpty ? [] : [""])
      + Timeline.all(exchange, style)
  }
}

extension Finding {
  /// Whether it is told of recorded traffic: why a timeline has no hooks is for everybody to know; the other notes
  /// are background.
  func isTold(_ style: TextStyle) -> Bool {
    severity != .note || id == .flowOffloaded || style.verbosity == .verbose
  }
}
