internal import Wire

/// SYN proxies of this host, which answer clients in a server's place until they have shown that they are there.
extension Story {
  /// Whether a rule took a packet over for this host to answer. What is stolen as it comes in is forwarded.
  func isProxy(_ step: RuleStep, of open: OpenJourney) -> Bool {
    step.verdict == .stolen && step.family != NFProto.netdev && open.lastPoint.hook != .ingress
  }

  /// A server's first answer to a proxy, which asked it with the client's address, is for the proxy itself: it
  /// takes the answer behind all tables of the way to the client.
  func withProxies(_ exchange: Exchange) -> Exchange {
    guard let request = exchange.request, request.way.first.point.hook == .output,
      request.packet.tcp?.flags == .syn, !snapshot.isLocal(request.packet.source)
    else { return exchange }
    var exchange = exchange
    for index in exchange.journeys.indices {
      let journey = exchange.journeys[index]
      guard case .unknown(let place, nil, nil) = journey.end, journey.direction == .reply,
        journey.packet.tcp?.flags == [.syn, .ack], points.isLast(journey.way.last.point)
      else { continue }
      exchange.journeys[index].end = .proxied(place, nil)
    }
    return exchange
  }
}
