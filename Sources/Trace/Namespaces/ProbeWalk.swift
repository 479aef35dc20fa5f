internal import Wire

/// The packets of one probe in the places that they went through, each as its own place tells them: put in order, and the
/// one found that decides over what became of the probe.
///
/// Whose packets they are, the probe's own numbers say, which no NAT on the way changes; so they belong together
/// whatever happened to addresses in between. In which order they come, their TTLs and hooks say, and no clock.
struct ProbeWalk {
  /// What each place tells, by its number.
  let parts: [Exchange]
  /// All of it, in the order in which it happened.
  private(set) var exchange: Exchange
  private let sites: [Site]

  /// Joins what these places tell.
  init(_ parts: [Exchange], _ sites: [Site]) {
    self.parts = parts
    self.sites = sites
    exchange = Exchange(journeys: NamespaceMerge.ordered(Self.members(parts, sites)))
  }

  /// The same of places that have clocks of their own. `sent` is when the probe was sent, by the clock of the first.
  /// What packets of earlier probes told of the clocks is in `constraints`, and what these tell is added.
  init(_ parts: [Exchange], _ sites: [Site], sent: UInt64?, _ constraints: inout ClockConstraints) {
    self.parts = parts
    self.sites = sites
    var members = Self.members(parts, sites)
    let links = NamespaceMerge.links(members)
    for (index, earlier) in links.enumerated() {
      for other in earlier {
        let (from, to) = (members[other], members[index])
        let began = from.source == 0 && from.journey.direction == .request ? sent : nil
        guard let left = from.journey.lastStamp ?? began, let came = to.journey.arrival else {
          continue
        }
        constraints.note(left: left, from.source, came: came, to.source)
      }
    }
    if constraints.offsets == nil {
      // Since a clock was set, only what is new is true.
      constraints = ClockConstraints(places: sites.count)
    }
    let offsets = constraints.offsets ?? sites.map { _ in nil }
    let corrections = constraints.corrections
    for index in members.indices {
      let ahead = corrections[members[index].source]
      members[index].journey.start = members[index].journey.start.moved(by: 0 &- ahead)
    }
    // What was read late of one place was before what the next one's kernel said.
    for (index, earlier) in links.enumerated() {
      guard let came = members[index].journey.arrival else { continue }
      for other in earlier { members[other].journey.hasLeft(by: came) }
    }
    for index in members.indices {
      let asked = members.lazy.filter { [source = members[index].source] in
        $0.source == source && $0.journey.direction == .request
      }.compactMap(\.journey.lastStamp).max()
      if let asked { members[index].journey.answers(after: asked) }
    }
    exchange = Exchange(journeys: NamespaceMerge.ordered(members))
    exchange.isByOneClock = Set(members.map(\.source)).allSatisfy { offsets[$0] != nil }
  }

  private static func members(_ parts: [Exchange], _ sites: [Site]) -> [NamespaceMerge.Member] {
    parts.indices.flatMap { place in
      parts[place].journeys.map { journey in
        var journey = journey
        journey.site = sites[place]
        return (source: place, journey: journey)
      }
    }
  }

  /// The place at which to look for the cause of a loss. `hasUnseen` says of a place whether the kernel dropped a
  /// packet of the probe there that no hook saw.
  func suspect(hasUnseen: (Int) -> Bool) -> Int {
    let journeys = exchange.journeys
    let requests = journeys.filter { $0.direction == .request }
    let last =
      // What answers a request that a rule stopped is that rule's refusal.
      requests.last { $0.end.decider != nil }
      ?? journeys.last {
        $0.direction == .reply && !$0.isRefusalSent || $0.direction == .error && !$0.end.isThrough
      } ?? requests.last
      ?? journeys.first
    guard let last, let place = sites.firstIndex(where: { $0 == last.site }) else { return 0 }
    // An answer that its client does not know, for it was not translated back where the question was translated.
    if last.direction == .reply, last.end.kind == .delivered,
      let asked = requests.first?.packet.destination, last.way.last.packet.source != asked,
      let translator = requests.last(where: { request in
        request.way.changes.contains { $0.field == .destination }
          && request.way.last.packet.destination == last.packet.source
      }), let other = sites.firstIndex(where: { $0 == translator.site })
    {
      return other
    }
    guard last.end.kind == .transmitted else { return place }
    // It was seen leaving; the next place may have lost it before any hook.
    let next = parts.indices.first { other in
      !parts[other].journeys.contains { $0.direction == last.direction } && hasUnseen(other)
    }
    return next ?? place
  }
}

extension Journey {
  /// By when it had come, nanoseconds since the epoch.
  fileprivate var arrival: UInt64? { hops.first.map { start.later(by: $0.time) } }

  /// It answers what came until this time: what was read of it sooner was read by another clock.
  fileprivate mutating func answers(after time: UInt64) {
    guard direction == .reply, hops.first?.clock == .reading, start < time else { return }
    let late = time - start
    start = time
    for index in hops.indices {
      way.updateHop(index) { $0.time = $0.time.subtracting(clamped: late) }
    }
  }

  /// It had left by this time: what was read of it later was late.
  fileprivate mutating func hasLeft(by time: UInt64) {
    // Of what this host itself has sent there may be no stamp at all.
    if hops.first?.clock == .reading, start > time { start = time }
    let most = time.since(start)
    var least: UInt64 = 0
    for (index, hop) in hops.enumerated() {
      if hop.clock == .reading, hop.time > most {
        way.updateHop(index) { $0.time = max(least, most) }
      }
      least = hops[index].time
    }
  }
}
