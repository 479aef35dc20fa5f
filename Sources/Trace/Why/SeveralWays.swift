internal import Wire

extension Snapshot {
  /// A lookup's answer as it was for a packet that was seen to leave by `exit`, of `listed`, the route that it stands for. Of
  /// several ways the kernel passes over those that it found dead, and answers with another than the packet took.
  /// `unanswered` is whether nobody took the packet there.
  func route(
    _ answer: RouteMessage, out exit: String?, of listed: RouteMessage?, unanswered: Bool
  ) -> RouteMessage {
    guard let ways = listed?.nextHops, ways.count > 1, let exit = link(exit)?.index else {
      return answer
    }
    let there = ways.filter { $0.interface == exit }
    let silent = there.first { way in
      way.gateway.flatMap { addresses.neighbour($0, on: exit) }?.state
        .isDisjoint(with: [.incomplete, .failed]) == false
    }
    let other = answer.outputInterface == exit ? nil : there.first
    guard let way = unanswered ? silent ?? other : other else { return answer }
    var route = answer
    route.outputInterface = exit
    route.gateway = way.gateway
    return route
  }
}
