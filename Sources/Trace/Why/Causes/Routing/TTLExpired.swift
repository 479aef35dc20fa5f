internal import Wire

extension FindingID {
  static let ttlExpired = FindingID(rawValue: "ttl-expired")
}

/// The packet had been forwarded as often as its sender allowed.
enum TTLExpired: Cause {
  static let page = FindingPage(
    .ttlExpired, "The packet's TTL is used up",
    meaning: """
      Each router takes 1 from a packet's TTL (hop limit in IPv6). It was used up, here or at a router
      on the way, which dropped the packet and told its sender with an ICMP error (11/0; ICMPv6 3/0).
      """,
    certainty: """
      Always certain: the TTL was seen on arrival here, or the error of the other router was read.
      """,
    conclusion: """
      Here: the packet stopped in the routing decision with a TTL of 1 or 0, and was not for this host.
      Elsewhere: an ICMP error "time exceeded" that quotes the packet came back from an address that is
      not this host's.
      """,
    advice: """
      Send with a larger TTL (`-t`; 64 is usual). If it was 64, and a router far away says so, packets
      go round in a loop: `traceroute` shows the same routers again and again, and two of them have
      routes for the destination that point at each other. Rules that set the TTL (`ip ttl set`, `-j
      TTL`) may be the reason as well.
      """)

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let packet = lost.packetInRouting, packet.ttl <= 1, lost.route?.route?.kind != .local
    else { return nil }
    return finding(
      lost, "was \(packet.ttl) on arrival, and forwarding takes 1",
      evidence: lost.errorEvidence + lost.reasonEvidence)
  }

  private static func finding(
    _ lost: LostPacket, _ what: String, evidence: [Evidence]
  ) -> Finding {
    let name = lost.version == 4 ? "TTL" : "hop limit"
    return error("its \(name) \(what): send it with a larger one", evidence: evidence)
  }

  /// The same at a router on the way.
  enum FarAway: Cause {
    static var page: FindingPage { TTLExpired.page }

    static func examine(_ lost: LostPacket) -> Finding? {
      guard let error = lost.errorFromAfar,
        (error.proto, error.icmp?.type) == (.icmp, 11)
          || (error.proto, error.icmp?.type) == (.icmpv6, 3)
      else { return nil }
      return finding(
        lost, "was used up at \(error.source), on the way to \(lost.packet.destination)",
        evidence: lost.errorEvidence)
    }
  }
}

extension LostPacket {
  /// The ICMP error that came back, if one did.
  var errorEvidence: [Evidence] {
    error.flatMap { $0.icmp == nil ? nil : [.refusal($0, isOurs: false)] } ?? []
  }

  /// An ICMP error about a packet that was sent, from another host.
  var errorFromAfar: Packet? {
    guard stage == .sent, let error, error.icmp != nil, !isOurError,
      !snapshot.isLocal(error.source)
    else { return nil }
    return error
  }
}
