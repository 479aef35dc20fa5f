internal import Wire

extension Story {
  /// An open journey as it stands: changes explained, rules named, its end judged. If nobody else has it, its hops are changed
  /// where they are.
  func journey(_ unjudged: consuming OpenJourney) -> Journey {
    var open = unjudged
    if let step = legacyVerdict(open) {
      open.way.setVerdictOfLastRule(step.verdict)
      open.dropped = step
      open.droppedAt = (open.lastPoint.hook, points.next(after: open.lastPoint)?.priority ?? 1)
      open.droppedAt!.priority -= 1
    }
    var connection: Connection?
    if open.connectionID != nil || open.connectionState != nil {
      let known = open.connectionID.flatMap { snapshot.connections[$0] }
      connection = Connection(
        id: open.connectionID, state: open.connectionState, isReply: open.isReply,
        original: known?.original, reply: known?.reply, status: known?.status ?? [])
      connection?.tracedStatus = open.tracedStatus
      connection?.wasKnown = open.hasKnownConnection
    }
    let direction = direction(open)
    let differences = HopDifferences(
      legacyNAT: legacyNAT, connection: connection,
      isReply: open.isReply ?? (direction == .reply), knowsRules: joining.knowsNAT)
    open.way = explained(open.way.takeAll(), by: differences)
    let end = end(open)
    let last = open.lastPoint
    let probe = hasProbe ? sequence(of: open) : nil
    var journey = Journey(
      id: open.id, direction: direction, start: open.start, way: open.way.takeAll(), end: end,
      connection: connection, probe: probe)
    journey.isCopy = open.isCopy
    // Of a ping, who puts its places together says so.
    if !hasProbe { journey.site = site }
    journey.settleTimes()
    journey.clockStep = open.clockStep
    if !joining.knowsNAT, case .unknown(let place, _, let drop) = journey.end,
      points.next(after: last)?.table == "nat"
    {
      journey.end = .unknown(place, .behindNAT, drop)
    }
    if plan?.dryRun == true, direction == .request {
      switch journey.end {
      case .sent(let place): journey.end = .kept(.insteadOfSending, place)
      case .delivered(let place): journey.end = .kept(.insteadOfDelivering, place)
      case .dropped, .rejected, .proxied, .refused, .kept, .unknown: break
      }
    }
    noteDrop(&journey, open.identity)
    noteUnresolved(&journey, isCut: open.isCut)
    notePickedClient(&journey)
    return journey
  }

  /// The way with all that is known of its rules, what changed from hop to hop, and which way routing
  /// sent the packet.
  private func explained(_ way: consuming Way, by differences: HopDifferences) -> Way {
    let decision =
      snapshot.lookups.isEmpty
      ? nil
      : way.routed.flatMap {
        self.decision($0, exit: way.hops.first { $0.outDevice != nil }?.outDevice)
      }
    let routedAt = decision == nil ? nil : way.routedAt
    var steps: [Step] = []
    steps.reserveCapacity(way.steps.count + 4)
    var (before, hops): (Hop?, Int) = (nil, 0)
    var mark: UInt32 = 0
    var translation: NFTRuleMessage.Translation?
    var rest = way.takeSteps()
    rest.reverse()
    while let step = rest.popLast() {
      switch consume step {
      case .rule(let met):
        var rule = named(met)
        if let now = rule.mark {
          rule.setsMark = now != mark
          mark = now
        }
        translation = rule.translation ?? translation
        steps.append(.rule(rule))
      case .seen(var hop):
        if let before {
          for change in differences.changes(from: before, to: hop, rule: translation, snapshot) {
            steps.append(.changed(change))
          }
        }
        notePassedChains(&hop)
        steps.append(.seen(hop))
        if let decision, hops == routedAt { steps.append(.routed(decision)) }
        (before, translation, mark) = (hop, nil, hop.mark)
        hops += 1
      case .tracked(let state): steps.append(.tracked(state))
      case .changed(let change): steps.append(.changed(change))
      case .routed(let decision): steps.append(.routed(decision))
      }
    }
    guard let explained = Way(steps) else { preconditionFailure("a way without a hop") }
    return explained
  }

  /// Notes what stands there.
  private func notePassedChains(_ hop: inout Hop) {
    let passed = snapshot.passedChains?.at(hop.point, version: hop.packet.source.family)
    // A hop that is changed is a copy of all that it has, unless nobody else has it.
    if passed == nil, hop.passed == nil { return }
    hop.passed = passed
  }

