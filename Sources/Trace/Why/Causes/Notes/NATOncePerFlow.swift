internal import Wire

extension FindingID {
  static let natOncePerFlow = FindingID(rawValue: "nat-once-per-flow")
}

/// A translated packet that met no NAT rule: an earlier packet of its flow did.
enum NATOncePerFlow: ExchangeNote {
  static let page = FindingPage(
    .natOncePerFlow, "Translated without meeting a NAT rule",
    meaning: """
      NAT rules see the first packet of a connection only. Conntrack remembers what they did and does
      the same with all others, without asking the rules again; the same goes for answers. So the
      timeline shows a translation and no rule beside it, and a rule that was changed meanwhile has no
      effect on connections that are open.
      """,
    certainty: """
      A note, and always certain: conntrack knew the connection before the packet came.
      """,
    conclusion: """
      The packet's addresses changed, no NAT rule is in its trace, and conntrack's entry for the
      connection had been made by an earlier packet.
      """,
    advice: """
      Nothing, unless the translation is not the one you want: then delete the entry with `conntrack -D`
      and the packet's addresses, so that the next packet meets the rules.
      """)

  static func examine(_ exchange: Exchange, _ answers: () -> Answers) -> Finding? {
    let journey = exchange.journeys.first { journey in
      // What an ICMP error quotes is translated with the connection that it is about: it is no packet of it.
      journey.direction != .error && journey.connection?.isReply == false
        && journey.connection?.wasKnown == true
        && journey.way.legs.contains { leg in
          leg.changes.contains { $0.field == .source || $0.field == .destination }
            && !leg.rules.contains { $0.translation != nil }
        }
    }
    guard let journey else { return nil }
    return note(
      "no NAT rule was asked: NAT rules see the first packet of a flow only, conntrack translates "
        + "the rest", evidence: [.connectionKnown(packet: journey.id)])
  }
}
