internal import Wire

extension FindingID {
  static let staleConnection = FindingID(rawValue: "stale-connection")
}

/// Conntrack translates the packet as rules of before had it.
enum StaleConnection: Cause {
  static let page = FindingPage(
    .staleConnection, "Conntrack treats the packet as the rules of before did",
    meaning: """
      Conntrack remembers what NAT did with the first packet of a flow, and does the same with all that follow. An
      entry lives on while packets of its flow come: a client that always sends from the same port keeps it
      alive for ever. Rules that were changed meanwhile, or came only after the first packet, are not asked.
      """,
    certainty: """
      Certain: the same packet was sent from another port, as a flow of its own, and was translated otherwise. Likely in
      a recording, where nobody could send that: conntrack had the entry before, no rule was asked, and whom it leads to
      is not there.
      """,
    conclusion: """
      Conntrack had the entry before the packet came. Its addresses behind NAT, or where it has none, are not
      those that the same packet has that begins a flow. Where rules spread connections over several targets,
      nothing is concluded from that.
      """,
    advice: """
      The remedy deletes this entry alone; the next packet of the flow meets the rules. Who changes NAT rules
      deletes the entries that they concern as a rule: `conntrack -D` with the old addresses, or `conntrack -F`
      for all, which breaks what is open. Rules are best loaded before interfaces come up.
      """)

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let request = lost.exchange.request, request.connection?.wasKnown == true,
      let witness = lost.witness, !request.isStopped(like: witness), !isSpread(witness)
    else { return nil }
    let old = Translation(request)
    let new = Translation(witness)
    let flow = flow(request)
    if let (was, would) = differing(old.destination, new.destination) {
      return finding(
        "conntrack still sends \(flow) "
          + (was.map { "to \($0)" } ?? "on without translating its destination")
          + (would.map { ", where a new connection goes to \($0)" }
            ?? ", where a new connection's destination stays as it is"),
        request, isSource: false, was, would)
    }
    if let (was, would) = differing(old.source, new.source) {
      return finding(
        "conntrack still sends \(flow) "
          + (was.map { "on with the source \($0)" } ?? "on with its own source")
          + (would.map { ", where a new connection gets \($0)" }
            ?? ", where a new connection keeps its own"),
        request, isSource: true, was, would)
    }
    return nil
  }

  /// The same of recorded traffic, which this host refused as nobody is where the entry leads.
  enum Recorded: Cause {
    static var page: FindingPage { StaleConnection.page }
    static var isToldByRefusal: Bool { true }

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.header?.probe == nil, let refusal = lost.refusal, refusal.isOurs,
        refusal.packet.isUnreachableHost,
        lost.journey.connection?.wasKnown == true || isTranslatedByNoRule(lost),
        // What a rule dropped was refused by that, and what was said of an earlier packet is no word about this one.
        lost.journey.end.decider == nil, lost.destinationChange != nil
      else { return nil }
      let packet = lost.packet
      let target = RuleNames.end(packet.destination, packet.destinationPort)
      return error(
        "conntrack still sends \(flow(lost.journey)) to \(target), as an earlier packet's rule had it, and nobody is "
          + "there: where that rule is another by now, the entry has to go",
        confidence: .likely,
        evidence: [
          .connectionKnown(packet: lost.journey.id),
          .translated(isSource: false, to: target, isNew: false),
          .refusal(refusal.packet, isOurs: true),
        ], remedy: deletion(lost.journey))
    }
  }

  /// Whether a packet was translated, and met no rule that does it: only the first of a connection does. An entry that nobody
  /// answered yet has no other sign.
  private static func isTranslatedByNoRule(_ lost: LostPacket) -> Bool {
    lost.destinationChange != nil && !lost.journey.way.rules.contains { $0.translation != nil }
      && !lost.snapshot.legacyTables(version: lost.version).contains("nat")
  }

  /// Whether rules that are there give new connections different targets: then that two have different ones
  /// says nothing. kube-proxy's rule of chance is not met by what it passes over, but stands in such a chain.
  private static func isSpread(_ witness: Journey) -> Bool {
    witness.way.rules.contains { step in
      step.chain.hasPrefix("KUBE-SVC-")
        || ["numgen ", "jhash ", "symhash ", "-m statistic "].contains {
          step.text?.contains($0) == true
        }
    }
  }

  /// Where both packets got as far as being translated, and not to the same.
  private static func differing(
    _ old: Translation.Target, _ new: Translation.Target
  ) -> (String?, String?)? {
    guard case .known(let was) = old, case .known(let would) = new, was != would else { return nil }
    return (was, would)
  }

  private static func finding(
    _ summary: String, _ request: Journey, isSource: Bool, _ was: String?, _ would: String?
  ) -> Finding? {
    error(
      summary, confidence: .certain,
      evidence: [
        .connectionKnown(packet: request.id),
        .translated(isSource: isSource, to: was, isNew: false),
        .translated(isSource: isSource, to: would, isNew: true),
      ],
      remedy: deletion(request))
  }

  /// "10.0.0.1:40999 to 10.0.0.2:53", as the client sends it.
  private static func flow(_ request: Journey) -> String {
    let packet = request.packet
    return RuleNames.end(packet.source, packet.sourcePort) + " for "
      + RuleNames.end(packet.destination, packet.destinationPort)
  }

  /// Deletes the entry of this flow, and no other's.
  private static func deletion(_ request: Journey) -> Command? {
    let packet = request.packet
    let tuple = request.connection?.original
    let source = tuple?.source ?? packet.source
    let destination = tuple?.destination ?? packet.destination
    let ports =
      tuple.map { ($0.sourcePort, $0.destinationPort) }
      ?? (packet.sourcePort, packet.destinationPort)
    guard let sourcePort = ports.0, let destinationPort = ports.1 else { return nil }
    let family: Command = source.family == 6 ? "-f ipv6 " : ""
    return "conntrack -D \(family)-p \(packet.proto) --orig-src \(source)"
      + " --orig-dst \(destination) --sport \(sourcePort) --dport \(destinationPort)"
  }
}

