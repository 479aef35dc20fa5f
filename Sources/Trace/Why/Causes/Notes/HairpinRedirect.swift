internal import Wire

extension FindingID {
  static let hairpinRedirect = FindingID(rawValue: "hairpin-redirect")
}

/// The packet was sent out of the interface by which it came in.
enum HairpinRedirect: ExchangeNote {
  static let page = FindingPage(
    .hairpinRedirect, "Sent back out of the interface it came in by",
    meaning: """
      The packet came in by an interface and was forwarded out of the same one: the sender could have
      reached the next hop directly. The kernel tells it so with an ICMP redirect, if it may
      (`send_redirects`).
      """,
    certainty: """
      A note, and always certain: both interfaces were seen.
      """,
    conclusion: """
      The request's incoming and outgoing interface are the same. If an ICMP redirect was seen as this
      host sent it, the note says so.
      """,
    advice: """
      Nothing, if that is how the network is meant to be. Otherwise give the sender a better route.
      Answers may take the direct way and pass by this host: a firewall here then sees half of each
      connection (see `invalid-state-drop`).
      """)

  static func examine(_ exchange: Exchange, _ answers: () -> Answers) -> Finding? {
    guard let request = exchange.request, let out = request.end.place.out,
      request.way.first.point.hook != .output, request.inDevice == out
    else { return nil }
    // The kernel itself drops those about packets of a translated connection, or of one that may be.
    let redirect = exchange.journeys.contains {
      ($0.packet.proto == .icmp && $0.packet.icmp?.type == 5
        || $0.packet.proto == .icmpv6 && $0.packet.icmp?.type == 137)
        && $0.end.kind == .transmitted
    }
    return note(
      "it was sent out of \(out), by which it came in"
        + (redirect ? "; the sender was told with an ICMP redirect" : ""))
  }
}
