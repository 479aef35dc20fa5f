internal import Glibc
package import Kernel
internal import Report
package import Trace
internal import Wire

/// Writes down what the rules of a setup report, and keeps those rules in order.
package struct Recorder: ~Copyable {
  private let setupFiles: SetupFiles
  /// The setup as it was when recording began.
  private let setup: SetupState
  private var socket: NetfilterSocket
  private var rules: RulesetReader
  private var investigator: Investigator
  private var interfaces: InterfaceWatch
  private var file: RecordingFile
  private var header: SessionHeader
  private var targets: [Prefix]
  /// How far it has come.
  package private(set) var state: RecorderState

  private var changes = RulesetWatch()
  private var deciders = DecidingRules()
  private var loss = LossCount()
  private var recorded: RecordedEvents
  /// What the kernel listed last, without the numbers that differ from list to list.
  private var chains: [[UInt8]] = []
  private var devices: [String] = []
  /// Moments of the monotonic clock.
  private var notBefore: UInt64 = 0
  /// When it is to be noted how far it has come; nil where that is noted.
  private var nextSave: UInt64?
  private var cannotSave = false
  private var holders: NamespaceHolders
  private var nextHolders: UInt64 = 0
  private var wasHeld = true

  /// Datagrams that are taken in at a time, so that nothing else waits for long.
  private static let batch = 4096
  /// Nanoseconds until what could not be put in order is tried again.
  private static let pause: UInt64 = 2_000_000_000
  /// Nanoseconds until it is noted how far it has come.
  private static let notePause: UInt64 = 300_000_000
  /// Octets the kernel keeps for it while it is busy: KERNEL.md, section I.
  private static let room: Int32 = 128 << 20

  /// Takes the setup's group, and begins the file.
  package init(
    _ setupFiles: SetupFiles, _ setup: SetupState, path: String, limit: Int, background: Bool,
    netns: String?
  ) throws(KernelError) {
    var socket = try NetfilterSocket()
    try socket.takeGroup(setup.group)
    socket.setReceiveBuffer(Self.room)
    try socket.join()
    let rules = try RulesetReader()
    let investigator = try Investigator()
    let interfaces = try InterfaceWatch()
    let holders = try NamespaceHolders()
    guard let identity = ProcessIdentity.current else {
      throw KernelError(cannot: "find out about this process", help: "/proc is not mounted")
    }
    file = try RecordingFile(path, limit: limit, isOurs: background)
    state = RecorderState(
      process: identity.process, start: identity.start, session: path, limit: limit,
      since: Clock.realtime / 1_000_000_000)
    header = SessionHeader(
      command: "record", version: Version.number, kernel: Machine.kernelRelease,
      netns: netns ?? setup.netns, points: setup.points, table: SetupTables.name)
    header.namespace = setupFiles.namespace.key
    targets = []
    recorded = RecordedEvents(since: Clock.realtime)
    self.setup = setup
    self.setupFiles = setupFiles
    self.socket = socket
    self.rules = rules
    self.investigator = investigator
    self.interfaces = interfaces
    self.holders = holders
  }

  // MARK: The loop

  /// Records until a signal comes; returns it, or nil if the namespace was deleted. `ready` is called
  /// when nothing is missed any more.
  package mutating func run(ready: () -> Void) throws(KernelError) -> Int32? {
    let loop = Loop()
    loop.watch([socket.fileDescriptor])
    do throws(KernelError) {
      try begin(setup, try OpeningListing.read(&rules))
      try setupFiles.save(state)
      setupFiles.reserve()
      try Privileges.keep(
        LegacyTables.rights.union(.network), writing: [file.directory, StateDirectory.path])
      ready()
      while true {
        loop.wait(nanoseconds: pauseLength)
        try receive()
        if let signal = loop.signal() {
          try finish()
          return signal
        }
        try readRules()
        try lookAround(Clock.monotonic)
        if let due = file.due, Clock.monotonic >= due { try file.flush() }
        if isAbandoned(Clock.monotonic) {
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
    let now = Clock.monotonic
    let moments = [
      nextSave, nextHolders, changes.due.map { max($0, notBefore) }, file.due,
    ]
    let first = moments.compactMap { $0 }.min() ?? now
    return first > now ? first - now : 0
  }

  /// Takes what is still there, and writes it.
  private mutating func finish(because reason: String? = nil) throws(KernelError) {
    socket.stopListening()
    while try !receive() {}
    try readRules()
    try file.flush()
    conclude(because: reason)
  }

  /// Why it ended, where nobody uses the namespace any more.
  package static let deleted = "its network namespace was deleted"

  /// Whether nobody but nftrace holds the namespace: it was deleted, and is there for the recorder's
  /// sake alone. While it changes hands nobody may hold it for a moment.
  private mutating func isAbandoned(_ now: UInt64) -> Bool {
    guard now >= nextHolders else { return false }
    let isHeld = holders.areThere()
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
    let now = Clock.realtime / 1_000_000_000
    state.error = reason
    state.ended = now
    if file.unwritten > 0 {
      state.events -= file.unwritten
      state.unwritten = file.unwritten
    }
    note()
    setupFiles.release()
    file.end(state.end(at: now))
    save()
  }

  /// Not being able to note how far it has come is no reason not to go on.
  private mutating func save() {
    do {
      try setupFiles.save(state)
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
    var records: [Record] = []
    let isDone = try socket.drain(atMost: Self.batch) { records.append($0) }
    for record in records {
      guard take(record) else { continue }
      state.events += 1
      recorded.take(record)
      if nextSave == nil { nextSave = Clock.monotonic + Self.notePause }
      try file.write(record, isEvent: true)
      if file.isFull { try rotate() }
    }
    for record in removed { try file.write(record) }
    return isDone
  }

  /// Takes in what has changed of interfaces and addresses. Returns what was removed, for when the packets
  /// are read that came before.
  private mutating func receiveInterfaces() throws(KernelError) -> [Record] {
    let news = interfaces.changes()
    guard news.areAll else {
      // They are listed anew.
      devices = []
      changes.suspect(now: Clock.monotonic)
      return []
    }
    for record in news.made { try file.write(record) }
    for record in news.made + news.removed {
      guard case .netlink(let message) = record.content,
        let link = try? LinkMessage(parsing: message)
      else { continue }
      let isGone = message.type == RouteMessageType.deleteLink
      if isGone == devices.contains(link.name) { changes.suspect(now: Clock.monotonic) }
    }
    return news.removed
  }

  /// Looks at a record; returns whether it is to be kept.
  private mutating func take(_ record: Record) -> Bool {
    switch record.content {
    case .log(let payload):
      if let message = try? LogMessage(payload) {
        loss.take(message)
        state.lost = loss.count
      }
      return true
    case .netlink(let message):
      if ConntrackMessage.isOne(message.type) { return concerns(message) }
      deciders.take(message)
      return changes.take(message, now: Clock.monotonic)
    case .lost(let count):
      loss.take(lost: count)
      state.lost = loss.count
      changes.suspect(now: Clock.monotonic)
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
        deciders.hold(investigator.answer(steps.map { .rule($0) }))
        investigator.awaitNotifications()
      } else if !deciders.isHolding {
        return
      }
      if try receive() {
        for record in deciders.takeHeld() { try file.write(record) }
      }
    }
  }

  /// Nothing else is to wait for rules for long.
  private static let rounds = 16

  // MARK: The file

  /// Begins a section of the file for the setup as it is now.
  private mutating func begin(
    _ setup: SetupState, _ listing: OpeningListing
  ) throws(KernelError) {
    header.points = setup.points
    header.targets = setup.subnets
    header.legacyNAT = LegacyTables.natTargets()
    targets = setup.prefixes.prefixes
    chains = listing.chains.map(\.payload)
    devices = listing.deviceNames
    let now = Clock.realtime
    header.recorded = recorded
    try file.begin(
      header,
      listing.records + deciders.messages.map { Record(time: now, .netlink($0)) })
  }

  private mutating func rotate() throws(KernelError) {
    let listing = try OpeningListing.read(&rules)
    try file.rotate()
    let now = Clock.realtime
    header.recorded = recorded
    try file.begin(
      header,
      listing.records + deciders.messages.map { Record(time: now, .netlink($0)) })
  }

  private mutating func note() { state.dropped = file.bounds.dropped }

  // MARK: Keeping the rules in order

  /// Sees to changes of the ruleset and of the interfaces, and notes how far it has come.
  private mutating func lookAround(_ now: UInt64) throws(KernelError) {
    if let due = changes.due, now >= max(due, notBefore) {
      do {
        try reconcile(now)
      } catch {
        if let failure = file.failure { throw failure }
        Output.complain("\(error)")
        notBefore = now + Self.pause
      }
    }
    if let due = nextSave, now >= due {
      nextSave = nil
      note()
      save()
    }
  }

  /// Compares what is there with what is to be there, and installs the latter where they differ.
  private mutating func reconcile(_ now: UInt64) throws(KernelError) {
    // A command that changes the setup has the lock; teardown waits for us and has it as well.
    let lock = try SetupFiles.tryLock()
    guard lock != nil, var setup = try setupFiles.load() else {
      notBefore = now + 50_000_000
      return
    }
    var listed = try OpeningListing.read(&rules)
    let around = SetupSurroundings(
      chains: listed.chains, devices: listed.deviceNames,
      hasTables: try !SetupTables.families(&rules).isEmpty)
    if changes.isDamaged || !around.areInOrder(for: setup) {
      if changes.isDamaged || around.installed.isEmpty {
        state.repairs += 1
      } else {
        state.replans += 1
      }
      // Over another socket: on ours, events wait that came before the answer.
      var other = try NetfilterSocket()
      try SetupTables.install(&setup, around: around, with: &other)
      try setupFiles.save(setup)
      listed.chains = try rules.chains()
      try begin(setup, listed)
      save()
    } else if setup.points != header.points || setup.subnets != header.targets {
      try begin(setup, listed)
    } else if listed.chains.map(\.payload) != chains || listed.deviceNames != devices {
      for record in listed.records { try file.write(record) }
      chains = listed.chains.map(\.payload)
      devices = listed.deviceNames
    }
    changes.settle()
  }
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
