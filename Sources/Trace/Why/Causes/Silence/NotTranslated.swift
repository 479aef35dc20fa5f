internal import Wire

extension FindingID {
  static let notTranslated = FindingID(rawValue: "not-translated")
}

/// There is a NAT rule, but conntrack does not follow this packet.
enum NotTranslated: Cause {
  static let page = FindingPage(
    .notTranslated, "NAT passed over the packet",
    meaning: """
      This host translates sources, and yet the packet left with the source it came with; or it translates
      destinations, and the packet kept its own. NAT works on connections: packets that conntrack calls
      invalid, and those that a rule exempts from tracking (`notrack`, `-j NOTRACK`), are never translated.
      Nor is an answer translated back that conntrack has in another zone than its request, or that comes when
      conntrack has forgotten that.
      """,
    certainty: """
      Likely where no answer came: that fits, and it is not seen why. Certain where the packet came to this
      host itself, or the answer was seen.
      """,
    conclusion: """
      The packet was sent with an untranslated source that is no address of this host, there is a rule
      in a nat chain of POSTROUTING, and conntrack's state of the packet is `invalid` or `untracked`. Or a
      NAT rule for the packet's port fits it, its destination was not translated, and its state is
      `untracked`. The rules that it met before conntrack looked at it are asked for.
      """,
    advice: """
      Untracked: take the notrack rule away for this traffic, or make it more exact. Invalid: see what
      makes it so (`invalid-state-drop` says what can), and drop invalid packets in FORWARD: what cannot
      be translated should not leave.
      """)

  static let needs: [Need] = [.host(.sourceTranslations), .trackingRules]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, lost.sourceChange == nil, !lost.isFromHere, hasNAT(lost) else {
      return nil
    }
    let state = lost.isInvalid ? Connection.State.invalid : lost.journey.connection?.state
    guard let state, state == .invalid || state == .untracked else { return nil }
    return error(
      "it left \(lost.outDevice ?? "this host") with the source \(lost.packet.source): NAT "
        + "passes over packets of state \(state.rawValue)"
        + (lost.exemption.map { " (\(RuleNames.rule($0)) exempts it from tracking)" } ?? ""),
      confidence: .likely,
      evidence: [.connectionState(state)] + (lost.exemption?.evidence ?? []),
      remedy: try lost.trackingRemedy, alternatives: lost.trackingAlternatives
    ).withoutWayBack(to: lost.packet.source)
  }

  private static func hasNAT(_ lost: LostPacket) -> Bool {
    // Chains without a rule translate nothing, and do not switch conntrack on.
    lost.host(.sourceTranslations).sourceTranslations != 0
      && lost.snapshot.baseChains.contains { $0.type == "nat" && $0.hook == .postrouting }
      || lost.header?.legacyNAT[lost.version]?.isEmpty == false
  }

  /// The request was translated here, and its answer passed by without being translated back.
  enum Reply: Cause {
    static var page: FindingPage { NotTranslated.page }
    static let needs: [Need] = [.trackingRules] + ExpiredEntry.needs

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.isReply, lost.metIP, lost.stage == .sent || lost.stage == .delivered,
        let plan = lost.header?.probe, !plan.isAnswer(lost.last.packet),
        let request = lost.request, request.destinationChange ?? request.sourceChange != nil,
        lost.destinationChange == nil, lost.sourceChange == nil
      else { return nil }
      let packet = lost.last.packet
      let state = lost.isInvalid ? Connection.State.invalid : lost.journey.connection?.state
      let parted = PartedZones(ofAnswer: lost)
      let rule = lost.exemption
      if parted == nil, rule == nil, let expired = ExpiredEntry(ofAnswer: lost) {
        return error(
          "the answer passed this host with the source \(packet.source) and was not translated back: \(expired.words)",
          confidence: .likely,
          evidence: [.answerFrom(packet)] + (state.map { [.answerState($0)] } ?? [])
            + [.setting(expired.setting.name, value: "\(expired.seconds)")],
          remedy: expired.remedy)
      }
      return error(
        "the answer passed this host with the source \(packet.source) and was not translated back: "
          + (parted?.words ?? rule.map { "\(RuleNames.rule($0)) exempts it from tracking" }
            ?? "conntrack did not take it for an answer to what was translated "
            + "(look for notrack rules, and for ct zones that differ between the directions)"),
        evidence: [.answerFrom(packet)] + (state.map { [.answerState($0)] } ?? [])
          + (parted?.evidence ?? rule?.evidence ?? []),
        remedy: try Remedy.first(parted?.remedy, lost.trackingRemedy))
    }
  }

  /// A segment of a connection that conntrack does not know came to this host itself, where destinations are translated: who
  /// sent it is told that there is no such connection.
  enum Delivered: Cause {
    static var page: FindingPage { NotTranslated.page }
    static var isToldByRefusal: Bool { true }

    static func examine(_ lost: LostPacket) -> Finding? {
      guard !lost.isReply, lost.stage == .delivered, lost.isInvalid, lost.destinationChange == nil,
        let tcp = lost.packet.tcp, !tcp.flags.contains(.syn), !tcp.flags.contains(.rst),
        lost.snapshot.baseChains.contains(where: { $0.type == "nat" && $0.hook == .prerouting })
      else { return nil }
      return error(
        "the segment belongs to no connection that conntrack knows (its state is invalid), so NAT passed it "
          + "over, and it came to \(lost.packet.destination) itself, which refuses it",
        evidence: [.connectionState(.invalid)])
    }
  }
  /// A rule forwards the port, and conntrack was told to pass over the packet.
  enum Destination: Cause {
    static var page: FindingPage { NotTranslated.page }
    static let needs: [Need] = [.host(.portForwards), .trackingRules]
    static var isToldByRefusal: Bool { true }

    static func examine(_ lost: LostPacket) -> Finding? {
      guard !lost.isReply, lost.stage != .ruled, lost.journey.connection?.state == .untracked,
        let rule = NearMiss.fittingPortForward(lost)
      else { return nil }
      return error(
        "it kept its destination \(lost.packet.destination), for NAT passes over packets of state untracked: "
          + (lost.exemption.map { "\(RuleNames.rule($0)) exempts it from tracking" }
            ?? "a rule exempts it from tracking")
          + ", and the rule that forwards the port is not asked: \(Escape.text(rule.text))",
        evidence: [.connectionState(.untracked)] + (lost.exemption?.evidence ?? [])
          + [.nearTranslation(rule.text)],
        remedy: try lost.trackingRemedy, alternatives: lost.trackingAlternatives)
    }
  }
}
