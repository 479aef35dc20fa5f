internal import Wire

extension Journey {
  /// Makes of the times at which nftrace read of each hop, and the kernel's stamps, what is known of when the
  /// packet was there. What is later is never earlier.
  ///
  /// The kernel stamps at PREROUTING, INPUT, FORWARD and the hooks of devices, and not at OUTPUT and
  /// POSTROUTING.
  mutating func settleTimes() {
    let stamps = hops.map(\.stamp)
    guard stamps.contains(where: { $0 != nil }) else { return }
    var times = hops.map { start.later(by: $0.time) }
    var clocks = [Hop.Clock](repeating: .reading, count: times.count)
    var earliest: UInt64 = 0
    for index in times.indices {
      // One that is no later than one before is not of this hop: where somebody on the machine asks for stamps,
      // packets are stamped as they arrive, and then have that stamp at each hook.
      if let stamp = stamps[index], stamp > earliest {
        (times[index], clocks[index]) = (stamp, .kernel)
        earliest = stamp
      }
    }
    var latest = UInt64.max
    for index in times.indices.reversed() {
      if clocks[index] == .reading { times[index] = min(times[index], latest) }
      latest = times[index]
    }
    // What was read before an earlier hop was stamped was read by another clock.
    for index in times.indices.dropFirst() {
      times[index] = max(times[index], times[index - 1])
    }
    let began = times[0]
    for index in times.indices {
      way.updateHop(index) { $0.set(time: times[index] - began, by: clocks[index]) }
    }
    if let hop = end.decider?.hop {
      let stopped = max(start.later(by: hop.time), times[times.count - 1])
      setEnd(at: stopped - began, by: .reading)
    }
    start = began
  }

  /// A rule ended it then, in nanoseconds since it began.
  mutating func setEnd(at time: UInt64, by clock: Hop.Clock) {
    guard var decider = end.decider else { return }
    (decider.hop.time, decider.hop.clock) = (time, clock)
    switch end {
    case .dropped: end = .dropped(decider)
    case .rejected: end = .rejected(decider)
    case .proxied(let place, _): end = .proxied(place, decider)
    case .sent, .delivered, .refused, .kept, .unknown: break
    }
  }

  /// The kernel says when it dropped the packet: after it was seen last, and before nftrace read of that.
  mutating func setEnd(toldBy drop: DropEvent) {
    let time = drop.time.since(start)
    guard time >= way.last.time, let read = end.decider?.hop.time, time <= read else { return }
    setEnd(at: time, by: .kernel)
  }

  /// When it was at its last hop at which the kernel looked at its clock, nanoseconds since the epoch.
  var lastStamp: UInt64? {
    hops.last { $0.clock == .kernel }.map { start.later(by: $0.time) }
  }

  /// When it was at the first such hop.
  var firstStamp: UInt64? {
    hops.first { $0.clock == .kernel }.map { start.later(by: $0.time) }
  }
}

extension Journey {
  /// The same of a packet that was answered at this time, nanoseconds since the epoch: what the kernel does not say the
  /// time of was before that.
  func answered(at answer: UInt64) -> Journey {
    var journey = self
    if way.first.clock == .reading { journey.start = min(start, answer) }
    let latest = answer.since(journey.start)
    for (index, hop) in hops.enumerated().reversed() {
      guard hop.clock == .reading, hop.time > latest else { break }
      let before = index > 0 ? hops[index - 1] : hop
      let least = before.clock == .reading ? latest : max(before.time, latest)
      journey.way.updateHop(index) { $0.time = least }
    }
    // The kernel lets go of what a rule refuses when it has sent the refusal.
    if case .rejected(let decider) = end, decider.hop.time > latest {
      journey.setEnd(at: max(latest, journey.way.last.time), by: .reading)
    }
    return journey
  }
}

extension Exchange {
  /// Where the kernel does not say when a request was at its last hops, or refused, that was before it was answered.
  var withTimesInOrder: Exchange {
    var exchange = self
    let isLone = journeys.count(where: { $0.direction == .request }) == 1
    for (index, journey) in journeys.enumerated() where journey.direction == .request {
      // Which answer is whose is known of a lone request, and of what this host refuses at once.
      var isRefused = false
      if case .rejected = journey.end { isRefused = true }
      let rest = journeys[(index + 1)...]
      let answer =
        isLone
        ? rest.first { $0.direction == .reply || $0.direction == .error }
        : isRefused ? rest.first.flatMap { $0.isRefusalByThisHost ? $0 : nil } : nil
      guard let answer else { continue }
      let time = isRefused ? answer.start : answer.firstStamp
      if let time { exchange.journeys[index] = journey.answered(at: time) }
    }
    return exchange
  }
}

extension Journey {
  /// Whether it is what this host refuses another packet with.
  fileprivate var isRefusalByThisHost: Bool {
    (direction == .error || direction == .reply && packet.isRefusal)
      && way.first.point.hook == .output
  }
}
