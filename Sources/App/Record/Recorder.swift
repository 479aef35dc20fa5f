internal import Glibc
package import Kernel
internal import Report
package import Trace
internal import Wire

/// Writes down what the rules of a setup report, and keeps those rules in order.
package struct Recorder {
  let store: any RecorderStore
  /// The setup as it was when recording began.
  let setup: SetupState
  let kernel: any RecorderKernel
  let events: any EventSource
  private let oracle: any Oracle
  let loop: any EventLoop
  var file: RecordingFile
  var header: SessionHeader
  private var targets: [Prefix]
  /// How far it has come.
  package internal(set) var state: RecorderState

  var changes = RulesetWatch()
  private var deciders = DecidingRules()
  private var loss = LossCount()
  /// By how many nanoseconds the machine's clock was set since it began.
  private var clockStep: Int64 = 0
  private var recorded: RecordedEvents
  /// What the kernel listed last, without the numbers that differ from list to list.
  var chains: [[UInt8]] = []
  var devices: [String] = []
  /// What routing went by last.
  private var routing: [Record] = []
  var legacyTables: Set<String> = []
  /// Moments of the monotonic clock.
  var notBefore: UInt64 = 0
  /// When it is to be noted how far it has come; nil where that is noted.
  var nextSave: UInt64?
  private var cannotSave = false
  private var nextHolders: UInt64 = 0
  private var wasHeld = true

  /// Who tells what is counted; nil where nobody wants to know.
  var metrics: RecorderMetrics?

  /// How much comes.
  private var traffic = MessageRate()

  /// Datagrams that are taken in at a time, so that nothing else waits for long.
  private static let batch = 4096
  /// Nanoseconds until what could not be put in order is tried again.
  static let pause: UInt64 = 2_000_000_000
  /// Nanoseconds until it is noted how far it has come.
  private static let notePause: UInt64 = 300_000_000

  /// Records to a file, called `path`, that is empty, and one of nftrace's own if it `isOurs`; both together
  /// have at most `limit` octets. What it counts it tells in `metrics`.
  package init(
    _ store: any RecorderStore, _ setup: SetupState, kernel: any RecorderKernel,
    loop: any EventLoop, to medium: any RecordingMedium, path: String, limit: Int, isOurs: Bool,
    identity: ProcessIdentity, netns: String?, metrics: (any MetricsSink)? = nil
  ) {
    let now = loop.realtime
    file = RecordingFile(medium, limit: limit, isOurs: isOurs, loop: loop)
    state = RecorderState(
      process: identity.process, start: identity.start, session: path, limit: limit,
      since: now / 1_000_000_000)
    (state.flushed, state.packets) = (now, 0)
    header = SessionHeader(
      command: "record", version: Version.number, kernel: kernel.release,
      netns: netns ?? setup.netns, points: setup.points, table: SetupTables.name)
    header.namespace = store.namespaceKey
    if header.netns == nil { header.netnsEntered = kernel.namespaceName }
    header.begin(at: now, on: kernel.machine)
    self.metrics = metrics.map { RecorderMetrics($0, kernel, netns: netns ?? setup.netns) }
    targets = []
    recorded = RecordedEvents(since: now)
    self.setup = setup
    self.store = store
    self.kernel = kernel
    self.loop = loop
    events = kernel.events
    oracle = kernel.oracle
  }

  // MARK: The loop

  /// Records until a signal comes; returns it, or nil if the namespace was deleted. `ready` is called
  /// when nothing is missed any more.
  package mutating func run(ready: () -> Void) throws(KernelError) -> Int32? {
    loop.watch([events.fileDescriptor] + [kernel.routingDescriptor].compactMap { $0 })
    do throws(KernelError) {
      routing = kernel.routingNews() ?? []
      try begin(try traced(), try kernel.listing())
      try store.save(state)
      store.reserve()
      try kernel.giveUpRights()
      ready()
      while true {
        loop.wait(nanoseconds: pauseLength)
        // Being woken up costs more than reading: where much comes, it is read many at a time.
        if traffic.perSecond >= MessageRate.much { loop.pause(nanoseconds: MessageRate.gathering) }
        try receive()
        let signal = loop.signal()
        if let signal, signal != Loop.flushRequest {
          try finish()
          return signal
        }
        try readRules()
        if signal != nil { try flush() }
        try lookAround(loop.monotonic)
        if let due = metrics?.due, loop.monotonic >= due { try tellMetrics() }
        if let due = file.due, loop.monotonic >= due { try file.flush() }
        if isAbandoned(loop.monotonic) {
          try finish(because: Self.deleted)
          return nil
        }
      }
    } catch {
      conclude(because: error.reason)
      throw error
    }
  }

  private var pauseLength: UInt64 {
    let now = loop.monotonic
    let moments = [
      nextSave, nextHolders, changes.due.map { max($0, notBefore) }, file.due, metrics?.due,
      kernel.routingDue,
    ]
    let first = moments.compactMap { $0 }.min() ?? now
    return first > now ? first - now : 0
  }

  /// Takes what was there when somebody asked for it, writes it, and says so.
  private mutating func flush() throws(KernelError) {
    let asked = loop.realtime
    for _ in 1...Self.rounds { if try receive() { break } }
    try readRules()
    try file.flush()
    state.flushed = asked
    note()
    save()
  }

  /// Takes what is still there, and writes it.
  private mutating func finish(because reason: String? = nil) throws(KernelError) {
    let counters = metrics?.read()
    events.stopListening()
    while try !receive() {}
    try readRules()
    let (told, now) = (state, loop.monotonic)
    metrics?.put(counters, told, now: now, isUp: false)
    try file.flush()
    conclude(because: reason)
  }

  /// Tells what was counted up to now: traces are read behind the counters, so that what those have counted was told.
  private mutating func tellMetrics() throws(KernelError) {
    let counters = metrics?.read()
    for _ in 1...Self.rounds { if try receive() { break } }
    try readRules()
    let (told, now) = (state, loop.monotonic)
    metrics?.put(counters, told, now: now)
  }

  /// Why it ended, where nobody uses the namespace any more.
  package static let deleted = "its network namespace was deleted"

  /// Whether nobody but nftrace holds the namespace: it was deleted, and is there for the recorder's
  /// sake alone. While it changes hands nobody may hold it for a moment.
  private mutating func isAbandoned(_ now: UInt64) -> Bool {
    guard now >= nextHolders else { return false }
    let isHeld = kernel.isNamespaceHeld()
    // Nobody tells when they appear.
    if kernel.legacyTables != legacyTables { changes.suspect(now: now) }
    nextHolders = now + (isHeld ? Self.holdersPause : Self.secondLook)
    defer { wasHeld = isHeld }
    return !isHeld && !wasHeld
  }

  /// Nanoseconds between looks at who holds the namespace: two of them, and what is left to do, take
  /// less than two seconds.
  private static let holdersPause: UInt64 = 700_000_000
  private static let secondLook: UInt64 = 200_000_000

  /// Writes down how it ended: in the file, and for who asks. What cannot be written any more was kept
  /// room for.
  private mutating func conclude(because reason: String? = nil) {
    let now = loop.realtime / 1_000_000_000
    state.error = reason
    state.ended = now
    if file.unwritten > 0 {
      state.events -= file.unwritten
      state.unwritten = file.unwritten
    }
    note()
    store.release()
    file.end(state.end(at: now))
    save()
    stopTraces()
  }

  /// Not being able to note how far it has come is no reason not to go on.
  mutating func save() {
    do {
      try store.save(state)
      cannotSave = false
    } catch {
      if !cannotSave { Output.complain("\(error)") }
      cannotSave = true
    }
  }

  /// Takes in a number of messages; returns whether there were no more.
  @discardableResult
  private mutating func receive() throws(KernelError) -> Bool {
    let removed = try receiveInterfaces()
    try receiveRouting()
    let (events, before) = (events, state.events)
    let isDone = try events.drain(atMost: Self.batch) { record throws(KernelError) in
      guard take(record) else { return }
      state.events += 1
      if record.beginsPacket { state.packets = (state.packets ?? 0) + 1 }
      recorded.take(record)
      try file.write(record, isEvent: true)
      if file.isFull { try rotate() }
    }
    let now = loop.monotonic
    traffic.take(state.events - before, at: now)
    if state.events > before, nextSave == nil { nextSave = now + Self.notePause }
    for record in removed { try file.write(record) }
    return isDone
  }

  /// Takes in what has changed of interfaces and addresses. Returns what was removed, for when the packets
  /// are read that came before.
  private mutating func receiveInterfaces() throws(KernelError) -> [Record] {
    let news = kernel.interfaces.changes()
    guard news.areAll else {
      // They are listed anew.
      devices = []
      changes.suspect(now: loop.monotonic)
      return []
    }
    for record in news.made { try file.write(record) }
    for record in news.made + news.removed {
      guard case .netlink(let message) = record.content,
        let link = try? LinkMessage(parsing: message)
      else { continue }
      let isGone = message.type == RouteMessageType.deleteLink
      if isGone == devices.contains(link.name) { changes.suspect(now: loop.monotonic) }
    }
    return news.removed
  }

  /// Takes in what routing goes by from now on.
  private mutating func receiveRouting() throws(KernelError) {
    guard let news = kernel.routingNews() else { return }
    routing = news
    for record in news { try file.write(record) }
  }

  /// Looks at a record; returns whether it is to be kept.
  private mutating func take(_ record: Record) -> Bool {
    switch record.content {
    case .log(let payload):
      if loss.take(logOctets: payload) { state.lost = loss.count }
      return true
    case .netlink(let message):
      if ConntrackMessage.isOne(message.type) { return concerns(message) }
      deciders.take(message)
      metrics?.take(message)
      return changes.take(message, now: loop.monotonic)
    case .lost(let count):
      loss.take(lost: count)
      state.lost = loss.count
      changes.suspect(now: loop.monotonic)
      return true
    case .note(.clockSet(let step)):
      clockStep = step
      return true
    case .line, .sent, .received, .note: return true
    }
  }

  /// Whether a connection is one of the targets'. The kernel tells about all there are.
  private func concerns(_ message: NetlinkMessage) -> Bool {
    guard let connection = try? ConntrackMessage(message) else { return true }
    let addresses = [
      connection.original.source, connection.original.destination, connection.reply.source,
      connection.reply.destination,
    ]
    return targets.contains { target in addresses.contains { target.contains($0) } }
  }

  /// Reads the rules that decided. What is read is written once all is, that was told by then.
  private mutating func readRules() throws(KernelError) {
    for _ in 1...Self.rounds {
      let steps = deciders.takeUnread()
      if !steps.isEmpty {
        deciders.hold(oracle.answer(steps.map { .rule($0) }))
        oracle.awaitNotifications()
      } else if !deciders.isHolding {
        return
      }
      if try receive() {
        for record in deciders.takeHeld() {
          metrics?.take(record)
          try file.write(record)
        }
      }
    }
  }

  /// Nothing else is to wait for rules for long.
  private static let rounds = 16

  // MARK: The file

  /// Begins a section of the file for the setup as it is now.
  mutating func begin(
    _ setup: SetupState, _ listing: OpeningListing
  ) throws(KernelError) {
    header.points = setup.points
    header.targets = setup.subnets
    header.legacyNAT = kernel.natTargets()
    targets = setup.prefixes.prefixes
    chains = listing.chains.map(\.payload)
    devices = listing.deviceNames
    legacyTables = listing.allLegacyTables
    metrics?.begin(listing, setup.points)
    header.recorded = recorded
    try file.begin(header, opening(listing))
  }

  /// What a section begins with, so that it can be told without those before it.
  private func opening(_ listing: OpeningListing) -> [Record] {
    let now = loop.realtime
    let clock = clockStep == 0 ? [] : [Record(time: now, .note(.clockSet(clockStep)))]
    return listing.records(at: now) + deciders.records(at: now) + clock
      + routing.map { Record(time: now, $0.content) }
  }

  private mutating func rotate() throws(KernelError) {
    let listing = try kernel.listing()
    try file.rotate()
    header.recorded = recorded
    try file.begin(header, opening(listing))
  }

  mutating func note() { state.dropped = file.bounds.dropped }
}

extension KernelError {
  /// Why a recording ended; which file it was is told beside it.
  fileprivate var reason: String {
    switch errno {
    case ENOSPC: "the disk is full"
    case EDQUOT: "the disk quota is used up"
    default: description.split(separator: "\n").joined(separator: "; ")
    }
  }
}
