internal import Wire

/// By headers alone. Lines of the kernel log say where a packet was and what its headers were, and nothing
/// of rules, trace ids and connections.
struct HeaderJoining: Joining {
  let knowsNAT = false
  private var flows = LoggedFlows()

  /// The one whose addresses are the same rather than one that NAT could have changed so; then one that
  /// was seen just now, for another may have been lost; then the one that came furthest.
  func better(
    _ index: Int, than best: Int?, for next: Sighting, traceID: UInt32?, in open: OpenJourneys,
    now: UInt64
  ) -> Int? {
    guard let likeness = Self.likeness(open[index], next),
      now.since(open[index].last) <= Story.idle
    else { return best }
    guard let best, let known = Self.likeness(open[best], next) else { return index }
    if likeness != known { return likeness > known ? index : best }
    let isRecent = [index, best].map { now.since(open[$0].last) <= Story.patience }
    if isRecent[0] != isRecent[1] { return isRecent[0] ? index : best }
    // Of two that are as far, the one that began last.
    return open[index].lastPoint.rank > open[best].lastPoint.rank ? index : best
  }

  /// 2 where both ends are the same, 1 where one is; nil where neither is.
  private static func likeness(_ journey: OpenJourney, _ next: Sighting) -> Int? {
    let before = LoggedFlows.ends(of: journey.way.last.packet)
    let after = LoggedFlows.ends(of: next.packet)
    let same = (before.from == after.from ? 1 : 0) + (before.to == after.to ? 1 : 0)
    return same == 0 ? nil : same
  }

  mutating func note(_ journey: inout OpenJourney) {
    let isReply = flows.take(journey.way.last.packet, of: &journey.exchange)
    if journey.isReply == nil { journey.isReply = isReply }
  }

  func key(of journey: OpenJourney, in open: OpenJourneys) -> ExchangeKey {
    journey.exchange ?? .journey(journey.id)
  }
}
