internal import Wire

extension FindingID {
  static let notTranslated = FindingID(rawValue: "not-translated")
}

/// There is a NAT rule, but conntrack does not follow this packet.
enum NotTranslated: Cause {
  static let page = FindingPage(
    .notTranslated, "NAT passed over the packet",
    meaning: """
      This host translates sources, and yet the packet left with the source it came with. NAT works on
      connections: packets that conntrack calls invalid, and those that a rule exempts from tracking
      (`notrack`, `-j NOTRACK`), are never translated. Nobody on the other side can answer them.
      """,
    certainty: """
      Always likely: that no answer came is what fits, and it is not seen why.
      """,
    conclusion: """
      The packet was sent with an untranslated source that is no address of this host, there is a rule
      in a nat chain of POSTROUTING, and conntrack's state of the packet is `invalid` or `untracked`.
      """,
    advice: """
      Untracked: take the notrack rule away for this traffic, or make it more exact. Invalid: see what
      makes it so (`invalid-state-drop` says what can), and drop invalid packets in FORWARD: what cannot
      be translated should not leave.
      """)

  static let needs: [Need] = [.host(.sourceTranslations)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, lost.sourceChange == nil, !lost.isFromHere, hasNAT(lost) else {
      return nil
    }
    let state = lost.isInvalid ? Connection.State.invalid : lost.journey.connection?.state
    guard let state, state == .invalid || state == .untracked else { return nil }
    return error(
      "it left \(lost.outDevice ?? "this host") with the source \(lost.packet.source): NAT "
        + "passes over packets of state \(state.rawValue)", confidence: .likely,
      evidence: [.connectionState(state)])
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

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.isReply, lost.metIP, lost.stage == .sent || lost.stage == .delivered,
        let plan = lost.header?.probe, !plan.isAnswer(lost.last.packet),
        let request = lost.request, request.destinationChange ?? request.sourceChange != nil,
        lost.destinationChange == nil, lost.sourceChange == nil
      else { return nil }
      let packet = lost.last.packet
      let state = lost.isInvalid ? Connection.State.invalid : lost.journey.connection?.state
      return error(
        "the answer passed this host with the source \(packet.source) and was not translated back: "
          + "conntrack did not take it for an answer to what was translated "
          + "(look for notrack rules, and for ct zones that differ between the directions)",
        evidence: [.answerFrom(packet)] + (state.map { [.answerState($0)] } ?? []))
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
}
