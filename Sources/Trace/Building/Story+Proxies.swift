internal import Wire

/// SYN proxies of this host, which answer clients in a server's place until they have shown that they are there.
extension Story {
  /// Whether a rule took a packet over for this host to answer. What is stolen as it comes in is forwarded.
  func isProxy(_ step: RuleStep, of open: OpenJourney) -> Bool {
    step.verdict == .stolen && step.family != NFProto.netdev && open.lastPoint.hook != .ingress
  }

  /// Whether a SYN proxy of this host took the probe.
  func isProxied(probe sequence: Int) -> Bool {
    open.contains { journey in
      journey.way.trailingRules.last.map { isProxy($0, of: journey) } == true
        && self.sequence(of: journey) == sequence
    }
  }

  /// A SYN proxy answers before its rule has taken the packet, and nobody says when that was.
  private func withProxiesInTime(_ exchange: Exchange) -> Exchange {
    guard let place = exchange.journeys.firstIndex(where: \.isProxied),
      let answer = exchange.journeys[place...].first(where: {
        $0.direction == .reply && $0.way.first.point.hook == .output
      })?.lastStamp, let taken = exchange.journeys[place].end.decider?.hop.time
    else { return exchange }
    var exchange = exchange
    let journey = exchange.journeys[place]
    let latest = max(answer.since(journey.start), journey.way.last.time)
    exchange.journeys[place].setEnd(at: min(taken, latest), by: .reading)
    return exchange
  }

  /// A server's first answer to a proxy, which asked it with the client's address, is for the proxy itself: it
  /// takes the answer behind all tables of the way to the client.
  func withProxies(_ exchange: Exchange) -> Exchange {
    var exchange = withProxiesInTime(exchange)
    let asksForOther = exchange.journeys.contains { journey in
      journey.direction == .request && journey.way.first.point.hook == .output
        && journey.packet.tcp?.flags == .syn && !snapshot.isLocal(journey.packet.source)
    }
    guard asksForOther else { return withWaitingClient(exchange) }
    for index in exchange.journeys.indices {
      let journey = exchange.journeys[index]
      guard case .unknown(let place, nil, nil) = journey.end, journey.direction == .reply,
        journey.packet.tcp?.flags == [.syn, .ack], points.isLast(journey.way.last.point)
      else { continue }
      exchange.journeys[index].end = .proxied(place, nil)
    }
    return exchange
  }

  /// What a client sends while the proxy waits for the server, the proxy takes behind all tables of the way there: it
  /// asks once more.
  private func withWaitingClient(_ exchange: Exchange) -> Exchange {
    var exchange = exchange
    for index in exchange.journeys.indices {
      let journey = exchange.journeys[index]
      guard case .unknown(let place, nil, nil) = journey.end, journey.packet.isBareAcknowledgment,
        points.isLast(journey.way.last.point), isAskedByProxy(journey)
      else { continue }
      exchange.journeys[index].end = .proxied(place, nil)
    }
    return exchange
  }

  /// Whether a SYN proxy has asked the server of this connection, and was not answered.
  private func isAskedByProxy(_ journey: Journey) -> Bool {
    journey.connection?.id.flatMap { snapshot.connections[$0] }?.isProxied == true
  }
}
