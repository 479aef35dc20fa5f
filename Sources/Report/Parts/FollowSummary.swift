internal import Trace
internal import Wire

/// What came of all packets that were told of.
struct FollowSummary: Sendable {
  var counts = EventCounts()
  private var packets = 0
  private var kinds: [End.Kind: Int] = [:]
  /// Packets of which it is not known what became, for messages were lost.
  private var unseen = 0
  /// Packets that were on their way at the end.
  private var cut = 0
  /// Packets of the kernel log that NAT may have taken out of what is watched.
  private var translated = 0
  private var deciders: [String: Int] = [:]
  private var otherDeciders = 0

  /// Rules that are told apart.
  private static let most = 1024

  mutating func add(_ exchange: Exchange) {
    for journey in exchange.journeys {
      packets += 1
      switch journey.end.unseen {
      case .messagesLost: unseen += 1
      case .recordingEnded: cut += 1
      case .behindNAT: translated += 1
      case nil: kinds[journey.end.kind, default: 0] += 1
      }
      guard let decider = journey.end.decider.map({ EndText.name($0.rule) }),
        journey.end.isStopped
      else { continue }
      if deciders[decider] != nil || deciders.count < Self.most {
        deciders[decider, default: 0] += 1
      } else {
        otherDeciders += 1
      }
    }
  }

  var lines: [StyledLine] {
    let order: [End.Kind] = [.transmitted, .delivered, .dropped, .rejected, .unknown]
    var ends = order.compactMap { kind in
      kinds[kind].map { "\($0) \(kind == .unknown ? "lost" : kind.rawValue)" }
    }
    if unseen > 0 { ends.append("\(unseen) unseen") }
    if cut > 0 { ends.append("\(cut) on \(cut == 1 ? "its" : "their") way at the end") }
    if translated > 0 { ends.append("\(translated) not seen behind NAT") }
    let sum = "\(packets) \(packets == 1 ? "packet" : "packets")"
    var lines = [StyledLine(([sum] + ends).joined(separator: ", "))]
    for (decider, count) in deciders.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      lines.append("  \(count) by \(decider)")
    }
    if otherDeciders > 0 { lines.append("  \(otherDeciders) by other rules") }
    let events = counts.nflog + counts.lines + counts.trace + counts.conntrack + counts.drops
    lines.append("\(events) events, \(counts.lost) lost")
    if let set = Finding.clockSet(counts) { lines.append(StyledLine(set.summary)) }
    return lines
  }
}
