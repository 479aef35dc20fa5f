internal import Wire

/// Tells what happened from what the kernel said: records go in, in the order in which they were
/// received, exchanges come out. No clock, no file: time is what the records say.
public struct Story: Sendable {
  /// What nftrace knew when the session began.
  public let header: SessionHeader?
  /// Messages so far.
  public private(set) var counts = EventCounts()
  /// Whether the ruleset was changed by somebody while the session ran.
  public private(set) var rulesetChanged = false

  private(set) var environment = Environment()
  private let points: [String: ObservationPoint]
  private var open: [OpenJourney] = []
  /// Log messages whose trace message, which brings the trace id, has not come yet.
  private var pending: [Observation] = []
  /// Trace ids of ARP and neighbour discovery packets on their way.
  private var discovery: Set<UInt32> = []
  private var nextID = 1
  /// The last number of each log group.
  private var lastSequence: [UInt16: UInt32] = [:]
  private var now: UInt64 = 0
  private var lastIdleCheck: UInt64 = 0

  /// A journey closes when nothing was heard of its exchange for this long, in nanoseconds.
  static let idle: UInt64 = 1_000_000_000
  /// A log message waits this long for its trace message, in nanoseconds.
  static let patience: UInt64 = 50_000_000

  /// A story about to begin. `header` is nil for captures that other programs made.
  public init(header: SessionHeader?) {
    self.header = header
    var points: [String: ObservationPoint] = [:]
    for point in (header?.points ?? []) + [.ingress, .egress] { points[point.chain] = point }
    self.points = points
  }

  // MARK: Records in

  /// Takes in one record. Damaged messages are left out; the session file keeps them.
  public mutating func take(_ record: Record) {
    now = max(now, record.time)
    switch record.content {
    case .log(let payload):
      counts.nflog += 1
      if let message = try? LogMessage(payload) { takeLog(message) }
    case .netlink(let message): takeNetlink(message)
    case .lost(let count): counts.lost += count ?? 1
    case .note(let note): environment.take(note)
    case .sent, .received: break
    }
    if let first = pending.first, now - first.time > Self.patience { settlePending() }
  }

  private mutating func takeLog(_ message: LogMessage) {
    if let sequence = message.sequence {
      if let last = lastSequence[message.group], sequence != last &+ 1 {
        counts.lost += Int(sequence &- last &- 1)
      }
      lastSequence[message.group] = sequence
    }
    guard let hook = message.hook, let packet = Self.packet(message) else { return }
    if let step = LegacyTrace.step(message) {
      takeLegacy(step, packet)
      return
    }
    let point = point(message, hook: hook)
    let observation = Observation(
      point: point, time: now,
      // The kernel knows where a forwarded packet came in even here; it does not count any more.
      inDevice: hook == .postrouting ? nil : environment.name(message.inDevice),
      outDevice: environment.name(message.outDevice), packet: packet, identity: Identity(packet),
      mark: packet.isMulticastListenerDiscovery ? 0 : message.mark)
    if header == nil {
      place(observation, traceID: nil)
    } else {
      pending.append(observation)
    }
  }

  /// A rule of iptables-legacy that this packet met.
  private mutating func takeLegacy(_ step: RuleStep, _ packet: Packet) {
    let identity = Identity(packet)
    settlePending()
    guard let index = open.lastIndex(where: { $0.identity == identity && $0.dropped == nil }) else {
      return
    }
    open[index].last = now
    open[index].steps.append(step)
  }

  private func point(_ message: LogMessage, hook: Hook) -> ObservationPoint {
    if hook == .ingress || hook == .egress {
      var point = hook == .ingress ? ObservationPoint.ingress : .egress
      let index = hook == .ingress ? message.inDevice : message.outDevice
      if let name = environment.name(index) { point.label += "-\(name)" }
      return point
    }
    return header?.points.first { $0.hook == hook && $0.label == message.prefix }
      ?? .guessed(prefix: message.prefix, hook: hook)
  }

