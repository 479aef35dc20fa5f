internal import Wire

// When the exchanges of a story are told, and what belongs to one.

extension Story {
  /// The exchanges of which nothing was heard for a second, in the order in which they began. Of
  /// one that goes on and on, what came to rest is told in parts; where there are many, in smaller
  /// ones, those that began first before the others. The next call goes on where they are too many.
  ///
  /// Of a live story, packets are told as they come to their ends.
  package mutating func closeIdle() -> [Exchange] {
    let isFull = open.count > Self.mostOpen || open.hops > roomForHops
    guard idleWatch.isDue(at: now, every: pace.lookout, atOnce: isFull) else { return [] }
    if isFull { settlePending() }
    let closing = closing(isFull)
    // A text of each is made before the next ones are told: after a pause all may be idle at once.
    var packets = 0
    let some = closing.prefix { members in
      defer { packets += members.count }
      return packets < Self.mostAtOnce
    }
    if some.count < closing.count { idleWatch.lookAgain() }
    return close(Array(some))
  }

  /// What is to be told now. (It changes nothing, so that nobody makes a copy of the story to ask it.)
  private func closing(_ isFull: Bool) -> [[Int]] {
    let groups = exchanges()
    var closing: [[Int]] = []
    var tooMany = open.hops - manyOpenHops
    let firsts = firstFragments()
    for group in groups.all {
      let silence = now.since(group.last)
      if silence > Self.idle {
        let members = groups.members(group)
        if silence > Self.neighbourWait || !mayWaitForNeighbour(members) {
          if members.allSatisfy({ rests($0) }) { closing.append(members) }
          continue
        }
      }
      if pace == .live {
        closing.append(ended(groups.members(group), firsts))
        continue
      }
      let age = now.since(open[group.first].start)
      if group.count > Self.mostPackets || age > Self.longest || tooMany > 0 && age > Self.idle {
        let part = groups.members(group).filter {
          let index = firsts[$0] ?? $0
          return now.since(open[index].last) > Self.patience && rests(index)
        }
        closing.append(part)
        tooMany -= part.reduce(0) { $0 + open[$1].hops.count }
      }
    }
    let left = open.count - closing.reduce(0) { $0 + $1.count }
    if isFull, left > Self.mostOpen / 2 || open.hops > roomForHops / 2 {
      closing = groups.all.sorted { $0.last < $1.last }.prefix(max(groups.all.count / 2, 1))
        .map { groups.members($0) }
    }
    return closing
  }

  /// The open journeys of each exchange, and when something was heard of it last. After an idle
  /// second another one begins, whenever it is looked at.
  private func exchanges() -> ExchangeGroups {
    var groups = ExchangeGroups(roomFor: open.count, keys: open.endOfKeyNumbers)
    let firsts = firstFragments()
    for index in open.indices {
      let key = open[firsts.isEmpty ? index : firsts[index] ?? index].keyNumber
      let isLate = open[index].way.first.packet.isOfUnresolvedNeighbour
      groups.append(
        key, from: open[index].start, to: open[index].last,
        idle: isLate ? Self.neighbourWait : Self.idle)
    }
    return groups
  }

  /// Whether nobody has answered what is through with all hooks: the kernel may still look for its next hop, and tell the sender
  /// when it gives up. Of recordings that say where it was to go.
  private func mayWaitForNeighbour(_ members: [Int]) -> Bool {
    guard !hasProbe, pace == .whole, !snapshot.routes.isEmpty else { return false }
    return members.allSatisfy {
      open[$0].way.last.point.hook == .postrouting
        && open[$0].way.first.packet.source == open[members[0]].way.first.packet.source
    }
  }

  private func members(_ groups: ExchangeGroups) -> [[Int]] {
    groups.all.map { groups.members($0) }
  }

  /// Those of an exchange that have come to their ends, unless an answer is on its way.
  private func ended(_ members: [Int], _ firsts: [Int: Int]) -> [Int] {
    func isAtRest(_ member: Int) -> Bool {
      let index = firsts[member] ?? member
      let quiet = isOver(open[index]) ? Pace.rest : Self.idle
      return now.since(open[index].last) > quiet && rests(index)
    }
    let atRest = members.map { isAtRest($0) }
    return members.indices.filter { place in
      guard atRest[place] else { return false }
      let next = place + 1
      guard next < members.count, !atRest[next] else { return true }
      return open[members[next]].start.since(open[members[place]].start) > Pace.rest
    }.map { members[$0] }
  }

  /// Whether no more can come of a quiet journey.
  private func rests(_ index: Int) -> Bool {
    let last = open[index].last
    if diversion.delays(open[index]) { return now.since(last) > Self.longest }
    return !idleWatch.mayGoOn(last, at: now) || isOver(open[index])
  }

