internal import Trace

/// Which packets of an exchange are drawn: one, and one that answers it, through all network namespaces that they
/// came to. A connection has thousands, and most go the same way; so it is those of which one was lost, if any.
struct DiagramWalk {
  /// A namespace, and what of the two was seen in it.
  struct Lane {
    var site: Site?
    var there: Journey?
    var back: Journey?
  }

  private(set) var lanes: [Lane] = []

  init(_ exchange: Exchange) {
    let journeys = exchange.journeys.filter { !$0.isCopy }
    let isBack = { (journey: Journey) in
      journey.direction == .reply || journey.direction == .error
    }
    let there = Self.chosen(journeys.filter { !isBack($0) })
    let back = Self.chosen(journeys.filter(isBack))
    // Where nothing but an answer was seen, that is the packet.
    if there.isEmpty {
      lanes = back.map { Lane(site: $0.site, there: $0) }
      return
    }
    lanes = there.map { Lane(site: $0.site, there: $0) }
    var above = lanes.count
    for journey in back {
      if let place = lanes[..<above].lastIndex(where: { $0.site == journey.site }) {
        lanes[place].back = journey
        above = place
      } else if above == lanes.count {
        // It comes from where the packet was not seen.
        lanes.append(Lane(site: journey.site, back: journey))
        above = lanes.count - 1
      }
    }
  }

  /// Of packets of one direction, one with its ways through all namespaces; the first that was lost, or else the
  /// first.
  private static func chosen(_ journeys: [Journey]) -> [Journey] {
    var walks: [[Journey]] = []
    for journey in journeys {
      let next = walks.firstIndex { walk in
        !walk.contains { $0.site == journey.site } && !walk.contains { $0.end.isStopped }
      }
      if let next {
        walks[next].append(journey)
      } else if walks.count < most {
        walks.append([journey])
      } else if journey.end.isLost {
        walks[walks.count - 1] = [journey]
        break
      }
    }
    return walks.first { $0.contains { $0.end.isLost } } ?? walks.first ?? []
  }

  /// Walks that are told apart: an exchange may have very many packets.
  private static let most = 64
}
