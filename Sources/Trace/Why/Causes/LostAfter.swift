internal import Wire

extension FindingID {
  static let lostAfter = FindingID(rawValue: "lost-after")
}

/// When no cause fits: say so, with the last place and what was ruled out. Never guess.
enum LostAfter: Cause {
  static let page = FindingPage(
    .lostAfter, "Lost, and none of the known causes fits",
    meaning: """
      The packet was seen at a place and not at the next one, and none of the causes that nftrace knows
      explains it. The finding says where that was, what was ruled out, and what there is at that place
      that nftrace does not look into: XDP and tc programs, queues, IPsec, sockets.
      """,
    certainty: """
      That it was lost there is certain. Likely, if it was seen nowhere and the kernel's reasons are not
      to be had, or if a fragment waits for others. Possible, if all that is known is that a queue
      dropped packets meanwhile.
      """,
    conclusion: """
      The last hook that saw the packet, the verdicts of the rules there, and the kernel's own reason
      for the drop where it may be asked (CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN).
      """,
    advice: """
      Look at what the finding names: `ip link show` for an XDP program, `tc filter show` and `tc -s
      qdisc` for filters and queues, `ip xfrm policy` for IPsec, `ss -lnp` for a socket whose queue is
      full. If the kernel gave a reason, its name says much; include/net/dropreason-core.h in the
      kernel's source explains each. Run nftrace as root, and not in a container, to be told it.
      """)

  static let needs: [Need] = [.interfaceSetting(.disableIPv6), .host(.sockets)]

  static func examine(_ lost: LostPacket) -> Finding? {
    if let unknown = notTranslatedBack(lost) ?? unanswered(lost) { return unknown }
    // Conntrack puts fragments together at defrag, the first position of all.
    let isFragment =
      lost.stage == .within(.prerouting) && lost.last.point.priority < -399
      && lost.packet.fragment?.more == true
    return error(
      "the \(RuleNames.what(lost)) was lost after \(lost.last.name), "
        + (isFragment
          ? "where it waits for its other fragments: look for what drops those, here or on the way"
          : behind(lost)),
      confidence: isFragment ? .likely : .certain,
      evidence: evidence(lost) + (isFragment ? [.firstFragment] : []),
      at: Finding.Place(hook: lost.last.point.hook, table: lost.last.point.table))
  }

  /// It was delivered, and a program has the socket: what that made of it is not to be seen.
  private static func unanswered(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .delivered, !lost.isReply, let port = lost.packet.destinationPort,
      let socket = lost.listeners.first
    else { return nil }
    return error(
      "it was delivered to this host, and nothing answered it: "
        + (lost.isWithinConnection
          ? lost.connectionWords
          : "\(socket.programName) has \(lost.portName(port)); it, or a filter of its socket or its "
            + "control group, says nothing"),
      confidence: .likely,
      evidence: evidence(lost) + [lost.evidence(socket), .notReplied],
      at: Finding.Place(hook: lost.last.point.hook, table: lost.last.point.table))
  }

  /// Between what points it was lost, and what to look at there.
  private static func behind(_ lost: LostPacket) -> String {
    switch lost.stage {
    case .arrival where lost.dropReason == "OTHERHOST":
      "for its frame has another machine's MAC address: look at the entry for this host in 'ip "
        + "neigh' of who sent it"
    case .arrival: "before PREROUTING: look at tc ingress filters and at the packet itself"
    case .within(let hook): "inside \(hook.rawValue.uppercased())"
    case .routing: "between PREROUTING and the next hook"
    case .bridging: "within the bridge: look at 'bridge -d link' and 'bridge vlan'"
    case .beforePostrouting: "before POSTROUTING: look at xfrm policies"
    case .behindEgress
    where lost.journey.end.kernelDrop?.location?.hasPrefix("__dev_forward_skb") == true:
      "between \(lost.lowestDevice ?? "the interface") and its other end, which is down, or does not take packets of "
        + "\(lost.packet.length) octets: compare 'ip link' at both ends (mtu)"
    case .behindEgress:
      "behind the last hook of netfilter: look at '"
        + Remedy.look("tc -s qdisc show dev", at: lost.lowestDevice ?? "?")
        + "' and at tc egress filters"
    case .output:
      "behind the last hook: look at 'tc -s qdisc' and tc filters of "
        + "\(lost.outDevice ?? "the interface")"
    default: "somewhere behind \(lost.last.name)"
    }
  }

