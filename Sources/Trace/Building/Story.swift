internal import Wire

/// Tells what happened from what the kernel said: records go in, in the order in which they were
/// received, exchanges come out. No clock, no file: time is what the records say.
package struct Story: Sendable {
  /// What nftrace knew when the session began.
  package private(set) var header: SessionHeader?
  /// The same, for those who are shown it with each packet.
  private(set) var session: Shared<SessionHeader>?
  /// What is asked of it at each message: a header is large, and is not to be copied for that.
  let ownTable: String?
  let hasProbe: Bool
  /// Whether other programs made what is told.
  let isCapture: Bool
  /// The NAT that iptables-legacy does.
  let legacyNAT: [Int: [String]]
  /// The place, where it is one of several that are told of.
  let site: Site?
  /// How soon packets are told.
  let pace: Pace
  /// What of recorded traffic is asked for; nil is all.
  package var wanted: WantedExchanges?
  /// Messages so far.
  package private(set) var counts = EventCounts()
  /// How many packets were dropped by a rule or policy so far.
  private(set) var verdictsOfDrop = 0

  /// What the kernel said of itself.
  var snapshot = Snapshot()
  /// Where packets are observed.
  var points: KnownPoints
  /// Journeys that may go on.
  var open = OpenJourneys()
  /// What tells which packet was seen, and what it belongs to.
  var joining: any Joining
  /// Whether a fragment came that is not the first of its packet.
  var hasLaterFragments = false
  /// Log messages that wait for their trace messages.
  var pending = PendingSightings()
  /// ARP and neighbour discovery packets on their way.
  var discovery = DiscoveryTraces()
  /// Tables that were removed a moment ago.
  var removedTables = RemovedTables()
  /// The device through which packets leave to be changed, if there is one.
  private(set) var diversion: Diversion
  /// When to look what has come to rest.
  var idleWatch = IdleWatch()
  /// The probe that was sent last.
  private(set) var latestProbe: Int?
  /// What times go by.
  private(set) var clock: SessionClock
  private var loss: LossCount
  /// Messages that were missing before this part of the session.
  private let lostBefore: LossCount
  /// When the last record was received, nanoseconds since the epoch.
  private(set) var now: UInt64 = 0

  /// A journey closes when nothing was heard of its exchange for this long, in nanoseconds.
  static let idle: UInt64 = 1_000_000_000
  /// So long a packet may wait for its next hop before the kernel tells its sender that there is none, in nanoseconds.
  static let neighbourWait: UInt64 = 4_000_000_000
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
  /// Of several stories that are told beside each other, each has a part of this many hops, and of a few at least.
  static let mostHopsOfSeveral = 1 << 16
  static let leastHops = 1 << 10
  /// Of this story: hops that are kept open, and hops beyond which exchanges are told in parts.
  private(set) var roomForHops = mostHops
  private(set) var manyOpenHops = manyHops

  /// Takes in that it is told beside others: there are so many in all.
  mutating func shareRoom(among stories: Int) {
    guard stories > 1 else { return }
    roomForHops = min(max(Self.mostHopsOfSeveral / stories, Self.leastHops), Self.mostHops)
    manyOpenHops = min(roomForHops / 2, Self.manyHops)
  }

  /// A story about to begin. `header` is nil for captures that other programs made.
  /// `earlier` is the story of the part of the session before this one, if there is one: what the
  /// kernel numbered in it is gone on with. `site` is where, if it is one of several; `pace` is how soon packets
  /// are told.
  package init(
    header: SessionHeader?, after earlier: Story? = nil, at site: Site? = nil,
    pace: Pace = .whole
  ) {
    self.header = header
    session = header.map { Shared($0) }
    ownTable = header?.table
    hasProbe = header?.probe != nil
    isCapture = header == nil
    legacyNAT = header?.legacyNAT ?? [:]
    self.pace = pace
    self.site = site
    points = KnownPoints(header)
    diversion = Diversion(through: header?.diversion)
    joining =
      header?.isKernelLog == true
      ? HeaderJoining() : TraceJoining(isOfProbes: header?.probe != nil)
    clock = earlier?.clock ?? SessionClock()
    loss = earlier?.loss ?? LossCount()
    lostBefore = loss
    snapshot.standIns = header?.rehearsal?.standIns ?? []
  }

  /// The probes, if there are any: a header is not looked at for nothing.
  var plan: ProbePlan? { hasProbe ? session?.value.probe : nil }

  /// When the first sighting was made that is in no journey yet.
  var earliestPending: UInt64? { pending.earliest }

  /// Adds a point that nobody knew of.
  mutating func learn(_ point: ObservationPoint) {
    header?.points.append(point)
    session?.value.points.append(point)
    points = KnownPoints(header)
  }

  // MARK: Records in

  /// Takes in one record. Damaged messages are left out; the session file keeps them.
  package mutating func take(_ record: Record) {
    idleWatch.take(record.time, after: now)
    now = max(now, record.time)
    switch record.content {
    case .log(let payload):
      counts.nflog += 1
      var packet = 0..<0
      if let message = try? LogMessage(payload, packetAt: &packet) {
        if loss.take(message) { noteLoss() }
        takeLog(message, in: payload, at: packet)
      }
    case .line(let line):
      counts.lines += 1
      takeLine(line)
    case .netlink(let message):
      if !hasProbe, PastRouting.begins(message) { snapshot.keepRouting(until: record.time) }
      takeNetlink(message)
    case .lost(let count):
      loss.take(lost: count)
      noteLoss()
    case .note(.clockSet(let step)):
      counts.note(clockStep: step.subtracting(clamped: clock.step))
      clock.set(step)
    case .note(.clockAhead(let ahead, let stamps, let doubt)):
      clock = SessionClock(ahead: ahead, stamps: stamps, doubt: doubt)
    case .note(let note): snapshot.take(note)
    case .sent(let bytes):
      if hasProbe, let packet = try? Packet(bytes),
        let sequence = plan?.sequence(of: packet)
      {
        latestProbe = sequence
      }
    case .received: break
    }
    place(pending.removeOverdue(at: now))
  }

  /// Takes in that all there was up to this time has been received.
  package mutating func pass(to time: UInt64) {
    now = max(now, time)
    idleWatch.forgetPauses()
  }

  /// What counts messages about packets that are passed over from here on.
  package var passing: PassedRecords { PassedRecords(after: loss) }

  /// Takes in what was passed over.
  package mutating func take(_ passed: PassedRecords) {
    counts.add(passed.counts)
    loss.takeNumbers(of: passed.loss)
    noteLoss()
    now = max(now, passed.latest)
  }

  /// Takes in what was done with a packet that was read from the diversion's device: `octets` are
  /// those that were read.
  package mutating func take(_ fate: Interception.Fate, of octets: [UInt8]) {
    guard let packet = try? Packet(octets) else { return }
    diversion.note(fate, of: PacketIdentity(packet))
  }

  /// What was lost may have been about any packet on its way.
  private mutating func noteLoss() {
    counts.lost = loss.count.subtracting(clamped: lostBefore.count)
    counts.missingLogs = loss.missingLogs.subtracting(clamped: lostBefore.missingLogs)
    for index in open.indices { open[index].hasGap = true }
  }

  private mutating func takeNetlink(_ message: NetlinkMessage) {
    if message.type == TraceMessage.type {
      counts.trace += 1
      if let trace = try? TraceMessage(message.payload), takeTrace(trace) { verdictsOfDrop += 1 }
    } else if ConntrackMessage.isOne(message.type) {
      counts.conntrack += 1
      if let connection = try? ConntrackMessage(message) { snapshot.take(connection) }
    } else if message.type == DropEvent.messageType {
      counts.drops += 1
      if let drop = try? DropEvent(parsing: message) {
        snapshot.take(drop, isElsewhere: header?.isElsewhere(drop) == true)
      }
    } else if let changer = RulesetWatch.changer(message) {
      if changer != RulesetWatch.program { counts.rulesetChanger = changer }
      settleRemovals()
    } else {
      noteRemoval(message)
      snapshot.take(message)
    }
  }

  /// Places log messages whose trace messages did not come.
  mutating func settlePending() {
    place(pending.removeAll())
  }
}