/// What NAT made of a packet on its way through this host.
private struct Translation {
  /// Where one of its ends was translated to.
  enum Target: Equatable {
    /// It did not get as far as that.
    case unknown
    /// To this; nil for nothing.
    case known(String?)
  }

  let destination: Target
  let source: Target

  init(_ journey: Journey) {
    let first = journey.way.first.packet
    let hooks = journey.hops.map(\.point.hook)
    let last = journey.way.last
    // The destination is translated before routing, for what comes in and what is sent here; the source
    // behind it.
    let isRouted = hooks.contains { [.input, .forward, .postrouting].contains($0) }
    let isSent = journey.end.kind == .transmitted || hooks.contains(.egress)
    destination =
      isRouted ? .known(Self.target(first, last.packet, isSource: false)) : .unknown
    source = isSent ? .known(Self.target(first, last.packet, isSource: true)) : .unknown
  }

  /// The source without its port: of that, connections have different ones.
  private static func target(_ first: Packet, _ last: Packet, isSource: Bool) -> String? {
    if isSource { return first.source == last.source ? nil : "\(last.source)" }
    guard
      first.destination != last.destination || first.destinationPort != last.destinationPort
    else { return nil }
    return RuleNames.end(last.destination, last.destinationPort)
  }
}

extension Packet {
  /// Whether it says that nobody answers for an address: host unreachable (RFC 792), address unreachable (RFC 4443).
  fileprivate var isUnreachableHost: Bool {
    icmp.map { proto == .icmp ? $0.type == 3 && $0.code == 1 : $0.type == 1 && $0.code == 3 }
      ?? false
  }
}

extension Journey {
  /// Whether one rule stopped both.
  fileprivate func isStopped(like other: Journey) -> Bool {
    guard end.isStopped, other.end.isStopped else { return false }
    return end.decider?.rule.ref == other.end.decider?.rule.ref
      && end.decider?.rule.chain == other.end.decider?.rule.chain
  }
}
