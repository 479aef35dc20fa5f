import Glibc
import Kernel
import Report
import Trace
import Wire

/// Sends the probes of one ping and tells what came of them.
struct PingRun: ~Copyable {
  private let plan: ProbePlan
  private let entrance: Entrance
  private let options: SharedOptions
  private let file: String?

  private var socket: NetfilterSocket
  private var rules: RulesetReader
  private var header: SessionHeader
  /// What the kernel listed when the session began, to be recorded first.
  private let surroundings: [Record]

  init(
    _ plan: ProbePlan, entrance: consuming Entrance, masquerade: Bool, forward: Bool,
    file: String?, options: SharedOptions
  ) throws {
    let version4 = entrance.source.family == 4
    var socket = try NetfilterSocket()
    var rules = try RulesetReader()
    try socket.takeGroup()
    let chains = try rules.chains()
    var routes = try RouteSocket()
    let links = try routes.dump(RouteMessageType.getLink)
    let addresses = try routes.dump(RouteMessageType.getAddress)
    let observation = Observation(
      prefixes: [Prefix(entrance.source)], nonce: plan.nonce,
      versions: [version4 ? 4 : 6], backend: .group(socket.group!),
      masquerade: masquerade ? (entrance.subnet, entrance.device.name) : nil)
    let table = "nftrace_\(getpid())"
    let points = try socket.install(
      observation, table: table, owned: true,
      points: ObservationPoint.plan(
        around: BaseChain.all(in: chains, versions: observation.versions))
        + [.ingress, .egress],
      devices: links.compactMap { try? LinkMessage(parsing: $0).name })
    socket.setReceiveBuffer(64 << 20)
    try socket.join()
    header = SessionHeader(
      command: "ping", version: version, kernel: Machine.kernelRelease, netns: options.netns,
      points: points, table: table, probe: plan, targets: [],
      sysctls: [:], legacyNAT: [:])
    let now = Clock.realtime
    surroundings = (links + addresses + chains).map { Record(time: now, .netlink($0)) }
    self.plan = plan
    self.entrance = entrance
    self.options = options
    self.file = file
    self.socket = socket
    self.rules = rules
  }

  /// Sends the probes and prints what came of them. Returns the exit code.
  mutating func send() throws -> Int32 {
    let signals = SignalWatch()
    var loop = ProbeLoop(plan: plan, header: header)
    var writer = try SessionWriter(header, path: file)
    for record in surroundings { try loop.take(record, &writer) }

    var printer = PingPrinter(header: header, options: options)
    var interrupted: Int32?
    while interrupted == nil, !loop.isDone {
      let now = Clock.realtime
      if let sequence = loop.nextToSend(now) {
        try inject(sequence, &loop, &writer)
      }
      try drain(&loop, &writer)
      interrupted = signals.next()
      for sequence in loop.settled(Clock.realtime) {
        for step in loop.story.unknownDeciders {
          guard let rule = rules.rule(step) else { continue }
          try loop.take(Record(time: Clock.realtime, .netlink(rule)), &writer)
        }
        printer.print(loop.settle(sequence))
      }
      if !loop.isDone, interrupted == nil {
        Waiting.forReading(
          [socket.fileDescriptor, entrance.device.descriptor, signals.fileDescriptor],
          nanoseconds: loop.pause(Clock.realtime))
      }
    }
    let path = try writer.finish()
    printer.finish(counts: loop.story.counts, session: path)
    if let interrupted { return 128 + interrupted }
    return printer.received > 0 ? 0 : 1
  }

  /// Writes a probe to the device, and reads meanwhile what the kernel says about it.
  private mutating func inject(
    _ sequence: Int, _ loop: inout ProbeLoop, _ writer: inout SessionWriter
  ) throws {
    let bytes = plan.packet(sequence: sequence)!.bytes
    try loop.take(Record(time: Clock.realtime, .sent(bytes)), &writer)
    let injection = Injection(bytes, to: entrance.device.descriptor)
    let alone = Waiting.processors == 1
    while injection.errno == nil {
      if alone {
        Waiting.forReading([socket.fileDescriptor], nanoseconds: 1_000_000)
      }
      try drain(&loop, &writer)
    }
    if let failed = injection.errno, failed != 0 {
      throw KernelError(
        cannot: "send the probe into \(entrance.device.name)", function: "write", errno: failed,
        help: failed == EIO ? "The interface is down." : nil)
    }
  }

