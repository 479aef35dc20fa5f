internal import Wire

/// What of recorded traffic is asked for, as far as can be told before packets are made an exchange of: what is surely not
/// wanted is closed all the same, and nothing is made of it.
package struct WantedExchanges: Sendable {
  private let filter: ExchangeFilter
  /// How many at most, the newest; nil is all.
  private let last: Int?

  /// Those that pass `filter`, the `last` of them.
  package init(_ filter: ExchangeFilter, last: Int? = nil) {
    self.filter = filter
    self.last = last
  }

  /// Those of `groups` of open journeys, which are told in this order, that may be wanted: all that are left out would be
  /// thrown away once they are told.
  func some(of groups: [[Int]], among open: OpenJourneys) -> [[Int]] {
    guard filter.isOfAll else { return groups.filter { filter.mayMatch($0, of: open) } }
    guard let last else { return groups }
    var told = 0
    let first = groups.lastIndex { group in
      if Self.isTold(group, among: open) { told += 1 }
      return told == last
    }
    return first.map { Array(groups[$0...]) } ?? groups
  }

  /// Whether they are surely told: what neighbours find each other by is not, as long as no rule stopped it.
  private static func isTold(_ group: [Int], among open: OpenJourneys) -> Bool {
    group.contains { index in
      let first = open[index].way.first
      return !first.packet.isLaterFragment && !first.packet.isDiscovery
        && !first.packet.isMulticastListenerDiscovery
    }
  }
}
