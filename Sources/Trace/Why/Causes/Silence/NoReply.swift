internal import Wire

extension FindingID {
  static let noReply = FindingID(rawValue: "no-reply")
}

/// All went well here, and nothing came back.
enum NoReply: Cause {
  static let page = FindingPage(
    .noReply, "It left in order, and nothing came back",
    meaning: """
      This host did everything right: the packet passed its rules, was routed, translated where it had
      to be, and sent. No answer came, or another machine refused the packet. The fault lies with the
      destination, or on the way there or back. Where the next machine is a container, or another network
      namespace of this machine, and the kernel dropped the packet or its answer there, it says so, and the
      finding has the namespace's name.
      """,
    certainty: """
      Certain if another machine sent an ICMP error, or the kernel told of the drop in another namespace.
      Likely if nothing came at all. Possible if an XDP program on the interface may have dropped the answer
      before any hook.
      """,
    conclusion: """
      The packet was seen leaving by an interface, and no cause on this host fits. The state of the next
      hop is in the evidence: REACHABLE says that it has taken packets of late.
      """,
    advice: """
      On the other machine, look at its firewall, at the service, and at its route back to the source:
      `nftrace ping --in IFACE -s SOURCE DEST` there tells which of them it is. In another network namespace of
      this machine, give --netns twice: `nftrace ping --netns HERE --netns THERE DEST` follows the packet through
      both, and names the rule. On the way, `traceroute` with the same protocol and port shows how far packets
      get. If the packet was bridged or redirected past IP, look at the rules of the bridge and at `tc filter`.
      """)