  /// The exchange of the probe with this number, whether or not more could come.
  package mutating func closeProbe(_ sequence: Int) -> Exchange {
    settlePending()
    let group = open.indices.filter { self.sequence(of: open[$0]) == sequence }
    return close([group]).first ?? Exchange(journeys: [])
  }

  /// All that is left, at the end of the session.
  package mutating func finish() -> [Exchange] {
    noteEnd()
    return close(members(exchanges()))
  }

  /// The next exchanges of what is left, so many as are told at once; none when all are told. Nothing more is to be read.
  package mutating func finishSome() -> [Exchange] {
    noteEnd()
    var told: [Exchange] = []
    // What is left out of each is no reason to stop.
    while told.isEmpty, !open.isEmpty {
      var packets = 0
      let some = members(exchanges()).prefix { members in
        defer { packets += members.count }
        return packets < Self.mostAtOnce
      }
      told = close(Array(some))
    }
    return told
  }

  /// Nothing more is to be read. A packet that was heard of just before may have gone on: where it
  /// ends is not known.
  mutating func noteEnd() {
    settlePending()
    for index in open.indices where now.since(open[index].last) <= Self.onItsWay {
      open[index].isCut = true
    }
  }

  /// Whether a packet of this probe met its end in a rule, so that little more can come of it.
  func isDropped(probe sequence: Int) -> Bool {
    open.contains { $0.dropped != nil && self.sequence(of: $0) == sequence }
  }

  /// Rules of the user that decided over open journeys and whose texts are not known yet.
  package var unknownDeciders: [RuleStep] {
    var found: [RuleStep] = []
    for journey in open {
      var way = journey.way
      way.noteMarks()
      let rules = way.rules
      let passed = rules.count - way.trailingRules.count
      for (index, step) in rules.enumerated() where isUnknown(step) && !found.contains(step) {
        // Of iptables-legacy's rules nobody tells the verdicts: the last one decided, if the packet was
        // not seen behind it. What translated on its way is of interest as well.
        let decided = index < passed ? step.table == "nat" : index == rules.count - 1
        if step.handle != nil || decided { found.append(step) }
      }
    }
    for step in snapshot.discoveryDrops.map(\.step) where isUnknown(step) && !found.contains(step) {
      found.append(step)
    }
    return found
  }

  /// Whether a step decided something and its rule was not read yet.
  private func isUnknown(_ step: RuleStep) -> Bool {
    if step.isReplaced { return false }
    if step.handle != nil {
      // The kernel tells of rules that are made meanwhile, but not their texts.
      let isKnown = snapshot.rule(step) != nil && snapshot.text(step) != nil
      return step.decided && !isKnown
    }
    // Nobody tells when they change: they are read again for each probe.
    return step.isLegacy
  }

  /// The journeys of a probe as far as they went.
  func openJourneys(probe sequence: Int) -> [Journey] {
    open.filter { self.sequence(of: $0) == sequence }.map { journey($0) }
  }

  /// What a journey is told together with.
  func key(of journey: OpenJourney) -> ExchangeKey {
    sequence(of: journey).map { .probe($0) } ?? joining.key(of: journey, in: open)
  }

  /// The number of the probe a journey belongs to; nil for other packets.
  func sequence(of journey: OpenJourney) -> Int? {
    guard let plan else { return nil }
    let first = journey.way.first.packet
    let latest = journey.latestProbe
    if let sequence = plan.sequence(of: first, latest: latest) { return sequence }
    guard !plan.proto.kind.carriesNonce else { return nil }
    // An answer is known by its addresses once NAT has restored them, or as the one that conntrack
    // expects.
    for hop in journey.hops.dropFirst() where !hop.packet.hasEnds(of: first) {
      if let sequence = plan.sequence(of: hop.packet, latest: latest) { return sequence }
    }
    guard first.proto == .udp else { return nil }
    for request in open {
      guard let id = request.connectionID, let reply = snapshot.connections[id]?.reply,
        reply.destination == first.destination, reply.destinationPort == first.destinationPort,
        // A server may answer from another of its addresses, or from another port.
        reply.source == first.source || reply.sourcePort == first.sourcePort
      else { continue }
      // The answer itself is of this connection as well.
      if let sequence = plan.sequence(of: request.way.first.packet, latest: latest) {
        return sequence
      }
    }
    // Where conntrack is not, what goes back from where a probe went to, and to where it came from.
    return open.lazy.compactMap { other -> Int? in
      guard other.way.last.packet.answer.hasEnds(of: first) else { return nil }
      return plan.sequence(of: other.way.first.packet, latest: latest)
    }.first
  }

  /// Forgets packets that belong to none of these probes and of which nothing was heard for a second.
  mutating func forgetIdle(except outstanding: Set<Int>) {
    let idle = open.indices.filter { index in
      now.since(open[index].last) > Self.idle
        && !(sequence(of: open[index]).map { outstanding.contains($0) } ?? false)
    }
    forget([idle])
  }

