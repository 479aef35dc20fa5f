internal import Wire

// What NFLOG and trace messages tell: where packets were, and which rules they met.

extension Story {
  /// Takes in an NFLOG message.
  mutating func takeLog(_ message: LogMessage, in octets: [UInt8], at part: Range<Int>) {
    guard let hook = message.hook, let packet = Self.packet(message, in: octets, at: part) else {
      return
    }
    if let step = LegacyTrace.step(message) {
      takeLegacy(step, packet, mark: message.mark)
      return
    }
    let point = point(message, hook: hook)
    let sighting = Sighting(
      point: point, time: now,
      stamp: message.timestamp.flatMap { clock.time(stamped: $0, read: now) },
      clockStep: clock.step,
      // The kernel knows where a forwarded packet came in even here; it does not count any more.
      inDevice: hook == .postrouting ? nil : snapshot.name(message.inDevice),
      outDevice: snapshot.name(message.outDevice),
      inPort: snapshot.name(message.physicalInDevice),
      outPort: snapshot.name(message.physicalOutDevice), packet: packet,
      identity: PacketIdentity(packet),
      mark: packet.isMulticastListenerDiscovery ? 0 : message.mark)
    if isCapture {
      place(sighting, traceID: nil)
    } else {
      pending.append(sighting)
    }
  }

  /// A rule of iptables-legacy that this packet met, with this mark.
  private mutating func takeLegacy(_ step: RuleStep, _ packet: Packet, mark: UInt32) {
    let identity = PacketIdentity(packet)
    settlePending()
    var next = open.latest(identity)
    while let index = next, open[index].dropped != nil { next = open[index].twin }
    guard let index = next else {
      if hasProbe, let discovery = DiscoveryPacket(packet) {
        snapshot.takeDiscovery(discovery, at: step)
      }
      return
    }
    open[index].last = now
    open[index].way.noteMarkBehindLegacy(mark)
    open[index].way.append(step)
  }

  private mutating func point(_ message: LogMessage, hook: Hook) -> ObservationPoint {
    if hook == .ingress || hook == .egress {
      let index = hook == .ingress ? message.inDevice : message.outDevice
      return points.point(ofDevice: snapshot.name(index), at: hook)
    }
    return points.point(label: message.prefix, at: hook)
      ?? points.guessed(prefix: message.prefix, at: hook)
  }

  /// The IP packet of a log message. At egress the payload of Ethernet begins with its link header.
  /// What is longer than 65535 octets, to be segmented behind that, has length 0.
  static func packet(
    _ message: LogMessage, in octets: [UInt8], at part: Range<Int>
  ) -> Packet? {
    let first = part.lowerBound
    if message.family == NFProto.netdev, message.hookNumber == 1, part.count > 34,
      UInt16(octets[first + 12]) << 8 | UInt16(octets[first + 13]) == message.hardwareProtocol,
      let packet = try? Packet(octets, in: first + 14..<part.upperBound),
      packet.length >= 20 || packet.length == 0
    {
      return packet
    }
    return try? Packet(octets, in: part)
  }

  /// Takes in a trace message. Returns whether a rule or policy dropped a packet of which is told.
  mutating func takeTrace(_ trace: TraceMessage) -> Bool {
    if trace.table == ownTable {
      takeOwnTrace(trace)
      return false
    }
    // What hands a packet on to another interface (`fwd`) is told when it has left by that.
    let isHandedOn = trace.verdict == .stolen && trace.family == NFProto.netdev
    guard
      let index = open.traced(trace.id)
        ?? (isHandedOn ? open.begun(with: trace.id) : original(of: trace.id))
    else {
      if hasProbe, let drop = discovery.drop(trace) { snapshot.takeDiscoveryDrop(drop) }
      return false
    }
    open[index].last = now
    noteConnection(trace, of: index)
    // The end of a user's chain says nothing that its policy or its caller does not say. What
    // another nftrace looks at beside this one is no rule of the user's; what it translates is.
    guard let ref = RuleRef(handle: trace.handle, isPolicy: trace.kind == .policy) else {
      return false
    }
    if OwnTable.isOne(trace.table), trace.chain != "masquerade" || trace.handle == nil {
      return false
    }
    var step = RuleStep(
      family: trace.family, table: trace.table, chain: trace.chain, ref, verdict: trace.verdict,
      target: trace.target)
    step.mark = trace.mark
    step = removedTables.certain(step, at: now, new: snapshot.rule(step))
    if isHandedOn, open[index].lastPoint.hook == .egress {
      open[index].way.insert(step)
    } else {
      open[index].way.append(step)
    }
    guard trace.verdict == .drop else { return false }
    open[index].dropped = step
    open[index].droppedAt = place(ofDropBy: step, in: open[index])
    return true
  }

  /// Where the base chain stands from which a dropping rule was reached.
  func place(
    ofDropBy step: RuleStep, in journey: OpenJourney
  ) -> (hook: Hook, priority: Int32)? {
    if let place = snapshot.place(of: step) { return place }
    return journey.way.trailingRules.reversed().lazy
      .filter { $0.family == step.family && $0.table == step.table }
      .compactMap { snapshot.place(of: $0) }.first
  }

  /// A trace message of nftrace's own chains: the very rule that logged, with the trace id.
  private mutating func takeOwnTrace(_ trace: TraceMessage) {
    let isOfProbe = hasProbe
    let header = trace.packet
    if isOfProbe, trace.handle != nil, trace.isDiscovery(header) {
      discovery.take(trace)
      // Where all that goes is logged, so is that.
      if let point = points.point(chain: trace.chain), trace.startsChain {
        _ = pending.remove(at: point, header)
      }
      if let packet = header.flatMap({ DiscoveryPacket($0) }) {
        snapshot.takeDiscovery(packet, at: nil)
      }
      return
    }
    guard let point = points.point(chain: trace.chain), trace.startsChain else { return }
    if let sighting = pending.remove(at: point, header) {
      let journey = place(sighting, traceID: trace.id)
      noteConnection(trace, of: journey)
    } else if trace.handle == nil, let header,
      let journey = open.traced(trace.id),
      point.follows(open[journey].lastPoint), open[journey].canBe(header)
    {
      // Not logged, since NAT took it out of the target, and yet traced: seen all the same.
      add(
        Sighting(
          point: point, time: now, clockStep: clock.step,
          inDevice: point.hook == .postrouting ? nil : snapshot.name(trace.inDevice),
          outDevice: snapshot.name(trace.outDevice), packet: open[journey].packet(now: header),
          identity: nil, mark: trace.mark ?? 0), to: journey, traceID: trace.id)
      noteConnection(trace, of: journey)
    }
  }

  private mutating func noteConnection(_ trace: TraceMessage, of index: Int) {
    if let id = trace.conntrackID, open[index].connectionID != id {
      open[index].connectionID = id
      open.set(key(of: open[index]), of: index)
    }
    if let bit = trace.conntrackState, let state = Connection.State(bit: bit) {
      if open[index].isUntracked, open[index].connectionState != state {
        open[index].connectionState = state
        open.set(key(of: open[index]), of: index)
      }
      open[index].connectionState = state
      if trace.table == ownTable, open[index].lastPoint.table == "conntrack" {
        open[index].way.track(state)
      }
    }
    if let direction = trace.conntrackDirection { open[index].isReply = direction == 1 }
    if let bits = trace.conntrackStatus {
      let status = ConntrackMessage.Status(rawValue: bits)
      open[index].arrivalStatus = open[index].arrivalStatus ?? status
      open[index].tracedStatus.formUnion(status)
    }
  }
}
