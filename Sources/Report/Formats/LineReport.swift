internal import Trace

/// Traffic as it comes: a line a packet, or a packet and its answer. Packets of one exchange that fare alike are one
/// line.
struct LineReport: Renderer {
  private var style: TextStyle

  /// Lines that look so.
  init(style: TextStyle) { self.style = style }

  var isForPeople: Bool { true }

  mutating func look(like style: TextStyle) { self.style = style }

  mutating func exchange(_ exchange: Exchange) -> [String] {
    style.written(Self.parts(of: exchange).map(line))
  }

  mutating func remark(_ lines: [StyledLine]) -> [String] { style.written(lines) }

  /// What is told in one line: the packets that show it, and how many are alike.
  private struct Part {
    var exchange: Exchange
    var count = 1
  }

  private static func parts(of exchange: Exchange) -> [Part] {
    let journeys = exchange.journeys
    // Through several namespaces, one packet is several journeys.
    guard journeys.count > 2, journeys.allSatisfy({ $0.site == nil }) else {
      return journeys.isEmpty ? [] : [Part(exchange: exchange)]
    }
    var parts: [Part] = []
    var places: [String: Int] = [:]
    var rest = journeys[...]
    while let first = rest.popFirst() {
      var packets = [first]
      if first.direction == .request, let next = rest.first, next.direction != .request {
        packets.append(rest.removeFirst())
      }
      let key = packets.map { "\($0.direction) \(EndText($0, TextStyle()).short)" }.joined()
      if let place = places[key] {
        parts[place].count += 1
        continue
      }
      places[key] = parts.count
      var part = exchange
      part.journeys = packets
      parts.append(Part(exchange: part))
    }
    return parts
  }

  private func line(_ part: Part) -> StyledLine {
    let exchange = part.exchange
    let time = style.time == .relative ? TimeStyle.clock : style.time
    let count = part.count > 1 ? StyledLine("  \(style.times)\(part.count)", .faint) : ""
    return StyledLine(time.text(exchange.journeys[0].time) ?? "", .faint)
      + "  \(Headline.traffic(exchange, style))" + StyledLine(reason(exchange)) + count
  }

  /// The rule that decided, else what was found of it.
  private func reason(_ exchange: Exchange) -> String {
    if let decider = exchange.journeys.first(where: { $0.end.isLost })?.end.decider {
      // Where that is stands before it.
      return decider.rule.isPolicy ? ", by its policy" : " by \(EndText.brief(decider))"
    }
    guard exchange.journeys.contains(where: { !$0.end.isThrough }) else { return "" }
    let cause = exchange.findings.first { $0.severity == .error }
    return cause.map { ": \($0.summary)" } ?? ""
  }
}
