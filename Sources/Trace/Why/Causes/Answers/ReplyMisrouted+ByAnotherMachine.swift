internal import Wire

extension ReplyMisrouted {
  /// The client is on the link, and its answers are handed to another machine there.
  enum ByAnotherMachine: ExchangeNote {
    static var page: FindingPage { ReplyMisrouted.page }
    static let needs: [Need] = [.neighbours]

    static func examine(_ exchange: Exchange, _ answers: () -> Answers) -> Finding? {
      guard let request = exchange.request, let came = request.inDevice,
        request.hops.first?.point.hook != .output, let reply = exchange.reply,
        reply.end.kind == .transmitted, let route = reply.route, let gateway = route.gateway,
        let client = reply.hops.last?.packet.destination, client == request.packet.source
      else { return nil }
      let snapshot = answers().snapshot
      guard let device = route.device, snapshot.isSamePlace(device, came),
        let link = snapshot.link(device), gateway != client,
        snapshot.addresses.networks(of: link.index).contains(where: { $0.contains(client) })
      else { return nil }
      let table = RoutingWords.name(ofTable: route.table)
      let by = route.destination.map { "the route to \(RoutingWords.text($0)) of table \(table)" }
      return warning(
        "the answer is handed to \(gateway), and \(client) is itself on \(device): it has it only if that machine "
          + "sends it on" + (by.map { " (\($0))" } ?? ""),
        evidence: [.sent(through: device, source: reply.hops.last?.packet.source ?? client)],
        remedy: try remedy(route, via: gateway))
    }

    private static func remedy(
      _ route: RouteDecision, via gateway: IPAddress
    ) throws(Word.Unspeakable) -> Command? {
      guard let destination = route.destination, destination.length > 1 else { return nil }
      let version: Command = gateway.family == 6 ? "-6 " : ""
      let table: Command = route.table == RouteMessage.mainTable ? "" : " table \(route.table)"
      return "ip \(version)route del \(RoutingWords.word(destination)) via \(gateway)\(table)"
    }
  }
}