  /// Which way routing sent a packet that it saw here, and that left by `exit`, if the kernel was asked.
  private func decision(_ hop: Hop, exit: String?) -> RouteDecision? {
    let arriving = hop.point.hook == .prerouting
    guard let answer = snapshot.answer(about: hop, arriving: arriving)?.route else { return nil }
    let policy = PolicyRouting(hop, snapshot)
    let route = snapshot.route(answer, out: exit, of: policy.route, unanswered: false)
    let exact = snapshot.answer(about: hop, arriving: arriving, exact: true)?.route
    let isLocal = route.kind == .local
    let rule = policy.rule(for: route.table)
    let usual: [UInt32] = [0, 32766, 32767]
    return RouteDecision(
      device: isLocal ? nil : snapshot.name(route.outputInterface), gateway: route.gateway,
      destination: exact?.destination, table: exact?.table ?? route.table,
      rule: rule.flatMap { usual.contains($0.priority) ? nil : $0.priority },
      preferredSource: route.preferredSource)
  }

  /// What the kernel said of dropping this packet. It may be dropped behind the last hook, too: by a
  /// tc filter, a queue or a driver; then it was not sent after all.
  private func noteDrop(_ journey: inout Journey, _ identity: PacketIdentity) {
    // Its time is the kernel's own; those of journeys are of when nftrace came to read of them.
    let start = journey.start.earlier(by: Self.idle)
    guard
      let drop = snapshot.drop(
        of: identity, since: start, seenAt: journey.hops,
        byNetfilter: journey.end.kind == .dropped)
    else { return }
    let known = KernelDrop(reason: drop.reason, location: drop.location)
    switch journey.end {
    // A dry run ends in a drop of nftrace's own.
    case .kept, .proxied: break
    case .delivered: journey.socketDrop = known
    // Where a client has asked nothing, nftrace keeps the answers to its connections from it.
    case .sent(let place)
    where plan?.data != nil && place.hook == .egress
      && drop.reason == "NETFILTER_DROP" && place.out == plan?.device:
      break
    case .sent(let place):
      let device = snapshot.name(drop.device)
      let isAway = journey.hops.contains { $0.point.hook == .egress && $0.outDevice == device }
      guard isAway || device == place.out || drop.device == 0 else { return }
      journey.end = .unknown(place, nil, known)
    case .dropped(var decider):
      decider.kernelDrop = known
      journey.end = .dropped(decider)
      journey.setEnd(toldBy: drop)
    case .rejected(var decider):
      decider.kernelDrop = known
      journey.end = .rejected(decider)
      journey.setEnd(toldBy: drop)
    case .refused(let place, _): journey.end = .refused(place, known)
    case .unknown(let place, _, _): journey.end = .unknown(place, nil, known)
    }
  }

  /// Where the egress hook does not see it, what was through with POSTROUTING is taken for sent. It was not if
  /// its next hop is still being looked for.
  private func noteUnresolved(_ journey: inout Journey, isCut: Bool) {
    guard case .sent(let place) = journey.end, journey.way.last.point.hook == .postrouting
    else { return }
    let nextHop = journey.route?.gateway ?? journey.way.last.packet.destination
    let neighbour = snapshot.neighbour(nextHop, on: place.out)
    guard let neighbour, !neighbour.state.isDisjoint(with: [.incomplete, .failed]) else { return }
    journey.end = .unknown(place, isCut ? .recordingEnded : nil, nil)
  }

  /// Drops that concern a probe's packets which no hook saw: before ingress, mostly.
  func unseenDrops(probe sequence: Int, _ exchange: Exchange) -> [(packet: Packet, drop: DropEvent)]
  {
    let seen = exchange.journeys.map { PacketIdentity($0.packet) }
    return snapshot.drops.compactMap { drop in
      guard let packet = try? Packet(drop.packet), plan?.sequence(of: packet) == sequence,
        !seen.contains(PacketIdentity(packet))
      else { return nil }
      return (packet, drop)
    }
  }

  /// The step with all that is known of its rule.
  func named(_ step: RuleStep) -> RuleStep {
    guard !step.isReplaced else { return step }
    var step = step
    // TRACE calls a rule that asks nothing, and ends a chain, by what stands at its end.
    if case .legacyPolicy(let position) = step.ref, snapshot.words(step)?.hasPrefix("-A ") == true {
      step.ref = .legacy(position: position)
    }
    if step.isLegacyRule, snapshot.haveLegacyRulesChanged {
      step.isReplaced = true
      return step
    }
    if let rule = snapshot.rule(step) {
      step.translation = rule.translation
      step.rejects = rule.rejects
      step.checksReversePath = rule.checksReversePath
    }
    if let text = snapshot.text(step) {
      step.text = text.rule
      step.take(position: text.position)
      // What iptables-legacy's TRACE does not say, the rule's text does.
      step.rejects = step.rejects || text.text.contains("-j REJECT")
      step.translation = step.translation ?? LegacyTrace.translation(text.text)
      if step.isLegacy, step.verdict == .return, !text.text.hasSuffix("-j RETURN") {
        step.verdict = .continue
      }
    }
    return step
  }