  private mutating func close(_ groups: [[Int]]) -> [Exchange] {
    let ordered = groups.filter { !$0.isEmpty }.map { $0.sorted() }.sorted { $0[0] < $1[0] }
    for group in ordered where group.count > 1 { tellCopies(in: group) }
    let some = wanted?.some(of: ordered, among: open) ?? ordered
    return told(takeExchanges(some, closing: ordered))
  }

  /// Takes the exchanges of these journeys out of those that are open, and with them `all` that are closed.
  private mutating func takeExchanges(_ groups: [[Int]], closing all: [[Int]]) -> [Exchange] {
    // What a packet of a probe is, the others say.
    guard !hasProbe, !hasLaterFragments else {
      let firsts = firstFragments()
      defer { forget(all) }
      return groups.map { Exchange(journeys: journeys($0, firstFragments: firsts)) }
    }
    if all.isEmpty { return [] }
    var taken = open.take(groups, closing: all)
    taken.reverse()
    var exchanges: [Exchange] = []
    exchanges.reserveCapacity(taken.count)
    while var group = taken.popLast() {
      var journeys: [Journey] = []
      journeys.reserveCapacity(group.count)
      group.reverse()
      while let next = group.popLast() { journeys.append(journey(next)) }
      exchanges.append(Exchange(journeys: journeys))
    }
    return exchanges
  }

  private func told(_ exchanges: [Exchange]) -> [Exchange] {
    // One of all that is known is enough for those who look at these.
    let known = Shared(snapshot)
    return exchanges.filter { !isNoise($0) }.map {
      withFindings(withProxies(withRefusals($0).withTimesInOrder), known)
    }
  }

  /// Whether these are packets by which neighbours find each other, as ARP's in IPv4, of which nobody
  /// asks: unless a rule stopped them.
  private func isNoise(_ exchange: Exchange) -> Bool {
    !hasProbe && !exchange.journeys.isEmpty
      && exchange.journeys.allSatisfy {
        ($0.packet.isDiscovery || $0.packet.isMulticastListenerDiscovery) && $0.end.decider == nil
      }
  }

  private mutating func forget(_ groups: [[Int]]) {
    if groups.isEmpty { return }
    open.remove(groups)
  }

  /// Whether a rule can have told the sender that it dropped a packet. A policy never does; what this host sends
  /// then is about another packet.
  private func mayReject(_ rule: RuleStep) -> Bool {
    if rule.isPolicy { return false }
    let isKnown = rule.text != nil || snapshot.rule(rule) != nil
    return rule.rejects || !isKnown
  }

  /// A dropped request that an ICMP error or a reset of this host answered was rejected.
  private func withRefusals(_ exchange: Exchange) -> Exchange {
    var exchange = exchange
    let refused = exchange.journeys.contains {
      ($0.direction == .error || $0.direction == .reply && $0.packet.isRefusal)
        && $0.way.first.point.hook == .output
    }
    for index in exchange.journeys.indices
    where refused && exchange.journeys[index].direction == .request {
      if case .dropped(let decider) = exchange.journeys[index].end, mayReject(decider.rule) {
        exchange.journeys[index].end = .rejected(decider)
      }
    }
    guard !hasProbe else { return exchange }
    // What no rule stopped, and this host answers with an error all the same: its TTL ran out, it is
    // too big, or there is no way on. Those that ping sends are diagnosed.
    let errors = exchange.journeys.map(\.packet).enumerated().filter {
      let journey = exchange.journeys[$0.offset]
      return journey.direction == .error && journey.way.first.point.hook == .output
    }.map(\.element)
    let quoted = errors.compactMap(\.quoted)
    let unresolved = errors.filter(\.isOfUnresolvedNeighbour).compactMap(\.quoted)
    for index in exchange.journeys.indices {
      if case .sent(let place) = exchange.journeys[index].end, place.hook == .postrouting,
        case let last = exchange.journeys[index].way.last.packet,
        unresolved.contains(where: { last.isSame(as: $0) })
      {
        exchange.journeys[index].end = .refused(place, nil)
      }
      guard case .unknown(let place, let unseen, let drop) = exchange.journeys[index].end,
        unseen == nil || unseen == .recordingEnded
      else { continue }
      let last = exchange.journeys[index].way.last.packet
      if quoted.contains(where: { last.isSame(as: $0) }) {
        exchange.journeys[index].end = .refused(place, drop)
      }
    }
    return exchange
  }
}

extension Packet {
  /// Whether it is the error that says of a packet that its next hop did not answer: host unreachable (ICMP 3/1), or address
  /// unreachable (ICMPv6 1/3).
  var isOfUnresolvedNeighbour: Bool {
    guard let icmp, quoted != nil else { return false }
    return proto == .icmpv6
      ? (icmp.type, icmp.code) == (1, 3) : (icmp.type, icmp.code) == (3, 1)
  }
}
