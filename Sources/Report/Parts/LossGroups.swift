internal import Trace
internal import Wire

/// What was lost of recorded traffic, by the rule or cause of it, and one exchange of each.
struct LossGroups: Sendable {
  private struct Key: Hashable, Sendable {
    var cause: String
    var site: Site?
  }

  private struct Group: Sendable {
    var packets = 0
    var flows: Set<FlowTable.Key> = []
    /// The first exchange of it, cut to what shows the loss.
    var example: Exchange
    /// Its place among them.
    var number: Int
    /// Whether the rule of the example has no text.
    var isUnnamed: Bool
  }

  private var groups: [Key: Group] = [:]
  private var others = 0

  /// Groups that are told apart, those of them that are told, and flows and packets that are kept of each.
  private static let most = 256
  private static let mostTold = 16
  private static let mostFlows = 1024
  private static let mostPackets = 6

  mutating func add(_ exchange: Exchange) {
    for journey in exchange.journeys where journey.end.isLost {
      let finding = exchange.findings.first {
        $0.severity != .note && ($0.site == nil || $0.site == journey.site)
      }
      let place = finding?.at
      let rule = journey.end.decider?.rule
      let cause =
        finding.map {
          "\($0.id.rawValue) \(rule.map { "\($0.table) \($0.chain) \($0.ref)" } ?? "")"
        }
        ?? EndText(journey, TextStyle()).short
      let key = Key(cause: cause, site: journey.site)
      guard groups[key] != nil || groups.count < Self.most else {
        others += 1
        continue
      }
      let lead = exchange.request ?? journey
      if groups[key] == nil {
        groups[key] = Group(
          example: Self.example(exchange, journey), number: groups.count,
          isUnnamed: place != nil && place?.rule == nil)
      } else if groups[key]!.isUnnamed, place?.rule != nil {
        // The text of a rule may not have been known at first.
        groups[key]!.example = Self.example(exchange, journey)
        groups[key]!.isUnnamed = false
      }
      groups[key]!.packets += 1
      if groups[key]!.flows.count < Self.mostFlows {
        groups[key]!.flows.insert(FlowTable.Key(lead.packet))
      }
    }
  }

  /// An exchange that goes on for long says no more than the packet that was lost, and what that answered.
  private static func example(_ exchange: Exchange, _ lost: Journey) -> Exchange {
    guard exchange.journeys.count > mostPackets else { return exchange }
    var example = exchange
    let request = lost.direction == .request ? nil : exchange.request
    example.journeys = [request, lost].compactMap(\.self)
    return example
  }

  /// The groups, the largest first: how much was lost, and the text of an example.
  func lines(_ text: (Exchange) -> [StyledLine]) -> [StyledLine] {
    let ordered = groups.values.sorted { ($1.packets, $0.number) < ($0.packets, $1.number) }
    var lines: [StyledLine] = []
    for group in ordered.prefix(Self.mostTold) {
      let count = group.flows.count
      if group.packets > 1 {
        let flows =
          count == Self.mostFlows
          ? "more than \(count) flows" : count == 1 ? "1 flow" : "\(count) flows"
        lines += [
          "", StyledLine("\(group.packets) packets of \(flows) were lost like this one:", .strong),
        ]
      }
      lines += text(group.example)
    }
    let hidden = ordered.dropFirst(Self.mostTold).reduce(others) { $0 + $1.packets }
    if hidden > 0 { lines += ["", "and \(hidden) packets for other reasons: --lost tells all"] }
    return lines
  }
}