  /// The rule of iptables-legacy that had the packet in the end: the last one it met, if it met it in the
  /// table behind which it was not seen any more. TRACE names rules, not verdicts: the text says of a SYN proxy that
  /// it takes packets over, and of what accepts that something else had it: behind OUTPUT, routing that is asked once more. What
  /// else ends there is dropped.
  private func legacyVerdict(_ open: OpenJourney) -> RuleStep? {
    guard open.dropped == nil, var step = open.way.lastTrailingRule, step.isLegacy,
      points.next(after: open.lastPoint)?.table == step.table
    else { return nil }
    let text = snapshot.words(step)
    if text.map(LegacyTrace.letsGoOn) == true { return nil }
    let isProxy = text?.contains("-j SYNPROXY") == true
    step.verdict = isProxy ? .stolen : .drop
    return step
  }

  /// What ended the journey, at the place where it would have been seen next.
  private func decider(_ open: OpenJourney, _ dropped: RuleStep, after last: Hop) -> Decider {
    var hop = last
    let place = open.droppedAt ?? place(ofDropBy: dropped, in: open)
    let hook = place?.hook ?? hop.point.hook
    let priority = place?.priority ?? hop.point.priority
    let known = points.point(behind: priority, at: hook)
    hop.point =
      known
      ?? ObservationPoint(
        hook: hook, priority: priority, table: dropped.chain,
        label: "\(dropped.chain)-\(hook.rawValue.uppercased())", chain: "")
    hop.time = open.last.since(open.start)
    let rule = open.way.trailingRules.last { $0.verdict == dropped.verdict }
    notePassedChains(&hop)
    return Decider(hop: hop, rule: rule ?? named(dropped))
  }

  /// The rule that handed the packet to user space or to a SYN proxy, where it was not seen any more behind
  /// that: what a program lets pass goes on behind the chain of the rule.
  private func handedOver(_ open: OpenJourney) -> RuleStep? {
    guard open.unseen == nil, let step = open.way.trailingRules.last,
      step.verdict.queueNumber != nil || isProxy(step, of: open)
    else { return nil }
    return step
  }

  /// What became of a packet. The rules on its way are named.
  private func end(_ open: OpenJourney) -> End {
    let last = open.way.last
    if let dropped = open.dropped ?? handedOver(open) {
      let decider = decider(open, dropped, after: last)
      return isProxy(dropped, of: open) ? .proxied(decider.place, decider) : .dropped(decider)
    }
    let place = End.Place(hook: last.point.hook, table: last.point.table, out: last.outDevice)
    switch place.hook {
    case .egress:
      // Below the interface that was routed to there may be others: ports of a bridge.
      let first = open.hops.reversed().prefix { $0.point.hook == .egress }.last
      return diversion.end(open, out: first?.outDevice)
        ?? .sent(End.Place(hook: place.hook, out: first?.outDevice))
    case .input where points.isLast(last.point):
      return .delivered(End.Place(hook: place.hook, table: place.table))
    case .postrouting
    where points.isLast(last.point)
      && (!points.seesEgress || plan?.dryRun == true
        || passesEgressHook(open) || !points.seesEgress(of: last.packet)):
      return diversion.end(open, out: last.outDevice) ?? .sent(place)
    default: return .unknown(place, open.unseen, nil)
    }
  }

  /// Whether no egress hook sees it leave: what tc sent through an intermediate functional block as it
  /// came in meets neither ingress nor egress hooks.
  private func passesEgressHook(_ open: OpenJourney) -> Bool {
    open.way.first.point.hook == .prerouting && snapshot.hasIntermediateBlock
  }

  func direction(_ open: OpenJourney) -> Journey.Direction {
    open.isCopy ? .other : direction(open, open.way.first.packet)
  }

  /// The same of one that is no copy: the packet is looked at where it is.
  private func direction(_ open: OpenJourney, _ packet: Packet) -> Journey.Direction {
    if plan?.sequence(ofFragment: packet) != nil { return .request }
    if let icmp = packet.icmp {
      if icmp.isEchoRequest(packet.proto) { return .request }
      if icmp.isEchoReply(packet.proto) { return .reply }
      return icmp.isError(packet.proto) && !packet.isRedirect ? .error : .other
    }
    let plan = sequence(of: open) == nil ? nil : self.plan
    if let isReply = open.isReply {
      // What answers a packet that conntrack passed over is new to it, and what comes from another port as well.
      let isNewAnswer = packet.source != plan?.source && plan?.direction(of: packet) == .reply
      return isReply || isNewAnswer ? .reply : .request
    }
    if let direction = plan?.direction(of: packet) { return direction }
    if let tcp = packet.tcp, tcp.flags.contains(.syn) {
      return tcp.flags.contains(.ack) ? .reply : .request
    }
    // Conntrack passes over what is diverted, and nobody else said that it answers something.
    if diversion.isThrough(open.way.first.outDevice) { return .request }
    if open.isUntracked, let isReply = open.looksLikeAnswer { return isReply ? .reply : .request }
    return .other
  }
}