  static let needs: [Need] = [.neighbours]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, !lost.isReply else { return nil }
    if let elsewhere = elsewhere(lost) { return elsewhere }
    let device = lost.outDevice ?? "?"
    let evidence = [.sent(through: device, source: lost.packet.source)] + nextHop(lost)
    let target = lost.packet.destination
    if lost.isWithinConnection {
      return error(
        "it left \(device) in order, and nothing came back: \(lost.connectionWords)",
        confidence: .likely, evidence: evidence + [.connectionKnown(packet: lost.journey.id)])
    }
    if lost.snapshot.link(device)?.hasXDP == true {
      return error(
        "it left \(device) in order, and no hook saw an answer: the XDP program on \(device) may have "
          + "dropped it ('\(Remedy.look("ip link show", at: device))'), or \(target) and the way "
          + "there and back are to be looked at", confidence: .possible,
        evidence: evidence + [.xdpProgram(device)])
    }
    return error(
      "it left \(device) in order, and nothing came back: look at "
        + (lost.isBoundOutside
          ? "\(target) and at the way there and back"
          : "the service and the firewall on \(target), and at its route back to "
            + "\(lost.packet.source)") + writtenDown(lost) + askedBack(lost)
        + BridgeStaticEntry.words(lost),
      confidence: .likely, evidence: evidence)
  }

  /// Nobody asks for a MAC address that was written down, and nothing says whether it still is the machine's.
  private static func writtenDown(_ lost: LostPacket) -> String {
    guard case .nextHop(let hop, let state) = nextHop(lost).first, state.contains(.permanent)
    else { return "" }
    return "; the MAC address of \(hop) was written down by hand (PERMANENT): see that it is right"
  }

  /// A neighbour on a bridge asks for the client before it answers him, and nftrace does not answer in his place.
  private static func askedBack(_ lost: LostPacket) -> String {
    guard lost.journey.isBridged, let plan = lost.header?.probe, plan.entrance == .arriving,
      let port = plan.device, !lost.packet.destination.isMulticast
    else { return "" }
    return
      "; who has it asks for \(lost.packet.source) by \(lost.version == 4 ? "ARP" : "neighbour discovery") first: see that "
      + "somebody behind \(Escape.name(port)) has that address"
  }

  /// The handshake went the same way and was answered, and a segment with data was not: it is no fault of the way
  /// itself.
  enum AfterHandshake: Cause {
    static var page: FindingPage { NoReply.page }
    static let needs: [Need] = [.neighbours]

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.header?.probe?.data != nil, lost.stage == .sent, !lost.isReply,
        lost.journey.packet.carriesData
      else { return nil }
      if var elsewhere = elsewhere(lost) {
        elsewhere.summary = "the handshake was answered; " + elsewhere.summary
        return elsewhere
      }
      let device = lost.outDevice ?? "?"
      let octets = lost.packet.length
      // RFC 791 and RFC 8200: what every link takes.
      let isLong = octets > (lost.version == 4 ? 576 : 1280)
      return error(
        "the handshake was answered, and this segment of \(octets) octets left \(device) in order and was not: "
          + "somebody behind it drops it for what it says"
          + (isLong
            ? ", or for its length, and no ICMP error about that comes back (a path MTU black hole): try a smaller "
              + "--size" : ""),
        confidence: .likely,
        evidence: [.sent(through: device, source: lost.packet.source)] + nextHop(lost))
    }
  }

  /// The handshake was answered, and the segment with data with a reset.
  enum ResetAfterHandshake: Cause {
    static var page: FindingPage { NoReply.page }
    static var isToldByRefusal: Bool { true }

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.header?.probe?.data != nil, !lost.isReply, lost.journey.packet.carriesData,
        let refusal = lost.refusal, refusal.packet.icmp == nil, !refusal.isOurs
      else { return nil }
      return error(
        "\(refusal.packet.source) took the connection, and reset it when this segment came: the program there closed "
          + "it and did not read, or somebody on the way refuses what it says", confidence: .likely,
        evidence: [.refusal(refusal.packet, isOurs: false)])
    }
  }

  /// Another network namespace of this machine dropped it, as the kernel says.
  private static func elsewhere(_ lost: LostPacket, _ evidence: [Evidence] = []) -> Finding? {
    guard let words = lost.wordsElsewhere() else { return nil }
    let device = lost.outDevice ?? "?"
    return error(
      "it left \(device) in order for \(lost.packet.destination), and \(words)",
      confidence: lost.isElsewhereCertain || lost.errorFromAfar != nil ? .certain : .likely,
      evidence: [.sent(through: device, source: lost.packet.source)] + lost.evidenceElsewhere
        + evidence)
  }

  /// The same where that alone is why, whatever else is unusual with it.
  enum EndedElsewhere: Cause {
    static var page: FindingPage { NoReply.page }

    static func examine(_ lost: LostPacket) -> Finding? {
      lost.stage == .sent && !lost.isReply && lost.hasEndedElsewhere ? elsewhere(lost) : nil
    }
  }

  /// What is known of the machine that it was handed to.
  private static func nextHop(_ lost: LostPacket) -> [Evidence] {
    guard
      let hop = lost.route?.route?.gateway
        ?? (lost.isBoundOutside ? nil : lost.packet.destination),
      let neighbour = lost.snapshot.addresses.neighbour(hop)
    else { return [] }
    return [.nextHop(hop, neighbour.state)]
  }

  /// It was refused where it was delivered, in one of the network namespaces, and the refusal did not come back.
  enum OfRefusal: Cause {
    static var page: FindingPage { NoReply.page }
    static let needs: [Need] = [.routes]

    static func examine(_ lost: LostPacket) -> Finding? {
      guard !lost.hasComeBack, lost.exchange.request?.end.isThrough == true,
        let refusal = lost.exchange.journeys.last(where: {
          $0.direction == .error || $0.direction == .reply && $0.packet.isRefusal
        })
      else { return nil }
      return NoReply.ofAnswer(
        "it was refused, and the refusal (\(RuleNames.refusal(refusal.packet)))",
        lost.looking(at: refusal))
    }
  }

  /// The same of an answer.
  enum OfAnswer: Cause {
    static var page: FindingPage { NoReply.page }
    static let needs: [Need] = [.routes]

    static func examine(_ lost: LostPacket) -> Finding? {
      lost.isReply ? NoReply.ofAnswer("it was answered, and the answer", lost) : nil
    }
  }

  /// What went back from a namespace behind the one that asked, and was not seen any more.
  private static func ofAnswer(_ words: String, _ answer: LostPacket) -> Finding? {
    guard let walk = answer.header?.walk, walk.place > 0, answer.stage == .sent else { return nil }
    let device = answer.outDevice ?? "?"
    let evidence: [Evidence] =
      [.sent(through: device, source: answer.packet.source)]
      + (PolicyRouting(answer).route.map { [.route($0)] } ?? []) + answer.evidenceElsewhere
    let to = "\(words) left \(device) in order for \(answer.packet.destination)"
    if let elsewhere = answer.wordsElsewhere() {
      return error(
        "\(to), and \(elsewhere)", confidence: answer.isElsewhereCertain ? .certain : .likely,
        evidence: evidence)
    }
    return error(
      "\(to), and did not come back to \(walk.sites[0].words): look at what is on the way "
        + "there", confidence: .likely, evidence: evidence)
  }

  /// An ICMP error came from somewhere else: not this host's doing.
  enum FarAway: Cause {
    static var page: FindingPage { NoReply.page }

    static func examine(_ lost: LostPacket) -> Finding? {
      guard let source = lost.errorFromAfar?.source else { return nil }
      if let elsewhere = elsewhere(lost, lost.errorEvidence) { return elsewhere }
      let isTarget = source == lost.packet.destination
      return error(
        "\(isTarget ? "the destination" : "a router on the way,") \(source) refused it, not this "
          + "host: look there", evidence: lost.errorEvidence)
    }
  }

  /// It came in and went out, and IP saw nothing of it: no rule, no route, no connection.
  enum PastHooks: Cause {
    static var page: FindingPage { NoReply.page }

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.stage == .sent, !lost.isReply, let device = lost.inDevice, !lost.metIP else {
        return nil
      }
      if let elsewhere = elsewhere(lost) { return elsewhere }
      let out = lost.outDevice ?? "another interface"
      let bridge = lost.snapshot.bridge(of: device)
      let isBridged = bridge != nil && bridge == lost.snapshot.bridge(of: lost.outDevice)
      let way =
        isBridged
        ? "\(bridge ?? "") bridged it from \(device) to \(out), past routing and all tables of IP"
        : "it went from \(device) to \(out) past routing and all tables of IP, as what is redirected by "
          + "'fwd' or tc does"
      let rules = lost.journey.way.rules
      return error(
        "\(way), and nothing came back: look at \(lost.packet.destination)", confidence: .likely,
        evidence: [.seenAtInterfacesOnly] + rules.flatMap(\.evidence))
    }
  }
}
