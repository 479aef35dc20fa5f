internal import Wire

extension FindingID {
  static let answeredPastHost = FindingID(rawValue: "answered-past-host")
}

/// The answer came to the client by a way that is not this host's.
enum AnsweredPastHost: ExchangeNote {
  static let page = FindingPage(
    .answeredPastHost, "Answered, and not through this host",
    meaning: """
      The question was sent on, and its answer came to the client by another way, as where two routers lead
      to the client's network. For the client all is well. A firewall or NAT here sees half of each
      connection, and what goes by connections (`ct state`, `-m conntrack`) may drop the rest of one.
      """,
    certainty: """
      A warning, and always certain: the kernel told of the answer where it arrived. It can do so where the
      client is a network namespace of this machine.
      """,
    conclusion: """
      This host sent the question, and saw no answer. In the network namespace that has the client's address, the
      kernel took one in, and threw it away for want of a socket: the client itself had asked nothing.
      """,
    advice: """
      Nothing, if it is meant to be so. If answers should come back through this host, the router that they take
      needs a route to the client's network that leads here, or this host has to masquerade. Give the client's
      namespace with a --netns of its own to see the answer arrive.
      """)

  static func examine(_ exchange: Exchange, _ answers: () -> Answers) -> Finding? {
    guard exchange.reply == nil, exchange.error == nil, let request = exchange.request,
      request.end.kind == .transmitted
    else { return nil }
    let known = answers()
    guard let plan = known.plan,
      let drop = known.snapshot.dropsElsewhere.last(where: { drop in
        drop.arrived.map { plan.isAnswer(arrived: $0, to: request.probe) } ?? false
      })
    else { return nil }
    let place = drop.place ?? "net:[\(drop.namespace)]"
    return warning(
      "its answer came to \(plan.source) by another way, not through this host: network namespace "
        + "\(Escape.name(place)) of this machine took it in",
      evidence: [.droppedElsewhere(in: place, reason: drop.reason, place: drop.location)])
  }
}

extension ProbePlan {
  /// Whether a packet that came to the client's address answers a probe that was sent as that client.
  func isAnswer(arrived packet: Packet, to probe: Int?) -> Bool {
    entrance == .arriving && packet.destination == source && probe != nil
      && sequence(of: packet) == probe && isAnswer(packet)
  }
}
