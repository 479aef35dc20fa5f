internal import Kernel
package import Trace
internal import Wire

/// Sends the probes of one ping and tells what came of them.
package struct PingRun {
  let plan: ProbePlan
  private let entrance: ProbeEntrance
  /// Where the probes are watched: they enter in the first.
  let places: [any ProbePlace]
  /// The first.
  let first: PingPlace
  private let loop: any EventLoop
  let sink: any SessionSink
  private let header: SessionHeader
  private var schedule: Schedule
  private var waiting: WaitingProgress
  /// The time of the last record that was looked at.
  var latest: UInt64 = 0
  /// The time up to which probes are settled: a replay is to settle them before what follows.
  var settled: UInt64 = 0
  /// What was received and not looked at yet: while a probe is on its way there is no time to.
  var inbox: [Record]
  /// Index of the TUN device whose carrier is left as it is, if there is one: what the kernel sends
  /// through it is read where it leaves, and thrown away behind that.
  private let silentDevice: UInt32?

  /// What is wanted of a probe beyond what was seen of it; nil where that is all of it.
  var interest: ((ProbeResult) -> ProbeInterest)?

  /// Lists what is there, changes the settings that are needed, and installs the tables, in each of the
  /// namespaces, and has the probes watched on these machines, which are being connected to. The probes enter in the
  /// first namespace.
  package init(
    _ plan: ProbePlan, entrance: ProbeEntrance, masquerade: Bool, forward: Bool,
    in namespaces: [PingNamespace], via machines: [RemoteMachine] = [], loop: any EventLoop,
    sink: any SessionSink
  ) throws {
    let spaces = namespaces.map(\.space)
    let places = try namespaces.enumerated().map { number, namespace in
      try namespace.space.within(among: spaces) {
        try PingPlace(
          number, namespace, plan, entrance: number == 0 ? entrance : nil,
          masquerade: number == 0 && masquerade, forward: number == 0 && forward, loop: loop)
      }
    }
    try self.init(
      plan, entrance: entrance, at: places, via: machines, loop: loop, sink: sink)
    for place in self.places { try place.listen() }
  }

  /// A run in places that are watched already, or are about to be.
  init(
    _ plan: ProbePlan, entrance: ProbeEntrance, at namespaces: [PingPlace],
    via machines: [RemoteMachine] = [], loop: any EventLoop, sink: any SessionSink
  ) throws {
    let first = namespaces[0]
    self.first = first
    silentDevice = try Self.silentDevice(
      entrance, plan, first.header.points, first.listing.chains)
    var header = first.header
    header.probe = plan
    let (remote, missing) = try Self.join(machines, header, behind: namespaces.count, loop)
    places = namespaces + remote
    header.others = places.dropFirst().map(\.header)
    self.header = header
    inbox = places.flatMap(\.opening) + missing
    schedule = Schedule(plan)
    waiting = WaitingProgress(plan)
    self.plan = plan
    self.entrance = entrance
    self.loop = loop
    self.sink = sink
  }

  /// The device whose carrier can stay as it is, for all that leaves by it is seen there. Any other is given
  /// a carrier.
  private static func silentDevice(
    _ entrance: ProbeEntrance, _ plan: ProbePlan, _ points: [ObservationPoint],
    _ chains: [NetlinkMessage]
  ) throws(KernelError) -> UInt32? {
    guard let device = entrance.silent else { return nil }
    let state = try device.state()
    guard state.needsCarrier(device.name, for: plan, points: points, chains: chains) else {
      return device.index
    }
    try device.raiseCarrier()
    return nil
  }

  /// Sends the probes and prints what came of them. Returns the exit code. When the last are sent,
  /// nothing is opened any more.
  package mutating func send(
    _ printer: inout PingPrinter, isLast: Bool
  ) throws -> Int32 {
    var ping = PingStory(header: header)!
    try sink.begin(header)
    if isLast {
      for place in places { place.appointDeputy() }
      try first.kernel.giveUpRights()
    }
    printer.begin(header)
    let interrupted: Int32?
    do {
      interrupted = try sendAll(&ping, &printer)
      if ping.outstanding > 0 { try settle(ping.unsettled, &ping, &printer) }
    } catch {
      if ping.outstanding > 0 { try? settle(ping.unsettled, &ping, &printer) }
      if printer.hasResults { try? printer.end(ping.counts) }
      throw error
    }
    try printer.end(ping.counts)
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
    _ ping: inout PingStory, _ printer: inout PingPrinter
  ) throws -> Int32? {
    var interrupted: Int32?
    var end = UInt64.max
    loop.watch(places.map(\.descriptor) + [entrance.path.descriptor].compactMap { $0 })
    while !((interrupted != nil || schedule.isOver) && ping.outstanding == 0), loop.realtime < end {
      // Nobody waits for a probe any more when all is read that was there at its end.
      var heard = loop.realtime
      // There may be more all the time than can be read.
      if try !receive() { heard = heard.subtracting(clamped: Self.grace) }
      // In a copy, what the kernel has dropped is over.
      if header.rehearsal != nil { inbox += receiveDrops() }
      try digest(&ping, &printer)
      if interrupted == nil, let next = ping.nextSegments() {
        try send(next)
        try digest(&ping, &printer)
      }
      let ready = ping.ready(heard)
      if !ready.isEmpty {
        try settle(ready, &ping, &printer)
        settled = max(settled, heard)
      }
      if let signal = loop.signal() {
        if interrupted != nil { break }
        interrupted = signal
        end = loop.realtime + Self.patience
      }
      let now = loop.realtime
      // One whose end has come meanwhile is heard first.
      let isLate = ping.oneMore(heard) == nil && ping.nextDeadline.map { now > $0 } ?? false
      let isOver = (interrupted != nil || schedule.isOver) && ping.outstanding == 0
      if isLate || !ready.isEmpty || isOver { continue }
      if interrupted == nil, let more = ping.oneMore(heard) {
        try inject(more)
        try digest(&ping, &printer)
      } else if interrupted == nil, let sequence = schedule.next(now, ping) {
        try inject(sequence)
        try receive()
        try digest(&ping, &printer)
      } else {
        let last = min(end, ping.nextDeadline ?? end)
        let pause =
          interrupted == nil ? schedule.pause(now, ping) : last > now ? last - now : 0
        let look = waiting.look(now, until: ping.nextDeadline, timeout: plan.timeout)
        for place in places { try place.stayConnected() }
        loop.wait(nanoseconds: min(pause, look, places.areFarApart ? WatchRun.heartbeat : .max))
      }
    }
    return interrupted
  }

  /// Goes on with a connection.
  private mutating func send(_ segments: PingStory.Segments) throws {
    if let acknowledgment = segments.acknowledgment { pass(acknowledgment) }
    if let data = segments.data { try inject(data.sequence, data.packet) }
    for segment in segments.rest { pass(segment) }
  }

  /// Sends a probe, and reads meanwhile what the kernel says about it.
  private mutating func inject(_ sequence: Int, _ segment: Packet? = nil) throws {
    let packet = segment ?? plan.packet(sequence: sequence)
    let octets = plan.like ?? packet.bytes
    let parts = plan.parts(of: octets, sequence)
    var sending = try entrance.path.prepare(packet, as: parts[0])
    let time = loop.realtime
    inbox.append(Record(time: time, .sent(octets)))
    defer { for place in places { try? place.note(sent: Record(time: time, .sent(octets))) } }
    for (index, part) in parts.enumerated() {
      if index > 0 { sending = try entrance.path.prepare(packet, as: part) }
      sending.go()
      while sending.errno == nil {
        // The writer may have been put on this very processor.
        loop.giveWay()
        try receive()
      }
      if sending.errno != 0 { break }
    }
    guard let failed = sending.errno, failed != 0 else { return }
    if let failure = entrance.path.failure(failed) { throw failure }
    try receive()
    // On a busy machine we may be late to learn it, and no answer is to be waited for.
    inbox.append(Record(time: time, .note(.notSent(sequence, failed))))
  }

  /// Ends what a probe may have left half-open, here or at the far end: a TCP connection.
  private func endConnection(_ result: ProbeResult, isGoneOnWith: Bool) {
    guard !plan.dryRun else { return }
    switch result.outcome {
    case .replied: if isGoneOnWith { return }
    case .lost: break
    // What somebody on the way refused has not ended the connection that stands.
    case .rejected: if !plan.carriesData(result.sequence) || result.answer?.quoted == nil { return }
    case .sent, .unknown, .localError: return
    }
    endConnection(result.sequence, result.answer)
  }

  private func endConnection(_ sequence: Int, _ answer: Packet?) {
    if let end = plan.end(sequence: sequence, answer: answer) { pass(end) }
  }

  /// Sends a packet that is no probe.
  private func pass(_ packet: Packet) {
    guard let sending = try? entrance.path.prepare(packet, as: packet.bytes) else { return }
    // What it cannot be sent by any more is told of by who reads from it.
    sending.go()
    while sending.errno == nil { loop.giveWay() }
  }

  /// Receives what is there; returns whether that was all. What is said about a packet was said before
  /// the packet came out.
  @discardableResult
  private mutating func receive() throws -> Bool {
    var isAll = try receiveMessages()
    while let packet = try entrance.path.read() {
      let time = loop.realtime
      isAll = try receiveMessages()
      inbox.append(Record(time: time, .received(packet)))
    }
    return isAll
  }

  /// What the kernel said of drops since the last time.
  private func receiveDrops() -> [Record] {
    places.flatMap { place in
      place.drops(besides: places.filter { $0 !== place }) { [silentDevice] (drop: DropEvent) in
        place.number > 0 || drop.device != silentDevice || drop.reason != "QDISC_DROP"
      }
    }
  }

  @discardableResult
  private mutating func receiveMessages() throws -> Bool {
    // Locals, for the closure may not touch what is being mutated. What is said of a probe's answer where it
    // was sent from is read first, and looked at last: by then it is read what was said before in the others.
    var records = places.map { _ in [Record]() }
    let silentDevice = silentDevice
    var isAll = true
    for place in places {
      let number = place.number
      let isAllHere = try place.drain(atMost: Self.batch) { record in
        records[number].append(Record(time: record.time, record.content, at: number))
        if number == 0, let silentDevice, case .log(let payload) = record.content,
          let message = try? LogMessage(payload), message.outDevice == silentDevice,
          message.hook == .egress
        {
          records[number].append(Record(time: record.time, .received(message.payload)))
        }
      }
      isAll = isAll && isAllHere
    }
    inbox += records.dropFirst().joined() + records[0]
    return isAll
  }

  /// Looks at what was received, and keeps it.
  ///
  /// A probe is settled when all is read that was there at its end, and no earlier: this process may have
  /// been stopped, or have had no processor, while the answer was there. What comes to light then counts
  /// as of that end, live and in a replay.
  private mutating func digest(
    _ ping: inout PingStory, _ printer: inout PingPrinter
  ) throws {
    try takeFromAfar(&ping)
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
        try settle(ready, &ping, &printer, before: records[index...])
        settled = max(settled, record.time)
      }
      try sink.write(record)
      ping.take(record)
      latest = record.time
    }
  }

  /// Remedies that were tried, or could not be: once is enough.
  var rehearsed: [RemediesToTry] = []

  /// Whether it was searched for what helps, which takes a moment: once is enough.
  var isSearched = false

  /// How often rules are read while their table is loaded again and again.
  private static let attempts = 4

  /// Takes in changes of the ruleset ahead of what came before them: packets may have met rules that
  /// are gone by now.
  private func foresee(
    _ records: ArraySlice<Record>, _ ping: inout PingStory
  ) throws {
    for record in records where record.isRulesetChange {
      let record = Record(time: max(latest, settled), record.content, at: record.place)
      try sink.write(record)
      ping.take(record)
    }
  }

  /// Asks the kernel what is still to be known about probes that are over, and prints them.
  private mutating func settle(
    _ ready: [Int], _ ping: inout PingStory, _ printer: inout PingPrinter,
    before next: ArraySlice<Record> = []
  ) throws {
    waiting.end()
    try receiveMessages()
    try takeFromAfar(&ping)
    try foresee(next + inbox, &ping)
    // What was dropped behind the last hook is no answer, and raises questions.
    for record in receiveDrops() {
      try sink.write(record)
      ping.take(record)
    }
    var answers: [Record] = []
    let asked = ready.filter { interest(in: $0, ping) != .nothing }
    if !asked.isEmpty {
      for place in places { try place.announce(asked, ping) }
      for place in places {
        answers += try place.answers(about: asked, ping).map { ping.timely($0) }
      }
    }
    for attempt in 1...Self.attempts where !asked.isEmpty {
      for place in places { place.awaitNotifications() }
      let known = inbox.count
      try receiveMessages()
      let news = inbox[known...]
      try foresee(news, &ping)
      // A rule that was read meanwhile may be the old or the new one.
      let removed = Set(news.compactMap(\.removedTable))
      for record in answers where removed.isEmpty || !record.tellsOfRule(in: removed) {
        try sink.write(record)
        ping.take(record)
      }
      if removed.isEmpty || attempt == Self.attempts { break }
      answers = places.flatMap { $0.answersAgain(ping) }
    }
    try rehearse(asked, &ping)
    for sequence in ready {
      let result = ping.settle(sequence)
      endConnection(result, isGoneOnWith: ping.carried.contains(result.sequence + 1))
      if result.sequence == 1, ping.hasWitness, let witness = plan.witness {
        endConnection(witness, nil)
      }
      try printer.print(result)
    }
    if ping.outstanding == 0 { for place in places { place.forgetPackets() } }
  }
}

extension PingRun {
  /// What is wanted of this one.
  func interest(in sequence: Int, _ ping: PingStory) -> ProbeInterest {
    guard let interest else { return .remedy }
    var preview = ping
    return interest(preview.settle(sequence))
  }
}

extension Record {
  /// Whether it is a probe being sent.
  fileprivate var isSent: Bool { if case .sent = content { true } else { false } }
}
