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
      routes for the destination that point at each other. If a rule here set the TTL (`ip ttl set`, `-j TTL`),
      the finding names it, and the remedy lets this packet pass before it.
      """)

  static let needs: [Need] = [.ttlRules]
  static let isToldByRouting = true

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let packet = lost.packetInRouting, packet.ttl <= 1, lost.route?.route?.kind != .local
    else { return nil }
    if let setter = TTLSetter(lost) {
      return setter.finding(
        "and forwarding takes 1", evidence: lost.errorEvidence + lost.reasonEvidence)
    }
    return finding(
      lost, "was \(packet.ttl) on arrival, and forwarding takes 1",
      evidence: lost.errorEvidence + lost.reasonEvidence)
  }

  private static func finding(
    _ lost: LostPacket, _ what: String, evidence: [Evidence]
  ) -> Finding {
    error("its \(lost.ttlName) \(what): send it with a larger one", evidence: evidence)
  }

  /// The same at a router on the way.
  enum FarAway: Cause {
    static var page: FindingPage { TTLExpired.page }
    static let needs: [Need] = [.ttlRules]

    static func examine(_ lost: LostPacket) -> Finding? {
      guard let error = lost.errorFromAfar,
        (error.proto, error.icmp?.type) == (.icmp, 11)
          || (error.proto, error.icmp?.type) == (.icmpv6, 3)
      else { return nil }
      if let setter = TTLSetter(lost) {
        return setter.finding(
          "and it was used up at \(error.source), on the way to \(lost.packet.destination)",
          evidence: lost.errorEvidence)
      }
      return finding(
        lost, "was used up at \(error.source), on the way to \(lost.packet.destination)",
        evidence: lost.errorEvidence)
    }
  }
}

extension TTLExpired {
  /// A rule of this host's that gave the packet a smaller TTL.
  fileprivate struct TTLSetter {
    let lost: LostPacket
    let change: Change
    let rule: RuleStep?

    /// nil where its TTL was not changed but by forwarding. A cause that asks needs `.ttlRules`.
    init?(_ lost: LostPacket) {
      guard let change = lost.journey.way.legs.lazy.compactMap(\.ttlChange).last,
        let from = UInt8(change.from), let to = UInt8(change.to), to < from
      else { return nil }
      self.lost = lost
      self.change = change
      rule = lost.journey.way.rulesAtTTLChange.last { step in
        ["-j TTL", "-j HL", "ttl set", "hoplimit set"].contains { step.text?.contains($0) == true }
      }
    }

    func finding(_ consequence: String, evidence: [Evidence]) -> Finding {
      error(
        "\(rule.map { RuleNames.rule($0) } ?? "a rule on this host") set its \(lost.ttlName) from \(change.from) to "
          + "\(change.to), \(consequence)",
        evidence: (rule?.evidence ?? []) + evidence,
        remedy: try rule.flatMap { rule throws(Word.Unspeakable) in
          try Remedy.accept(lost, before: rule)
        }, at: rule.map { RuleNames.place($0, lost) })
    }
  }
}

extension Leg {
  /// The change of the TTL that forwarding did not make.
  fileprivate var ttlChange: Change? {
    changes.first { $0.field == .ttl && $0.cause != .forwarding }
  }
}

extension Way {
  /// The rules that a packet met where its TTL became another, and forwarding did not do it.
  var rulesAtTTLChange: [RuleStep] {
    legs.filter { $0.ttlChange != nil }.flatMap(\.rules).filter {
      $0.verdict == .continue && !$0.isPolicy
    }
  }
}

extension LostPacket {
  /// How the TTL is called in this IP version.
  var ttlName: String { version == 4 ? "TTL" : "hop limit" }

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
