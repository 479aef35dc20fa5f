internal import Wire

extension FindingID {
  static let missingMasquerade = FindingID(rawValue: "missing-masquerade")
}

/// A private source went out to where nobody knows it.
enum MissingMasquerade: Cause {
  static let page = FindingPage(
    .missingMasquerade, "Sent with a private source that no rule translates",
    meaning: """
      The packet left for another network with a private source address (RFC 1918, RFC 4193). The
      machines there have no route back to it, so no answer can come. A rule that masquerades it is
      missing, or does not fit this interface or source, or another rule takes the packet out before it, or it is not
      in force: its table is dormant, or no hook leads to its chain.
      """,
    certainty: """
      Likely for a public destination. Possible for a private one: a router there may well have a route
      back. Possible for a UDP datagram, too, but for one to port 53: many services say nothing to a stranger.
      """,
    conclusion: """
      The packet was sent by another interface than it came in by, its source is private, unchanged and
      no address of this host, its destination lies outside, and nothing came back. Conntrack's entry
      for the connection is UNREPLIED, and waits for an answer for that source.
      """,
    advice: """
      Run the remedy: it adds a masquerade rule for the source's subnet and the outgoing interface, in
      the words of the firewall that is there; where a rule takes the packet out before, it stands before
      that; a rule that is there and not in force is put into force. `nftrace ping --masquerade` tries it for as long as the command runs. If the other side should know your subnet, it needs a route back to this host
      instead.
      """)

  static let needs: [Need] = [.neighbours, .host(.sourceTranslations)]

  static var isToldBySilence: Bool { true }

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, lost.sourceChange == nil, !lost.isFromHere, !lost.isReply,
      lost.packet.source.isPrivate, lost.isBoundOutside,
      // Who is on the same bridge answers the sender without this host.
      !lost.journey.isBridged,
      // Out by the way it came in: the answer finds the sender without this host.
      lost.outDevice != lost.inDevice,
      // What was answered has a way back.
      lost.journey.connection?.state != .established,
      lost.journey.connection?.status.contains(.seenReply) != true
    else { return nil }
    let device = lost.outDevice ?? "?"
    let source = lost.packet.source
    var evidence: [Evidence] = []
    if lost.journey.connection?.status.contains(.seenReply) == false {
      evidence.append(.unreplied(source))
    }
    if let own = lost.snapshot.address(of: device, version: lost.version) {
      evidence.append(.address(own, of: device))
    }
    let near = NearMiss.sourceTranslations(lost)
    evidence += near.map(\.evidence)
    let confidence: Finding.Confidence =
      lost.packet.destination.isPrivate || lost.packet.isUnlikelyAnswered ? .possible : .likely
    if let asleep = RuleNotInForce(translating: lost) {
      return error(
        "it left \(device) with the private source \(source), so the answer has no way back: \(asleep.words)",
        confidence: confidence, evidence: [.nearTranslation(asleep.rule.text)] + evidence,
        remedy: try asleep.remedy
      ).withoutWayBack(to: source)
    }
    if let exempting = lost.exemptingRule {
      return error(
        "it left \(device) with the private source \(source), so the answer has no way back: "
          + "\(RuleNames.rule(exempting)) takes it out before a rule would translate it",
        confidence: confidence, evidence: exempting.evidence + evidence,
        remedy: try Remedy.masquerade(
          lost, from: subnet(lost), device: device, before: exempting),
        at: RuleNames.place(exempting, lost)
      ).withoutWayBack(to: source)
    }
    let own = lost.snapshot.address(of: device, version: lost.version)?.address
    let lead = "it left \(device) with the private source \(source)"
    // A private network may know another one.
    let words =
      lost.packet.destination.isPrivate
      ? "\(lead), and nothing came back: no rule translates it, and the other side may have no route to "
        + "\(subnet(lost))"
        + (own.map {
          " ('ip route add \(RoutingWords.word(subnet(lost)).text) via \($0)' there makes one, the remedy hides the source instead)"
        } ?? "")
      : "\(lead): no rule translates it, so the answer has no way back"
    return error(
      words + near.map { "; \($0.words)" }.joined(),
      confidence: confidence, evidence: evidence,
      remedy: try Remedy.masquerade(lost, from: subnet(lost), device: device),
      // A rule that it does not get past may be before it.
      alternatives: [false, true].map {
        try? Remedy.masquerade(lost, from: subnet(lost), device: device, first: $0)
      }
    ).withoutWayBack(to: source)
  }

  /// The subnet the source is in, as the interface it came in by knows it.
  private static func subnet(_ lost: LostPacket) -> Prefix {
    let source = lost.packet.source
    let network = lost.snapshot.address(of: lost.inDevice, version: lost.version)?.network
    return network.flatMap { $0.contains(source) ? $0 : nil } ?? Prefix(source)
  }
}

extension LostPacket {
  /// The rule by which the packet left the chains that translate sources, though one of their rules would have taken
  /// it. A cause that looks at it needs `.host(.sourceTranslations)`.
  fileprivate var exemptingRule: RuleStep? {
    let chains = snapshot.baseChains.filter { $0.type == "nat" && $0.hook == .postrouting }
    let legs = journey.way.legs.filter { [.postrouting, .egress].contains($0.hop.point.hook) }
    let rule = legs.flatMap(\.rules).last { step in
      let isNAT =
        step.isLegacy
        ? step.table == "nat"
        : chains.contains { $0.family == step.family && $0.table == step.table }
      return isNAT && !step.isPolicy && takesOut(step)
    }
    guard let rule else { return nil }
    let translations = host(.sourceTranslations).sourceRules ?? []
    return translations.contains {
      $0.family == rule.family && $0.table == rule.table
        && RuleConditions($0.text).difference(self) == nil
    } ? rule : nil
  }

  /// Whether what fits the rule meets no more rules: what returns goes on where it came from.
  private func takesOut(_ step: RuleStep) -> Bool {
    let accepts = step.verdict == .accept || step.isLegacy && conditions(step)?.accepts == true
    let returns = step.verdict == .return || step.isLegacy && conditions(step)?.letsPass == true
    return accepts || returns && journey.way.path(to: step).isEmpty
  }

  private func conditions(_ step: RuleStep) -> RuleConditions? {
    step.text.map { RuleConditions($0) }
  }
}

extension Packet {
  /// Whether it may well get no answer though all is right: of services of UDP, only DNS is asked in its own words.
  fileprivate var isUnlikelyAnswered: Bool { proto == .udp && destinationPort != 53 }
}
