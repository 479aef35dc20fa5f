internal import Wire

// Which journey a packet that was seen belongs to.
extension Story {
  /// Twins of a packet that are looked at.
  private static let mostTwins = 256

  /// Adds a sighting to the journey it belongs to, or begins one. Returns its index.
  @discardableResult
  mutating func place(_ sighting: Sighting, traceID: UInt32?) -> Int {
    let identity = sighting.identity ?? PacketIdentity(sighting.packet)
    if let index = journey(seenAs: sighting, identity, traceID: traceID)
      ?? journey(rewrittenAs: sighting, traceID: traceID)
    {
      add(sighting, to: index, traceID: traceID)
      noteFlow(of: index)
      return index
    }
    var journey = OpenJourney(
      id: nextID, identity: identity, traceID: nil, way: Way(sighting.hop(since: sighting.time)),
      start: sighting.time, last: now, key: .journey(nextID), twin: latest[identity],
      latestProbe: latestProbe)
    nextID += 1
    openHops += 1
    latest[identity] = open.count
    journey.way.reserve(hops: header == nil ? 4 : 16)
    open.append(journey)
    let index = open.count - 1
    note(traceID, of: index)
    noteFlow(of: index)
    open[index].key = key(of: open[index])
    return index
  }

  /// Which packets a packet answers, as far as its addresses tell: at each hop it may have others.
  private mutating func noteFlow(of index: Int) {
    guard !isKernelLog, header?.probe == nil else { return }
    let hops = open[index].hops
    let packet = open[index].way.last.packet
    guard packet.proto == .tcp || packet.proto == .udp else { return }
    // Of fragments that are made on the way, the first says what the others belong to.
    if hops.count > 1, packet.fragment == nil, packet.hasEnds(of: hops[hops.count - 2].packet) {
      return
    }
    let isAnswer = flows.take(packet, of: &open[index].exchange)
    if open[index].looksLikeAnswer == nil { open[index].looksLikeAnswer = isAnswer }
  }

  /// The open journey whose packet can be the one observed: the last with its trace id, or else the
  /// first that has none, or else the first.
  private mutating func journey(
    seenAs next: Sighting, _ identity: PacketIdentity, traceID: UInt32?
  ) -> Int? {
    var (untraced, first): (Int?, Int?)
    var nearest: Int?
    var newer: Int?
    var candidate = latest[identity]
    for _ in 0..<Self.mostTwins {
      guard let index = candidate else { break }
      candidate = open[index].twin
      if isOver(open[index]) {
        // Nothing comes after it: nobody need look at it again.
        if let newer { open[newer].twin = candidate } else { latest[identity] = candidate }
        continue
      }
      newer = index
      guard continues(open[index], with: next) else { continue }
      if isKernelLog {
        nearest = nearer(index, than: nearest, to: next)
        continue
      }
      if let traceID, open[index].traceID == traceID { return index }
      if traceID == nil || open[index].traceID == nil { untraced = index }
      first = index
    }
    return nearest ?? untraced ?? first
  }

  /// The open journey that was seen last with this trace id.
  func traced(_ id: UInt32) -> Int? {
    guard let index = latestTraced[id], open[index].traceID == id else { return nil }
    return index
  }

  mutating func add(_ sighting: Sighting, to index: Int, traceID: UInt32?) {
    if open[index].goesPast(sighting.point) {
      open[index].last = now
      return
    }
    open[index].last = now
    note(traceID, of: index)
    let last = open[index].way.last
    var hop = sighting.hop(since: open[index].start, mark: last.mark)
    // Most hops see the same octets: one copy of them is enough.
    if last.packet.payload == hop.packet.payload { hop.packet.payload = last.packet.payload }
    openHops += 1
    open[index].way.append(hop)
  }

  private mutating func note(_ traceID: UInt32?, of index: Int) {
    guard let traceID else { return }
    open[index].traceID = traceID
    // The kernel may put fragments together in the last one, and its trace goes on with the first.
    latestTraced[traceID] = index
  }
}

extension Sighting {
  /// The hop it is of a journey that began then, in nanoseconds since the epoch. `mark` is the one that
  /// the packet had, which counts where the kernel told none.
  fileprivate func hop(since start: UInt64, mark known: UInt32 = 0) -> Hop {
    var hop = Hop(
      point: point, time: time.since(start), inDevice: inDevice, outDevice: outDevice,
      packet: packet, mark: mark ?? known)
    hop.inPort = inPort
    hop.outPort = outPort
    return hop
  }
}
