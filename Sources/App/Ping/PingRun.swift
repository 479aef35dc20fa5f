internal import Glibc
package import Kernel
package import Trace
internal import Wire

/// Sends the probes of one ping and tells what came of them.
package struct PingRun: ~Copyable {
  private let plan: ProbePlan
  private let entrance: Entrance
  private var socket: NetfilterSocket
  private var investigator: Investigator
  private let header: SessionHeader
  private var schedule: Schedule
  /// The time of the last record that was looked at.
  private var latest: UInt64 = 0
  /// The time up to which probes are settled: a replay is to settle them before what follows.
  private var settled: UInt64 = 0
  /// What was received and not looked at yet: while a probe is on its way there is no time to.
  private var inbox: [Record]

  /// Where the kernel says why it drops packets; nil where it does not let us listen.
  private var drops: DropWatch?
  /// Ports of this host that datagrams are sent from, and answers expected on.
  private var held: [HeldPort] = []
  /// Index of the TUN device whose carrier is left as it is, if there is one: what the kernel sends
  /// through it is read where it leaves, and thrown away behind that.
  private let silentDevice: UInt32?

  /// Opens all that sending the probes of `plan` takes, and installs the tables.
  package init(
    _ plan: ProbePlan, entrance: Entrance, masquerade: Bool, forward: Bool, netns: String?,
    settings: TemporarySettings
  ) throws {
    let version4 = entrance.source.family == 4
    var socket = try NetfilterSocket()
    var rules = try RulesetReader()
    let investigator = try Investigator()
    try socket.takeGroup()
    var listing = try OpeningListing.read(&rules)
    let version = version4 ? 4 : 6
    var wanted = forward ? TemporarySettings.forwarding([version]) : []
    if !LegacyTables.names(version: version).isEmpty {
      // nf_tables does not see iptables-legacy; its TRACE lines name the rules all the same.
      do {
        try socket.takeGroup(0, besides: true)
        wanted += TemporarySettings.legacyTrace(version: version)
      } catch {
        let why = "\(error)".split(separator: "\n").joined(separator: "; ")
        listing.facts.append(.legacyTrace(missing: "its rules cannot be named: \(why)"))
      }
    }
    try settings.apply(wanted)
    var drops: DropWatch?
    do {
      let watch = try DropWatch(filter: DropFilter(plan))
      if let shortcoming = watch.shortcoming {
        listing.facts.append(.dropReasons(missing: "not to be had: \(shortcoming)"))
      }
      drops = consume watch
    } catch {
      let why = error.help ?? "\(error)"
      listing.facts.append(.dropReasons(missing: "not to be had: \(why)"))
    }
    // Elsewhere than on a TUN device, the source's other packets are none of the probe's.
    var tables = ObservationTables(
      prefixes: entrance.tun == nil ? [] : [Prefix(entrance.source)], marks: plan.marks,
      versions: [version], backend: .group(socket.group!),
      masquerade: masquerade ? (entrance.subnet, entrance.deviceName ?? "") : nil)
    tables.discards = plan.dryRun
    let table = OwnTable.command(process: getpid()).name
    let points = try socket.install(
      tables, table: table, journals: StateDirectory.path,
      points: ObservationPoint.plan(
        around: BaseChain.all(in: listing.chains, versions: tables.versions))
        + [.ingress, .egress],
      devices: listing.deviceNames)
    var silentDevice: UInt32?
    if let tun = entrance.tun, !tun.value.hasCarrier {
      if points.contains(.egress),
        !ObservationPoint.isEgressOvertaken(by: listing.chains, on: tun.value.name)
      {
        silentDevice = tun.value.index
      } else {
        try tun.value.raiseCarrier()
      }
    }
    socket.setReceiveBuffer(64 << 20)
    try socket.join()
    var header = SessionHeader(
      command: "ping", version: Version.number, kernel: Machine.kernelRelease, netns: netns,
      points: points, table: table, probe: plan, legacyNAT: LegacyTables.natTargets())
    header.namespace = try? NamespacePlace.current().key
    self.header = header
    inbox = listing.records
    schedule = Schedule(plan)
    self.plan = plan
    self.entrance = entrance
    self.socket = socket
    self.investigator = investigator
    self.silentDevice = silentDevice
    self.drops = drops
  }

  /// What is still needed when all is open: to ask the kernel, and to take back what was changed.
  private var rights: Capabilities {
    var rights = LegacyTables.rights.union(.network)
    switch entrance.way {
    case .tun: break
    case .local:
      let isLow = plan.sourcePort ?? .max < 1024
      if isLow, plan.proto.kind.holdsPort { rights.insert(.lowPorts) }
    // Running a program that is loaded took the right to load it before Linux 6.0.
    case .arriving: rights.insert(Privileges.permitted.contains(.bpf) ? .bpf : .system)
    }
    return rights
  }

  /// Sends the probes and prints what came of them. Returns the exit code. When the last are sent,
  /// nothing is opened any more.
  package mutating func send(
    _ loop: Loop, _ writer: inout SessionWriter, _ printer: inout PingPrinter,
    isLast: Bool
  ) throws -> Int32 {
    var ping = PingStory(header: header)!
    try writer.begin(header)
    if isLast { try Privileges.keep(rights, writing: [StateDirectory.path]) }
    printer.begin(header)
    let interrupted: Int32?
    do {
      interrupted = try sendAll(loop, &ping, &writer, &printer)
      if ping.outstanding > 0 { try settle(ping.unsettled, &ping, &writer, &printer) }
    } catch {
      if ping.outstanding > 0 { try? settle(ping.unsettled, &ping, &writer, &printer) }
      if printer.hasResults { try? printer.end(ping.story.counts) }
      throw error
    }
    try printer.end(ping.story.counts)
    if let interrupted { return 128 + interrupted }
    return printer.succeeded > 0 ? 0 : 1
  }

  /// Nanoseconds after the end of a probe until which it is heard out, where messages come faster than
  /// they can be read.
  private static let grace: UInt64 = 1_000_000_000

  /// Datagrams that are read at a time, so that nothing else waits for long.
  private static let batch = 2048

  /// How long a signal lets probes wait for answers that are on their way, in nanoseconds: not long
  /// enough for a person to notice, and more than most answers take.
  private static let patience: UInt64 = 200_000_000

  /// Sends the probes; returns the signal that interrupted it, if one did. Some may then not be settled.
  private mutating func sendAll(
    _ loop: Loop, _ ping: inout PingStory, _ writer: inout SessionWriter,
    _ printer: inout PingPrinter
  ) throws -> Int32? {
    var interrupted: Int32?
    var end = UInt64.max
    loop.watch([socket.fileDescriptor] + (entrance.tun.map { [$0.value.descriptor] } ?? []))
    while !((interrupted != nil || schedule.isOver) && ping.outstanding == 0), Clock.realtime < end
    {
      // Nobody waits for a probe any more when all is read that was there at its end.
      var heard = Clock.realtime
      // There may be more all the time than can be read.
      if try !receive() { heard = heard.subtracting(clamped: Self.grace) }
      try digest(&ping, &writer, &printer)
      let ready = ping.ready(heard)
      if !ready.isEmpty {
        try settle(ready, &ping, &writer, &printer)
        settled = max(settled, heard)
      }
      if let signal = loop.signal() {
        if interrupted != nil { break }
        interrupted = signal
        end = Clock.realtime + Self.patience
      }
      let now = Clock.realtime
      // One whose end has come meanwhile is heard first.
      let isLate = ping.nextDeadline.map { now > $0 } ?? false
      let isOver = (interrupted != nil || schedule.isOver) && ping.outstanding == 0
      if isLate || !ready.isEmpty || isOver { continue }
      if interrupted == nil, let sequence = schedule.next(now, ping) {
        try inject(sequence)
        try receive()
        try digest(&ping, &writer, &printer)
      } else {
        let last = min(end, ping.nextDeadline ?? end)
        let pause =
          interrupted == nil ? schedule.pause(now, ping) : last > now ? last - now : 0
        loop.wait(nanoseconds: pause)
      }
    }
    return interrupted
  }

  /// Sends a probe, and reads meanwhile what the kernel says about it.
  private mutating func inject(_ sequence: Int) throws {
    let packet = plan.packet(sequence: sequence)
    if case .local(let sender) = entrance.way, plan.proto.kind.holdsPort,
      let port = packet.sourcePort, !held.contains(where: { $0.port == port })
    {
      held = held.suffix(64) + [sender.hold(port: port)].compactMap { $0 }
    }
    let injection = try prepare(packet)
    let time = Clock.realtime
    inbox.append(Record(time: time, .sent(packet.bytes)))
    injection.go()
    while injection.errno == nil {
      // The writer may have been put on this very processor.
      Loop.giveWay()
      try receive()
    }
    guard let failed = injection.errno, failed != 0 else { return }
    switch entrance.way {
    case .tun(let device):
      throw KernelError(
        cannot: "send the probe into \(device.value.name)", function: "write", errno: failed,
        help: failed == EIO ? "The interface is down." : nil)
    case .arriving(let injector, _): throw injector.value.failure(failed)
    case .local:
      try receive()
      // On a busy machine we may be late to learn it, and no answer is to be waited for.
      inbox.append(Record(time: time, .note(.notSent(sequence, failed))))
    }
  }

  private func prepare(_ packet: Packet) throws -> Injection {
    switch entrance.way {
    case .tun(let device):
      return Injection(device.value.framed(packet.bytes), to: device.value.descriptor)
    case .local(let sender):
      let port = plan.proto.kind.holdsPort ? held.first { $0.port == packet.sourcePort } : nil
      return Injection(packet, through: sender, from: port)
    case .arriving(let injector, let hardware):
      return try Injection(
        frame: injector.value.frame(packet.bytes, from: hardware), through: injector.value)
    }
  }

  /// Ends what a probe may have left half-open, here or at the far end: a TCP connection.
  private func endConnection(_ result: ProbeResult) {
    guard result.outcome == .replied || result.outcome == .lost, !plan.dryRun,
      let end = plan.end(sequence: result.sequence, answer: result.answer),
      let injection = try? prepare(end)
    else { return }
    // What it cannot be sent by any more is told of by who reads from it.
    injection.go()
    while injection.errno == nil { Loop.giveWay() }
  }

  /// Receives what is there; returns whether that was all. What is said about a packet was said before
  /// the packet came out.
  @discardableResult
  private mutating func receive() throws -> Bool {
    var isAll = try receiveMessages()
    while let packet = try entrance.tun?.value.read() {
      let time = Clock.realtime
      isAll = try receiveMessages()
      inbox.append(Record(time: time, .received(packet)))
    }
    return isAll
  }

  /// What the kernel said of drops since the last time.
  private mutating func receiveDrops() -> [Record] {
    let now = Clock.realtime
    var records: [Record] = []
    let silentDevice = silentDevice
    drops?.drain {
      if $0.device == silentDevice, $0.reason == "QDISC_DROP" { return }
      records.append(Record(time: now, .netlink($0.message)))
    }
    return records
  }

  @discardableResult
  private mutating func receiveMessages() throws -> Bool {
    // A local, for the closure may not touch what is being mutated.
    var records: [Record] = []
    let silentDevice = silentDevice
    let isAll = try socket.drain(atMost: Self.batch) { record in
      records.append(record)
      if let silentDevice, case .log(let payload) = record.content,
        let message = try? LogMessage(payload), message.outDevice == silentDevice,
        message.hook == .egress
      {
        records.append(Record(time: record.time, .received(message.payload)))
      }
    }
    inbox += records
    return isAll
  }

  /// Looks at what was received, and keeps it.
  ///
  /// A probe is settled when all is read that was there at its end, and no earlier: this process may have
  /// been stopped, or have had no processor, while the answer was there. What comes to light then counts
  /// as of that end, live and in a replay.
  private mutating func digest(
    _ ping: inout PingStory, _ writer: inout SessionWriter, _ printer: inout PingPrinter
  ) throws {
    let records = inbox
    inbox.removeAll(keepingCapacity: true)
    for (index, record) in records.enumerated() {
      if case .received(let bytes) = record.content, !ping.concerns(bytes) { continue }
      var record = record
      if let end = ping.nextDeadline, record.time > end, !record.isSent {
        record.time = max(end, latest)
      }
      let ready = ping.ready(record.time)
      if !ready.isEmpty {
        try settle(ready, &ping, &writer, &printer, before: records[index...])
        settled = max(settled, record.time)
      }
      try writer.write(record)
      ping.take(record)
      latest = record.time
    }
  }

  /// How often rules are read while their table is loaded again and again.
  private static let attempts = 4

  /// Takes in changes of the ruleset ahead of what came before them: packets may have met rules that
  /// are gone by now.
  private func foresee(
    _ records: ArraySlice<Record>, _ ping: inout PingStory, _ writer: inout SessionWriter
  ) throws {
    for record in records where record.isRulesetChange {
      let record = Record(time: max(latest, settled), record.content)
      try writer.write(record)
      ping.take(record)
    }
  }

  /// Asks the kernel what is still to be known about probes that are over, and prints them.
  private mutating func settle(
    _ ready: [Int], _ ping: inout PingStory, _ writer: inout SessionWriter,
    _ printer: inout PingPrinter, before next: ArraySlice<Record> = []
  ) throws {
    try receiveMessages()
    try foresee(next + inbox, &ping, &writer)
    var answers = receiveDrops() + investigator.answer(ready.flatMap({ ping.questions($0) }))
    for attempt in 1...Self.attempts {
      investigator.awaitNotifications()
      let known = inbox.count
      try receiveMessages()
      let news = inbox[known...]
      try foresee(news, &ping, &writer)
      // A rule that was read meanwhile may be the old or the new one.
      let removed = Set(news.compactMap(\.removedTable))
      for record in answers where removed.isEmpty || !record.tellsOfRule(in: removed) {
        try writer.write(record)
        ping.take(record)
      }
      if removed.isEmpty || attempt == Self.attempts { break }
      answers = investigator.answer(ping.story.unknownDeciders.map { .rule($0) })
    }
    for sequence in ready {
      let result = ping.settle(sequence)
      endConnection(result)
      try printer.print(result)
    }
    if ping.outstanding == 0 { investigator.forgetPackets() }
  }
}

extension Record {
  /// Whether it is a probe being sent.
  fileprivate var isSent: Bool { if case .sent = content { true } else { false } }
}
