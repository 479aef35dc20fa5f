package import App
package import Kernel
package import Trace
package import Wire

/// A kernel that does with each probe what it did when a session was recorded.
package final class SimulatedPing: PingKernel, ProbePath {
  /// The session that it plays.
  package let session: RecordedSession
  /// Which calls fail.
  package let faults: Faults
  private let loop: SimulatedLoop
  private let messages: SimulatedEvents
  private var packets: [(time: UInt64, octets: [UInt8])] = []
  private var dropped: [(time: UInt64, event: DropEvent)] = []
  private let answers: SimulatedOracle
  /// The probes that were sent, and when.
  package private(set) var sent: [(time: UInt64, octets: [UInt8])] = []
  /// What was installed.
  package private(set) var tables: ObservationTables?
  /// Settings that were changed.
  package private(set) var settings: [(Sysctl, String)] = []
  /// Whether an errno of the recorded session is a failure of the path, as it is of a TUN device.
  package var refusesByPath = false
  /// The errno with which nothing can be sent; nil for that of the session.
  package var sendErrno: Int32?

  /// A kernel that plays `session`, on a clock that shows the time of its first probe.
  package init(_ session: RecordedSession, loop: SimulatedLoop, faults: Faults = Faults()) {
    self.session = session
    self.faults = faults
    self.loop = loop
    messages = SimulatedEvents(loop, faults)
    answers = SimulatedOracle(loop)
    loop.wake { [unowned self] in packets.first?.time }
  }

  /// What rules report, to be disturbed.
  package var disturbed: SimulatedEvents { messages }
  /// Who answers.
  package var asked: SimulatedOracle { answers }

  package var events: any EventSource { messages }
  package var oracle: any Oracle { answers }
  package var group: UInt16 { 0xf000 }
  package var table: String { session.header.table }
  package var release: String { session.header.kernel }
  package var machine: Machine.Name {
    Machine.Name(host: session.header.host, boot: session.header.boot)
  }
  package var namespaceKey: String? { session.header.namespace }

  package func natTargets() -> [Int: [String]] { session.header.legacyNAT }

  package func listing() throws(KernelError) -> OpeningListing {
    try faults.check(.listing)
    var listing = OpeningListing(links: [], addresses: [], chains: [])
    for record in session.opening {
      switch record.content {
      case .netlink(let message) where message.isDumpRequest: break
      case .netlink(let message):
        switch message.type {
        case 16: listing.links.append(message)
        case 20: listing.addresses.append(message)
        case ChainMessage.newType: listing.chains.append(message)
        default: messages.add([Record(time: loop.now, record.content)])
        }
      case .note(.counters(let counters)): listing.counters = counters
      case .note(.facts(let facts)):
        for fact in facts.all {
          if case .legacyTables(let version, let names) = fact {
            listing.legacyTables[version] = names
          } else if case .legacyTrace = fact {
            continue
          } else if case .dropReasons = fact {
            continue
          } else {
            listing.facts.append(fact)
          }
        }
      default: break
      }
    }
    return listing
  }

  package func takeLegacyGroup() throws(KernelError) { try faults.check(.takeGroup) }

  package func listenToDrops(_ filter: DropFilter) throws(KernelError) -> String? {
    try faults.check(.dropReasons)
    for case .note(.facts(let facts)) in session.opening.map(\.content) {
      for case .dropReasons(let missing?) in facts.all {
        return String(missing.dropFirst("not to be had: ".count))
      }
    }
    return nil
  }

  package func drops() -> [DropEvent] {
    let there = dropped.prefix { $0.time <= loop.now }
    dropped.removeFirst(there.count)
    return there.map(\.event)
  }

  package func install(
    _ tables: ObservationTables, table: String, replacing: Bool, points: [ObservationPoint],
    devices: [String]
  ) throws(KernelError) -> [ObservationPoint] {
    try faults.check(.install)
    self.tables = tables
    return session.header.points
  }

  package func listen() throws(KernelError) { try faults.check(.listen) }

  package func appointDeputy() {}

  package func giveUpRights() throws { try faults.check(.giveUpRights) }

  // MARK: Probes

  package var descriptor: Int32? { -1 }

  package func prepare(_ packet: Packet, as octets: [UInt8]) throws(KernelError) -> any ProbeSending
  {
    try faults.check(.prepare)
    return SimulatedSending(loop) { [unowned self] in send(octets) }
  }

  /// The kernel does what it did with the probe that was sent as the n-th.
  private func send(_ octets: [UInt8]) -> (errno: Int32, until: UInt64) {
    // What acknowledges a SYN-ACK is no probe, and no record.
    if let packet = try? Packet(octets), packet.tcp?.flags == .ack, packet.payload.isEmpty {
      return (0, loop.now)
    }
    let number = sent.count
    sent.append((loop.now, octets))
    if let sendErrno { return (sendErrno, loop.now) }
    let starts = session.records.indices.filter { session.records[$0].isSent }
    guard number < starts.count else { return (0, loop.now) }
    let start = starts[number]
    let end = number + 1 < starts.count ? starts[number + 1] : session.records.count
    let then = session.records[start].time
    var events: [Record] = []
    // What refuses a packet says so inside the call that sends it.
    var (errno, until) = (Int32(0), loop.now)
    for record in session.records[(start + 1)..<end] {
      let time = loop.now + (record.time > then ? record.time - then : 0)
      switch record.origin {
      case .event:
        events.append(
          Record(time: time, record.content.stamped(later: Int64(loop.now) - Int64(then))))
      case .packet:
        if case .received(let octets) = record.content { packets.append((time, octets)) }
      case .drop:
        if case .netlink(let message) = record.content, let event = try? DropEvent(parsing: message)
        {
          // It was read later than it happened.
          var moved = event
          moved.time = event.time.moved(by: Int64(loop.now) - Int64(then))
          dropped.append((loop.now + (event.time > then ? event.time - then : 0), moved))
        }
      case .answer(let kind): answers.add(record, kind)
      case .refusal(let code):
        errno = code
        until = events.last?.time ?? loop.now
      case .sent: break
      }
    }
    messages.add(events)
    packets.sort { $0.time < $1.time }
    return (errno, until)
  }

  package func read() throws(KernelError) -> [UInt8]? {
    try faults.check(.readPacket)
    guard let first = packets.first, first.time <= loop.now else { return nil }
    packets.removeFirst()
    return first.octets
  }

  package func failure(_ errno: Int32) -> KernelError? {
    refusesByPath
      ? KernelError(cannot: "send the probe into tun0", function: "write", errno: errno) : nil
  }
}

