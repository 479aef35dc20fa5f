internal import Wire

// Which journey a packet that was seen belongs to.
extension Story {
  /// Twins of a packet that are looked at.
  private static let mostTwins = 256

  /// Adds a sighting to the journey it belongs to, or begins one. Returns its index.
  @discardableResult
  mutating func place(_ sighting: consuming Sighting, traceID: UInt32?) -> Int {
    let identity = sighting.identity ?? PacketIdentity(sighting.packet)
    if let index = journey(seenAs: sighting, identity, traceID: traceID)
      ?? journey(rewrittenAs: sighting, traceID: traceID)
    {
      add(sighting, to: index, traceID: traceID)
      joining.note(&open[index])
      return index
    }
    if sighting.packet.isLaterFragment { hasLaterFragments = true }
    let (time, clockStep) = (sighting.time, sighting.clockStep)
    let index = open.begin(
      sighting.hop(since: time), identity: identity, start: time, now: now,
      latestProbe: latestProbe, roomFor: isCapture ? 4 : 16)
    open[index].clockStep = clockStep
    if let traceID { open.setTraceID(traceID, of: index) }
    joining.note(&open[index])
    open.set(key(at: index), of: index)
    return index
  }

  /// The open journey whose packet can be the one observed: the last with its trace id, or else the one
  /// that it rather is.
  private mutating func journey(
    seenAs next: Sighting, _ identity: PacketIdentity, traceID: UInt32?
  ) -> Int? {
    var best: Int?
    var newer: Int?
    var candidate = open.latest(identity)
    for _ in 0..<Self.mostTwins {
      guard let index = candidate else { break }
      candidate = open[index].twin
      let (isOver, isContinued) = standing(at: index, before: next)
      if isOver {
        open.pass(over: index, from: newer)
        continue
      }
      newer = index
      guard isContinued else { continue }
      if let traceID, open[index].traceID == traceID { return index }
      best = joining.better(index, than: best, for: next, traceID: traceID, in: open, now: now)
    }
    return best
  }

  // Who changes a story would copy the journey, or all of the story, to ask one about the other. These change nothing.

  /// Whether a journey is over, and if not, whether it goes on with what was seen.
  private func standing(
    at index: Int, before next: Sighting
  ) -> (isOver: Bool, isContinued: Bool) {
    let journey = open[index]
    if isOver(journey) { return (true, false) }
    return (false, continues(journey, with: next))
  }

  private func goesPast(_ point: ObservationPoint, at index: Int) -> Bool {
    open[index].goesPast(point)
  }

  private func key(at index: Int) -> ExchangeKey { key(of: open[index]) }

  /// Adds sightings to the journeys they belong to, in their order.
  mutating func place(_ sightings: consuming [Sighting]) {
    if sightings.isEmpty { return }
    // Each is taken out: nobody else has it then.
    sightings.reverse()
    while let next = sightings.popLast() { place(next, traceID: nil) }
  }

  /// Adds a sighting to an open journey.
  mutating func add(_ sighting: consuming Sighting, to index: Int, traceID: UInt32?) {
    if sighting.point.hook == .prerouting, goesPast(sighting.point, at: index) {
      open[index].last = now
      return
    }
    open[index].last = now
    if let traceID { open.setTraceID(traceID, of: index) }
    let last = open[index].way.last
    var hop = sighting.hop(since: open[index].start, mark: last.mark)
    // Most hops see the same octets: one copy of them is enough.
    if last.packet.payload == hop.packet.payload { hop.packet.payload = last.packet.payload }
    open.append(hop, to: index)
  }
}
