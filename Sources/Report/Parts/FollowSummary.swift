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
  private var deciders = Tally(most: 1024)

  mutating func add(_ exchange: Exchange) {
    for journey in exchange.journeys {
      packets += 1
      switch journey.end.unseen {
      case .messagesLost: unseen += 1
      case .recordingEnded: cut += 1
      case .behindNAT: translated += 1
      case nil: kinds[journey.end.kind, default: 0] += 1
      }
      guard let rule = journey.end.decider?.rule, journey.end.isStopped else { continue }
      deciders.add(EndText.name(rule), rule: rule)
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
    for (decider, count) in deciders.ordered { lines.append("  \(count) by \(decider)") }
    if deciders.others > 0 { lines.append("  \(deciders.others) by other rules") }
    let events = counts.nflog + counts.lines + counts.trace + counts.conntrack + counts.drops
    lines.append("\(events) events, \(counts.lost) lost")
    if let set = Finding.clockSet(counts) { lines.append(StyledLine(set.summary)) }
    return lines
  }
}