  /// The IP packet of a log message. At egress the payload of Ethernet begins with its link header.
  static func packet(_ message: LogMessage) -> Packet? {
    let bytes = message.payload
    if message.family == NFProto.netdev, message.hookNumber == 1, bytes.count > 34,
      UInt16(bytes[12]) << 8 | UInt16(bytes[13]) == message.hardwareProtocol,
      let packet = try? Packet(Array(bytes[14...])), packet.length >= 20
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
      if let connection = try? ConntrackMessage(message) { environment.take(connection) }
    } else if message.type == DropEvent.messageType {
      counts.drops += 1
      if let drop = try? DropEvent(parsing: message) { environment.take(drop) }
    } else if message.type == 0x0a0f {
      rulesetChanged = true
    } else {
      environment.take(message)
    }
  }

  private mutating func takeTrace(_ trace: TraceMessage) {
    if trace.table == header?.table {
      takeOwnTrace(trace)
      return
    }
    guard let index = open.lastIndex(where: { $0.traceID == trace.id }) else {
      takeDiscovery(trace)
      return
    }
    open[index].last = now
    noteConnection(trace, of: index)
    // The end of a user's chain says nothing that its policy or its caller does not say. What
    // another nftrace looks at beside this one is no rule of the user's; what it translates is.
    guard trace.kind == .policy || trace.handle != nil else { return }
    if trace.table.hasPrefix("nftrace_"), trace.chain != "masquerade" || trace.handle == nil {
      return
    }
    let step = RuleStep(
      family: trace.family, table: trace.table, chain: trace.chain, handle: trace.handle,
      verdict: trace.verdict, target: trace.target, isPolicy: trace.kind == .policy)
    open[index].steps.append(step)
    if trace.verdict == .drop {
      open[index].dropped = step
      open[index].droppedAt = place(ofDropBy: step, in: open[index])
    }
  }

  /// ARP and neighbour discovery are traced, not logged: only that a rule drops them is of interest.
  private mutating func takeDiscovery(_ trace: TraceMessage) {
    if trace.family == NFProto.arp || discovery.contains(trace.id), trace.verdict == .drop {
      environment.takeDiscoveryDrop(
        RuleStep(
          family: trace.family, table: trace.table, chain: trace.chain, handle: trace.handle,
          verdict: .drop, isPolicy: trace.kind == .policy))
    }
  }

  /// Where the base chain stands from which a dropping rule was reached.
  private func place(
    ofDropBy step: RuleStep, in journey: OpenJourney
  ) -> (hook: Hook, priority: Int32)? {
    if let place = environment.place(of: step) { return place }
    return journey.steps.reversed().lazy
      .filter { $0.family == step.family && $0.table == step.table }
      .compactMap { environment.place(of: $0) }.first
  }

  /// A trace message of nftrace's own chains: the very rule that logged, with the trace id.
  private mutating func takeOwnTrace(_ trace: TraceMessage) {
    if trace.handle != nil, Observation.isDiscovery(trace) {
      discovery.insert(trace.id)
      return
    }
    // Where there are very many interfaces, "ingress_2" stands beside "ingress".
    let chain =
      trace.chain.hasPrefix("ingress_")
      ? "ingress"
      : trace.chain.hasPrefix("egress_") ? "egress" : trace.chain
    guard let point = points[chain], trace.startsChain else { return }
    let header = trace.networkHeader.flatMap { try? Packet($0 + (trace.transportHeader ?? [])) }
    if let index = pending.firstIndex(where: { isSame($0, point: point, header: header) }) {
      let observation = pending.remove(at: index)
      let journey = place(observation, traceID: trace.id)
      noteConnection(trace, of: journey)
    } else if trace.handle == nil, let header,
      let journey = open.lastIndex(where: { $0.traceID == trace.id }),
      point.follows(open[journey].lastPoint)
    {
      // Not logged, since NAT took it out of the target, and yet traced: seen all the same.
      var packet = header
      packet.payload = open[journey].hops[0].packet.payload
      add(
        Observation(
          point: point, time: now,
          inDevice: point.hook == .postrouting ? nil : environment.name(trace.inDevice),
          outDevice: environment.name(trace.outDevice), packet: packet, identity: nil,
          mark: trace.mark ?? 0), to: journey, traceID: trace.id)
      noteConnection(trace, of: journey)
    }
  }

  private func isSame(_ seen: Observation, point: ObservationPoint, header: Packet?) -> Bool {
    guard seen.point.chain == point.chain else { return false }
    guard let header else { return true }
    return seen.packet.source == header.source && seen.packet.destination == header.destination
      && seen.packet.identification == header.identification
  }

  private mutating func noteConnection(_ trace: TraceMessage, of index: Int) {
    if let id = trace.conntrackID { open[index].connectionID = id }
    if let bit = trace.conntrackState, let state = Connection.State(bit: bit) {
      open[index].connectionState = state
      if trace.table == header?.table, !open[index].hops.isEmpty {
        open[index].hops[open[index].hops.count - 1].connectionState = state
      }
    }
    if let direction = trace.conntrackDirection { open[index].isReply = direction == 1 }
  }

  /// Places log messages whose trace messages did not come.
  private mutating func settlePending() {
    for observation in pending { place(observation, traceID: nil) }
    pending = []
  }

  /// Adds an observation to the journey it belongs to, or begins one. Returns its index.
  @discardableResult
  private mutating func place(_ observation: Observation, traceID: UInt32?) -> Int {
    let identity = observation.identity ?? Identity(observation.packet)
    let candidates = open.indices.filter { continues(open[$0], with: observation, identity) }
    let index =
      candidates.last { traceID != nil && open[$0].traceID == traceID }
      ?? candidates.first { open[$0].traceID == nil || traceID == nil } ?? candidates.first
    if let index {
      add(observation, to: index, traceID: traceID)
      return index
    }
    open.append(
      OpenJourney(
        id: nextID, identity: identity, traceID: traceID, hops: [], start: observation.time,
        last: observation.time))
    nextID += 1
    add(observation, to: open.count - 1, traceID: traceID)
    return open.count - 1
  }

  /// Whether the packet of an open journey can be the one observed.
  private func continues(
    _ journey: OpenJourney, with next: Observation, _ identity: Identity
  ) -> Bool {
    guard journey.identity == identity, let last = journey.hops.last else { return false }
    if next.point.follows(last.point) { return journey.dropped == nil }
    // Out through the loopback interface and in again is still the same packet.
    return last.outDevice == "lo" && next.inDevice == "lo"
      && (next.point.hook == .ingress || next.point.hook == .prerouting)
  }

  private mutating func add(_ observation: Observation, to index: Int, traceID: UInt32?) {
    let steps = open[index].steps
    open[index].steps = []
    open[index].last = now
    if let traceID { open[index].traceID = traceID }
    open[index].hops.append(
      Hop(
        point: observation.point, time: observation.time - open[index].start,
        inDevice: observation.inDevice, outDevice: observation.outDevice,
        packet: observation.packet, mark: observation.mark, rules: steps))
  }

  // MARK: Exchanges out

  /// The exchanges of which nothing was heard for a second, in the order in which they began.
  public mutating func closeIdle() -> [Exchange] {
    guard now - lastIdleCheck > Self.idle / 10 else { return [] }
    lastIdleCheck = now
    let groups = Dictionary(grouping: open.indices) { key(of: open[$0]) }
    let idle = groups.values.filter { group in
      group.allSatisfy { now - open[$0].last > Self.idle }
    }
    return close(idle)
  }

  /// The exchange of the probe with this number, whether or not more could come.
  public mutating func closeProbe(_ sequence: Int) -> Exchange {
    settlePending()
    let group = open.indices.filter { self.sequence(of: open[$0]) == sequence }
    return close([group]).first ?? Exchange(journeys: [])
  }

  /// All that is left, at the end of the session.
  public mutating func finish() -> [Exchange] {
    settlePending()
    let groups = Dictionary(grouping: open.indices) { key(of: open[$0]) }
    return close(Array(groups.values))
  }

  /// Whether the request of this probe met its end in a rule, so that nothing more can come of it.
  public func isDropped(probe sequence: Int) -> Bool {
    open.contains { $0.dropped != nil && self.sequence(of: $0) == sequence }
  }

  /// Rules of the user that decided over open journeys and whose texts are not known yet.
  public var unknownDeciders: [RuleStep] {
    var found: [RuleStep] = []
    for journey in open {
      for step in journey.hops.flatMap(\.rules) where isUnknown(step) && !found.contains(step) {
        if step.handle != nil || step.table == "nat" { found.append(step) }
      }
      for step in journey.steps where isUnknown(step) && !found.contains(step) {
        found.append(step)
      }
    }
    for step in environment.discoveryDrops where isUnknown(step) && !found.contains(step) {
      found.append(step)
    }
    return found
  }

  /// Whether a step decided something and its rule was not read yet.
  private func isUnknown(_ step: RuleStep) -> Bool {
    if step.handle != nil { return step.verdict != .continue && environment.rule(step) == nil }
    return step.position != nil && !step.isPolicy && environment.text(step) == nil
  }

  /// The journeys of a probe as far as they went.
  func openJourneys(probe sequence: Int) -> [Journey] {
    open.filter { self.sequence(of: $0) == sequence }.map(journey)
  }

  private enum Key: Hashable {
    case probe(Int)
    case flow(UInt32, UInt16)
    case echo(Identity)
    case journey(Int)
  }

  private func key(of journey: OpenJourney) -> Key {
    if let sequence = sequence(of: journey) { return .probe(sequence) }
    if let id = journey.connectionID {
      let echo = journey.hops[0].packet.icmp?.sequence ?? 0
      return .flow(id, echo)
    }
    // Without conntrack's word: an echo reply has the payload of its request.
    if let echo = Identity(echo: journey.hops[0].packet) { return .echo(echo) }
    return .journey(journey.id)
  }

  /// The number of the probe a journey belongs to; nil for other packets.
  func sequence(of journey: OpenJourney) -> Int? {
    header?.probe?.sequence(of: journey.hops[0].packet)
  }

  private mutating func close(_ groups: [[Int]]) -> [Exchange] {
    let ordered = groups.filter { !$0.isEmpty }.map { $0.sorted() }.sorted { $0[0] < $1[0] }
    let exchanges = ordered.map { group in
      Exchange(journeys: group.map { journey(open[$0]) })
    }
    let closed = Set(ordered.joined())
    open = open.indices.filter { !closed.contains($0) }.map { open[$0] }
    return exchanges.map(withRefusals)
  }

  /// A dropped request that an ICMP error or a reset of this host answered was rejected.
  private func withRefusals(_ exchange: Exchange) -> Exchange {
    var exchange = exchange
    let refused = exchange.journeys.contains {
      $0.direction == .error && $0.hops.first?.point.hook == .output
    }
    for index in exchange.journeys.indices
    where refused && exchange.journeys[index].direction == .request
      && exchange.journeys[index].end.kind == .dropped
    {
      exchange.journeys[index].end.kind = .rejected
    }
    return exchange
  }
}