extension SimulatedPing: SettingChanges {
  package func apply(_ settings: [(Sysctl, String)]) throws(KernelError) {
    try faults.check(.settings)
    self.settings += settings
  }
}

/// A packet on its way.
package final class SimulatedSending: ProbeSending {
  private let loop: SimulatedLoop
  private let send: () -> (errno: Int32, until: UInt64)
  private var result: (errno: Int32, until: UInt64)?

  /// Calls `send` when it is sent, which returns an errno, and until when the kernel has the packet.
  package init(_ loop: SimulatedLoop, _ send: @escaping () -> (errno: Int32, until: UInt64)) {
    self.loop = loop
    self.send = send
  }

  package func go() { result = send() }

  package var errno: Int32? {
    guard let result, loop.now >= result.until else { return nil }
    return result.errno
  }
}

/// Answers what was recorded, and only what is asked.
package final class SimulatedOracle: Oracle {
  private let loop: SimulatedLoop
  private var recorded: [(kind: Record.Answer, record: Record)] = []
  /// What was asked, in order.
  package private(set) var questions: [Question] = []
  /// What is done when it is asked: the ruleset may change, say.
  package var onAsking: (() -> Void)?

  /// Knows nothing yet.
  package init(_ loop: SimulatedLoop) { self.loop = loop }

  /// This will be the answer.
  package func add(_ record: Record, _ kind: Record.Answer) { recorded.append((kind, record)) }

  package func answer(_ questions: [Question]) -> [Record] {
    guard !questions.isEmpty else { return [] }
    self.questions += questions
    onAsking?()
    let kinds = Set(
      questions.map { question -> Record.Answer in
        switch question {
        case .lookup: .lookup
        case .neighbours: .neighbours
        case .routes: .routes
        case .policy: .policy
        case .sysctls: .sysctls
        case .counters: .counters
        case .rule, .chain, .chainTexts: .rule
        case .host: .host
        }
      })
    let found = recorded.filter { kinds.contains($0.kind) }
    recorded.removeAll { kinds.contains($0.kind) }
    return found.map { Record(time: loop.now, $0.record.content) }
  }

  /// How often it was waited for the ruleset.
  package private(set) var awaited = 0

  package func awaitNotifications() { awaited += 1 }

  package func forgetPackets() {}
}

extension Record.Content {
  /// The same with the kernel's stamp, if it has one, so many nanoseconds later: in place, for the other
  /// attributes are to stay as they are.
  fileprivate func stamped(later step: Int64) -> Self {
    guard case .log(var octets) = self, let stamp = (try? LogMessage(octets))?.timestamp, stamp > 0
    else { return self }
    let old = LogMessage.timestampOctets(stamp)
    guard let place = octets.indices.first(where: { octets[$0...].starts(with: old) })
    else { return self }
    octets.replaceSubrange(
      place..<place + old.count, with: LogMessage.timestampOctets(stamp.moved(by: step)))
    return .log(octets)
  }
}