  /// Takes in all that there is to read.
  private mutating func drain(_ loop: inout ProbeLoop, _ writer: inout SessionWriter) throws {
    try socket.drain { record throws(KernelError) in try loop.take(record, &writer) }
    while let packet = try entrance.device.read() {
      // What is said about a packet comes before the packet itself.
      try socket.drain { record throws(KernelError) in try loop.take(record, &writer) }
      let record = Record(time: Clock.realtime, .received(packet))
      if loop.isOurs(packet) { try loop.take(record, &writer) }
    }
  }
}

/// Which probes are on their way, and when the next one is due.
struct ProbeLoop: ~Copyable {
  private let plan: ProbePlan
  private(set) var story: Story
  private var ledger: ProbeLedger
  /// Probes sent and not settled, with the moment at which waiting for them ends.
  private var outstanding: [Int: UInt64] = [:]
  private var answered: Set<Int> = []
  private var next = 1
  private var nextTime: UInt64 = 0

  init(plan: ProbePlan, header: SessionHeader) {
    self.plan = plan
    story = Story(header: header)
    ledger = ProbeLedger(plan)
  }

  /// Whether all probes were sent and settled.
  var isDone: Bool { next > plan.count && outstanding.isEmpty }

  /// Whether a packet read from the device is one of ours.
  func isOurs(_ bytes: [UInt8]) -> Bool {
    (try? Packet(bytes)).flatMap { plan.sequence(of: $0) } != nil
  }

  mutating func take(
    _ record: Record, _ writer: inout SessionWriter
  ) throws(KernelError) {
    try writer.write(record)
    story.take(record)
    if let sequence = ledger.take(record) { answered.insert(sequence) }
  }

  /// With an interval of 0, an unanswered probe holds up the next one for this long, in
  /// nanoseconds: ping(8)'s flood does the same.
  private static let floodPatience: UInt64 = 10_000_000

  /// The number of the probe to send now, if one is due.
  mutating func nextToSend(_ now: UInt64) -> Int? {
    guard next <= plan.count else { return nil }
    let isDue =
      now >= nextTime && (plan.interval > 0 || answered.count == outstanding.count)
      || plan.interval == 0 && now >= nextTime + Self.floodPatience
    guard isDue else { return nil }
    nextTime = now + UInt64(plan.interval * 1e9)
    outstanding[next] = now + UInt64(plan.timeout * 1e9)
    next += 1
    return next - 1
  }

  /// The probes of which nothing more is to come, in order.
  func settled(_ now: UInt64) -> [Int] {
    outstanding.filter { sequence, deadline in
      answered.contains(sequence) || now >= deadline
    }.keys.sorted()
  }

  /// What came of a probe.
  mutating func settle(_ sequence: Int) -> ProbeResult {
    outstanding[sequence] = nil
    answered.remove(sequence)
    return ledger.settle(sequence, story.closeProbe(sequence))
  }

  /// How long there is nothing to do unless something arrives, in nanoseconds.
  func pause(_ now: UInt64) -> UInt64 {
    if !answered.isEmpty { return 0 }
    var moments = Array(outstanding.values)
    if next <= plan.count {
      moments.append(plan.interval == 0 ? nextTime + Self.floodPatience : nextTime)
      if plan.interval == 0, outstanding.isEmpty { return 0 }
    }
    let first = moments.min() ?? now
    return first > now ? first - now : 0
  }
}

/// Prints probes as they settle, and what they sum up to.
struct PingPrinter {
  private let header: SessionHeader
  private let options: SharedOptions
  private var results: [ProbeResult] = []
  private var text: PingText

  init(header: SessionHeader, options: SharedOptions) {
    self.header = header
    self.options = options
    text = PingText(plan: header.probe!, style: options.style)
  }

  /// Probes that were answered by their destination.
  var received: Int { text.received }

  mutating func print(_ result: ProbeResult) {
    let lines = text.add(result)
    if options.json {
      results.append(result)
    } else if !lines.isEmpty {
      Output.print(lines.joined(separator: "\n"))
    }
  }

  mutating func finish(counts: EventCounts, session: String?) {
    if options.json {
      Output.print(
        JSONReport.run(
          header: header, command: "ping", session: session, probes: results, journeys: nil,
          findings: [], counts: counts
        ).pretty)
    } else {
      let lines = text.summary(counts)
      if !lines.isEmpty { Output.print(lines.joined(separator: "\n")) }
    }
  }
}
