internal import Wire

/// Tells what happened from what the kernel said: records go in, in the order in which they were
/// received, exchanges come out. No clock, no file: time is what the records say.
package struct Story: Sendable {
  /// What nftrace knew when the session began.
  package private(set) var header: SessionHeader?
  /// Messages so far.
  package private(set) var counts = EventCounts()
  /// How many packets were dropped by a rule or policy so far.
  private(set) var verdictsOfDrop = 0

  var snapshot = Snapshot()
  /// Tables that were removed a moment ago.
  var removedTables: [RemovedTable] = []
  /// Whether lines of the kernel log are all there is.
  let isKernelLog: Bool
  private var points: [String: ObservationPoint] = [:]
  private(set) var labels: [Hook: [String: ObservationPoint]] = [:]
  /// Chains of points behind which a packet is seen no more.
  var ends: Set<String> = []
  /// In the order in which they began.
  var open: [OpenJourney] = []
  /// The last open journey of each identity, and of each trace id; `OpenJourney.twin` leads on.
  var latest: [PacketIdentity: Int] = [:]
  var latestTraced: [UInt32: Int] = [:]
  /// Hops of open journeys.
  var openHops = 0
  /// Log messages whose trace message, which brings the trace id, has not come yet.
  private var pending: [Sighting] = []
  /// Trace ids of ARP and neighbour discovery packets on their way.
  private var discovery: Set<UInt32> = []
  /// What the next journey is counted as.
  var nextID = 1
  /// Which packets answer which, where conntrack does not tell.
  var flows = LoggedFlows()
  /// What was done with packets in a diversion.
  var fates = DiversionFates()
  /// The probe that was sent last.
  private(set) var latestProbe: Int?
  private var loss: LossCount
  /// Messages that were missing before this part of the session.
  private let lostBefore: LossCount
  var now: UInt64 = 0
  var lastIdleCheck: UInt64 = 0
  /// When the last two pauses ended in which no record was received, and nobody said that none was
  /// waiting.
  var pauses: (last: UInt64, before: UInt64) = (0, 0)

  /// A journey closes when nothing was heard of its exchange for this long, in nanoseconds.
  static let idle: UInt64 = 1_000_000_000
  /// A log message waits this long for its trace message, in nanoseconds.
  static let patience: UInt64 = 50_000_000
  /// A packet on its way is mostly heard of again within this time, in nanoseconds: one that was heard
  /// of so shortly before the end of a recording is not called lost.
  static let onItsWay: UInt64 = 100_000_000
  /// An exchange that goes on is told in parts, each of so many packets or so many nanoseconds.
  static let mostPackets = 256
  static let longest: UInt64 = 10_000_000_000
  /// Hops of open journeys, some 400 octets each, beyond which exchanges that go on for an idle second
  /// are told in parts.
  static let manyHops = 1 << 15
  /// Packets beyond which no more exchanges are told at once.
  static let mostAtOnce = 512
  /// Journeys and hops that are kept open; beyond that, the oldest are told as they stand.
  static let mostOpen = 16384
  static let mostHops = 1 << 18
  /// Log messages that wait for their trace messages.
  static let mostPending = 256

  /// A story about to begin. `header` is nil for captures that other programs made.
  /// `earlier` is the story of the part of the session before this one, if there is one: what the
  /// kernel numbered in it is gone on with.
  package init(header: SessionHeader?, after earlier: Story? = nil) {
    self.header = header
    isKernelLog = header?.isKernelLog == true
    loss = earlier?.loss ?? LossCount()
    lostBefore = loss
    learnPoints()
  }

  /// Finds anew what the header's points mean.
  private mutating func learnPoints() {
    var points: [String: ObservationPoint] = [:]
    for point in (header?.points ?? []) + [.ingress, .egress] { points[point.chain] = point }
    self.points = points
    var labels: [Hook: [String: ObservationPoint]] = [:]
    for point in (header?.points ?? []).reversed() {
      labels[point.hook, default: [:]][point.label] = point
    }
    self.labels = labels
    // What follows a point at all is followed by the last one of a hook.
    let last = Dictionary(grouping: points.values, by: \.hook).values.compactMap {
      $0.max { $0.priority < $1.priority }
    }
    self.ends = Set(
      points.values.filter { point in
        header != nil && !last.contains { $0.follows(point) }
      }.map(\.chain))
  }

  /// When the first sighting was made that is in no journey yet.
  var earliestPending: UInt64? { pending.first?.time }

  /// Adds a point that nobody knew of.
  mutating func learn(_ point: ObservationPoint) {
    header?.points.append(point)
    learnPoints()
  }

  // MARK: Records in

  /// Takes in one record. Damaged messages are left out; the session file keeps them.
  package mutating func take(_ record: Record) {
    if record.time > now.later(by: Self.patience) { pauses = (record.time, pauses.last) }
    now = max(now, record.time)
    switch record.content {
    case .log(let payload):
      counts.nflog += 1
      if let message = try? LogMessage(payload) { takeLog(message) }
    case .line(let line):
      counts.lines += 1
      takeLine(line)
    case .netlink(let message): takeNetlink(message)
    case .lost(let count):
      loss.take(lost: count)
      noteLoss()
    case .note(let note): snapshot.take(note)
    case .sent(let bytes):
      if let packet = try? Packet(bytes), let sequence = header?.probe?.sequence(of: packet) {
        latestProbe = sequence
      }
    case .received: break
    }
    if let first = pending.first, now.since(first.time) > Self.patience { settlePending() }
    if pending.count > Self.mostPending {
      // Their trace messages were lost, it seems; those of the newer half may still come.
      let older = pending.prefix(Self.mostPending / 2)
      pending.removeFirst(older.count)
      for sighting in older { place(sighting, traceID: nil) }
    }
  }

  /// What was lost may have been about any packet on its way.
  private mutating func noteLoss() {
    counts.lost = loss.count.subtracting(clamped: lostBefore.count)
    counts.missingLogs = loss.missingLogs.subtracting(clamped: lostBefore.missingLogs)
    for index in open.indices { open[index].hasGap = true }
  }

  private mutating func takeLog(_ message: LogMessage) {
    if loss.take(message) { noteLoss() }
    guard let hook = message.hook, let packet = Self.packet(message) else { return }
    if let step = LegacyTrace.step(message) {
      takeLegacy(step, packet)
      return
    }
    let point = point(message, hook: hook)
    let sighting = Sighting(
      point: point, time: now,
      // The kernel knows where a forwarded packet came in even here; it does not count any more.
      inDevice: hook == .postrouting ? nil : snapshot.name(message.inDevice),
      outDevice: snapshot.name(message.outDevice),
      inPort: snapshot.name(message.physicalInDevice),
      outPort: snapshot.name(message.physicalOutDevice), packet: packet,
      identity: PacketIdentity(packet),
      mark: packet.isMulticastListenerDiscovery ? 0 : message.mark)
    if header == nil {
      place(sighting, traceID: nil)
    } else {
      pending.append(sighting)
    }
  }

  /// A rule of iptables-legacy that this packet met.
  private mutating func takeLegacy(_ step: RuleStep, _ packet: Packet) {
    let identity = PacketIdentity(packet)
    settlePending()
    var next = latest[identity]
    while let index = next, open[index].dropped != nil { next = open[index].twin }
    guard let index = next else { return }
    open[index].last = now
    open[index].way.append(step)
  }

  private func point(_ message: LogMessage, hook: Hook) -> ObservationPoint {
    if hook == .ingress || hook == .egress {
      var point = hook == .ingress ? ObservationPoint.ingress : .egress
      let index = hook == .ingress ? message.inDevice : message.outDevice
      if let name = snapshot.name(index) { point.label += "-\(name)" }
      return point
    }
    return labels[hook]?[message.prefix] ?? .guessed(prefix: message.prefix, hook: hook)
  }

  /// The IP packet of a log message. At egress the payload of Ethernet begins with its link header.
  /// What is longer than 65535 octets, to be segmented behind that, has length 0.
  static func packet(_ message: LogMessage) -> Packet? {
    let bytes = message.payload
    if message.family == NFProto.netdev, message.hookNumber == 1, bytes.count > 34,
      UInt16(bytes[12]) << 8 | UInt16(bytes[13]) == message.hardwareProtocol,
      let packet = try? Packet(Array(bytes[14...])), packet.length >= 20 || packet.length == 0
    {
      return packet
    }
    return try? Packet(bytes)
  }

  private mutating func takeNetlink(_ message: NetlinkMessage) {
    if message.type == TraceMessage.type {
      counts.trace += 1
      if let trace = try? TraceMessage(message.payload) { takeTrace(trace) }
    } else if ConntrackMessage.isOne(message.type) {
      counts.conntrack += 1
      if let connection = try? ConntrackMessage(message) { snapshot.take(connection) }
    } else if message.type == DropEvent.messageType {
      counts.drops += 1
      if let drop = try? DropEvent(parsing: message) { snapshot.take(drop) }
    } else if let changer = RulesetWatch.changer(message) {
      if changer != RulesetWatch.program { counts.rulesetChanger = changer }
      settleRemovals()
    } else {
      noteRemoval(message)
      snapshot.take(message)
    }
  }

  private mutating func takeTrace(_ trace: TraceMessage) {
    if trace.table == header?.table {
      takeOwnTrace(trace)
      return
    }
    guard let index = traced(trace.id) else {
      takeDiscovery(trace)
      return
    }
    open[index].last = now
    noteConnection(trace, of: index)
    // The end of a user's chain says nothing that its policy or its caller does not say. What
    // another nftrace looks at beside this one is no rule of the user's; what it translates is.
    guard let ref = RuleRef(handle: trace.handle, isPolicy: trace.kind == .policy) else { return }
    if OwnTable.isOne(trace.table), trace.chain != "masquerade" || trace.handle == nil {
      return
    }
    var step = RuleStep(
      family: trace.family, table: trace.table, chain: trace.chain, ref, verdict: trace.verdict,
      target: trace.target)
    step.mark = trace.mark
    step = certain(step)
    open[index].way.append(step)
    if trace.verdict == .drop {
      verdictsOfDrop += 1
      open[index].dropped = step
      open[index].droppedAt = place(ofDropBy: step, in: open[index])
    }
  }

  /// ARP and neighbour discovery are traced, not logged: only that a rule drops them is of interest.
  private mutating func takeDiscovery(_ trace: TraceMessage) {
    if trace.family == NFProto.arp || discovery.contains(trace.id), trace.verdict == .drop,
      let ref = RuleRef(handle: trace.handle, isPolicy: trace.kind == .policy)
    {
      snapshot.takeDiscoveryDrop(
        RuleStep(
          family: trace.family, table: trace.table, chain: trace.chain, ref, verdict: .drop))
    }
  }

  /// Where the base chain stands from which a dropping rule was reached.
  private func place(
    ofDropBy step: RuleStep, in journey: OpenJourney
  ) -> (hook: Hook, priority: Int32)? {
    if let place = snapshot.place(of: step) { return place }
    return journey.way.trailingRules.reversed().lazy
      .filter { $0.family == step.family && $0.table == step.table }
      .compactMap { snapshot.place(of: $0) }.first
  }

  /// A trace message of nftrace's own chains: the very rule that logged, with the trace id.
  private mutating func takeOwnTrace(_ trace: TraceMessage) {
    let isOfProbe = header?.probe != nil
    let header = trace.packet
    if isOfProbe, trace.handle != nil, trace.isDiscovery(header) {
      // Trace ids are used again: what was long ago does not count.
      if discovery.count >= 4096 { discovery.removeAll(keepingCapacity: true) }
      discovery.insert(trace.id)
      return
    }
    // Where there are very many interfaces, "ingress_2" stands beside "ingress".
    let chain =
      trace.chain.hasPrefix("ingress_")
      ? "ingress"
      : trace.chain.hasPrefix("egress_") ? "egress" : trace.chain
    guard let point = points[chain], trace.startsChain else { return }
    if let index = pending.firstIndex(where: { isSame($0, point: point, header: header) }) {
      let sighting = pending.remove(at: index)
      let journey = place(sighting, traceID: trace.id)
      noteConnection(trace, of: journey)
    } else if trace.handle == nil, let header,
      let journey = traced(trace.id),
      point.follows(open[journey].lastPoint), open[journey].canBe(header)
    {
      // Not logged, since NAT took it out of the target, and yet traced: seen all the same.
      add(
        Sighting(
          point: point, time: now,
          inDevice: point.hook == .postrouting ? nil : snapshot.name(trace.inDevice),
          outDevice: snapshot.name(trace.outDevice), packet: open[journey].packet(now: header),
          identity: nil, mark: trace.mark ?? 0), to: journey, traceID: trace.id)
      noteConnection(trace, of: journey)
    }
  }

  private func isSame(_ seen: Sighting, point: ObservationPoint, header: Packet?) -> Bool {
    guard seen.point.chain == point.chain else { return false }
    guard let header else { return true }
    return seen.packet.source == header.source && seen.packet.destination == header.destination
      && seen.packet.identification == header.identification
  }

  private mutating func noteConnection(_ trace: TraceMessage, of index: Int) {
    if let id = trace.conntrackID, open[index].connectionID != id {
      open[index].connectionID = id
      open[index].key = key(of: open[index])
    }
    if let bit = trace.conntrackState, let state = Connection.State(bit: bit) {
      if open[index].isUntracked, open[index].connectionState != state {
        open[index].connectionState = state
        open[index].key = key(of: open[index])
      }
      open[index].connectionState = state
      if trace.table == header?.table, open[index].lastPoint.table == "conntrack" {
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

  /// Places log messages whose trace messages did not come.
  mutating func settlePending() {
    for sighting in pending { place(sighting, traceID: nil) }
    pending = []
  }
}