  /// What was ruled out.
  private static func evidence(_ lost: LostPacket) -> [Evidence] {
    var evidence: [Evidence] = [.seenLast(at: lost.last.name)]
    if lost.version == 6, let device = lost.last.inDevice,
      let setting = lost.setting(.disableIPv6, of: device), setting.value == "1"
    {
      evidence.append(.setting(setting.name, value: setting.value))
    }
    switch lost.stage {
    case .routing: if lost.route?.route != nil { evidence.append(.routed) }
    case .within(let hook): evidence.append(.droppedByNoRule(of: hook))
    case .output, .beforePostrouting: evidence.append(.nextHopKnown)
    default: break
    }
    evidence += lost.reasonEvidence
    return lost.dropReason == nil ? evidence + lost.snapshot.withoutReasons : evidence
  }

  /// An answer that stays here although another waits for it: conntrack did not know it.
  private static func notTranslatedBack(_ lost: LostPacket) -> Finding? {
    guard lost.isReply, lost.stage == .delivered, lost.destinationChange == nil,
      let request = lost.exchange.request,
      request.way.last.packet.source != request.packet.source,
      request.way.last.packet.source == lost.packet.destination
    else { return nil }
    let state = lost.journey.connection?.state
    return error(
      "the answer was delivered to this host and not translated back to \(request.packet.source): "
        + "conntrack did not know it as an answer; look for rules with 'ct zone' or notrack that "
        + "fit one direction alone",
      confidence: .likely,
      evidence: [.answerDeliveredTo(source: lost.packet.destination)]
        + (state.map { [.answerState($0)] } ?? []),
      at: Finding.Place(hook: lost.last.point.hook, table: lost.last.point.table))
  }

  /// A packet that was dropped before any hook saw it: by XDP, a tc ingress filter or a driver. The
  /// kernel says so where it may be asked; that a probe was seen nowhere says it as well.
  static func beforeAnyHook(
    _ exchange: Exchange, _ unseen: [(packet: Packet, drop: DropEvent)], _ header: SessionHeader?,
    _ snapshot: Snapshot
  ) -> Finding? {
    guard exchange.journeys.isEmpty || (exchange.reply == nil && !unseen.isEmpty) else {
      return nil
    }
    let last = unseen.last
    let device =
      last.flatMap { snapshot.name($0.drop.device) } ?? header?.probe?.device ?? "the interface"
    let what = exchange.journeys.isEmpty ? "packet" : "answer"
    if let last, let verdict = KernelVerdict(last.drop, of: what, device: device, snapshot) {
      let causes: [any KernelWord.Type] = [XDPDrop.self, TCDrop.self, QdiscDrop.self]
      return causes.first { $0.reasons.contains(verdict.reason) }?.finding(verdict)
        ?? DroppedByKernel.finding(verdict)
    }
    if last == nil, let suspected = XDPDrop.suspected(on: device, what, snapshot) {
      return suspected
    }
    return error(
      "the \(what) was lost on arrival at \(device), before any hook: look for an XDP program "
        + "('\(Remedy.look("ip link show", at: device))') and for tc ingress filters "
        + "('\(Remedy.look("tc filter show dev", at: device, " ingress"))')",
      confidence: last == nil ? .likely : .certain,
      evidence: last.map { evidence($0.drop) } ?? [.seenNowhere] + snapshot.withoutReasons,
      at: Finding.Place(hook: .ingress))
  }

  private static func evidence(_ drop: DropEvent) -> [Evidence] {
    drop.reason.map { [.dropReason($0, place: drop.location)] } ?? []
  }

  /// A packet of this host's own that it would not send, with an errno that no cause knows.
  static func notSent(_ errno: Int32) -> Finding {
    error(
      "this host did not send it: \(ErrorName.words(errno))", evidence: [.sendingRefused(errno)])
  }

  /// Where the kernel may not be asked for its reasons, the counters of queues and tc filters are all
  /// there is: they do not tell whose packet it was, nor, of a filter, whether it came or went.
  enum InQueue: Cause {
    static var page: FindingPage { LostAfter.page }
    static let needs: [Need] = [.interfaceCounter(.queueDropped)]

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.stage == .sent, !lost.isReply, let device = lost.outDevice,
        !lost.snapshot.withoutReasons.isEmpty
      else { return nil }
      let dropped = lost.delta(.queueDropped, of: device)
      guard dropped > 0 else { return nil }
      return error(
        "a queue or tc filter of \(device) dropped "
          + (dropped == 1 ? "a packet" : "\(dropped) packets")
          + " meanwhile, perhaps this one or its answer: look at '"
          + Remedy.look("tc -s qdisc show dev", at: device) + "' and at the filters there",
        confidence: .possible,
        evidence: [.queueDropped(by: device, count: dropped)] + lost.snapshot.withoutReasons,
        at: Finding.Place(hook: .egress))
    }
  }
}
