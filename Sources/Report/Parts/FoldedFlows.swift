internal import Trace
internal import Wire

/// Exchanges that were too many to be told one by one: counted by flow and by what became of them.
struct FoldedFlows: Sendable {
  private struct Flow: Hashable {
    var proto: IPProtocol
    var source: IPAddress
    var destination: IPAddress
    /// The port that the sender chose is another one each time, and so plays no part.
    var port: UInt16?
    var fate: String

    var text: String {
      "\(proto) \(source) > \(destination)\(port.map { " port \($0)" } ?? ""): \(fate)"
    }
  }

  private var flows: [Flow: Int] = [:]
  private var others = 0
  private var count = 0

  /// Flows that are told apart, and those of them that are shown.
  private static let most = 1024
  private static let shown = 8

  mutating func add(_ exchange: Exchange) {
    guard let journey = exchange.request ?? exchange.journeys.first else { return }
    count += 1
    let packet = journey.packet
    let flow = Flow(
      proto: packet.proto, source: packet.source, destination: packet.destination,
      port: packet.destinationPort, fate: EndText(journey, TextStyle()).short)
    if flows[flow] != nil || flows.count < Self.most {
      flows[flow, default: 0] += 1
    } else {
      others += 1
    }
  }

  private var ordered: [(text: String, count: Int)] {
    flows.map { (text: $0.key.text, count: $0.value) }
      .sorted { ($1.count, $0.text) < ($0.count, $1.text) }
  }

  /// All in one line, where lines are told.
  func line(_ style: TextStyle) -> [StyledLine] {
    guard let most = ordered.first else { return [] }
    let rest = count - most.count
    return [
      StyledLine(
        "\(style.ellipsis) \(count) more in this second: \(most.count) \(most.text)"
          + (rest > 0 ? ", and \(rest) of \(flows.count - 1) other flows" : ""), .faint)
    ]
  }

  func lines(_ style: TextStyle) -> [StyledLine] {
    if count == 0 { return [] }
    let ordered = ordered
    var lines: [StyledLine] = [
      "", "\(style.ellipsis) \(count) more exchanges in this second, by flow:",
    ]
    for (flow, count) in ordered.prefix(Self.shown) {
      lines.append("  \(TextLayout.padded(from: 7, "\(count)"))  \(flow)")
    }
    let rest = ordered.dropFirst(Self.shown).reduce(others) { $0 + $1.count }
    if rest > 0 { lines.append("  \(TextLayout.padded(from: 7, "\(rest)"))  of other flows") }
    return lines
  }
}
