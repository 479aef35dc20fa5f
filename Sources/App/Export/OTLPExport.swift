package import Kernel
package import Report
package import Trace
internal import Wire

/// What `--otlp` exports beside what is told on standard output: to a file, or to a collector. That it fails changes
/// nothing of what the command does; it is said once, at the end.
package final class OTLPExport {
  private var story: OTLPStory
  private var file: OutputFile?
  private var collector: Collector?
  /// Why the file could not be written.
  private var failure: String?
  private var lost = Lost()
  /// Whether a collector that cannot be reached is tried again with what comes later: by who goes on for long.
  package var isPersistent = false

  /// A collector, and who brings it what it is to have.
  private struct Collector {
    var courier: Courier
    var endpoints: [Courier.Endpoint]
    var waiting: [Request] = []
    /// What the courier has.
    var brought: Request?
    /// When it has had that for too long, nanoseconds of the monotonic clock.
    var deadline: UInt64 = 0
    /// Whether it cannot be reached, and is not to be tried again.
    var isDown = false
  }

  private struct Request {
    var body: [UInt8]
    var endpoint: Int
    var traces: Set<UInt128>
    var spans: Int
    var logs: Int
  }

  /// What was not exported.
  private struct Lost {
    var traces: Set<UInt128> = []
    var logs = 0
    /// Why, and where: the first time.
    var reason: String?
    var url: String?
    /// What collectors said of what they did not take all of.
    var words: [String] = []
  }

  /// Spans and log records that go into one request, about.
  private static let most = 512
  /// Requests that wait at most: more are lost.
  private static let mostWaiting = 64
  /// Nanoseconds that the courier has to say that the time is over.
  private static let grace: UInt64 = 1_000_000_000

  /// Opens the file, or starts who goes to the collector; to be called in the network namespace from which it can be
  /// reached, while there is one thread.
  package init(
    _ settings: OTLPSettings, context: TraceContext, under parent: TraceContext? = nil
  ) throws(KernelError) {
    var resource = settings.resource
    let machine = Machine.name
    for (name, value) in [
      ("service.version", Version.number), ("host.name", machine.host), ("host.id", Machine.id),
    ] where resource[name: name] == nil {
      if let value { resource[name: name] = .string(value) }
    }
    story = OTLPStory(context, under: parent, resource: resource, version: Version.number)
    switch settings.target {
    case .file(let path): file = try OutputFile(path)
    case .collector(let traces, let logs):
      guard let courier = Courier(to: [traces, logs]) else {
        throw KernelError(cannot: "start who exports", function: "fork")
      }
      collector = Collector(courier: courier, endpoints: [traces, logs])
    }
  }

  deinit { if file != nil { file!.abandon() } }

  /// Takes in what is told.
  package func take(_ told: SessionReport.Told) {
    switch told {
    case .header(let header): story.begin(header)
    case .probe(let result): story.take(result)
    case .exchange(let exchange): story.take(exchange)
    }
    if story.count >= Self.most { flush() }
  }

  /// Log records besides: of what was dropped.
  package func take(_ records: [OTLPLogRecord]) {
    story.add(records)
    if story.count >= Self.most { flush() }
  }

  /// Exports what there is, without waiting for a collector; to be called again and again.
  package func flush(isOver: Bool = false) {
    for batch in story.takeBatches(isOver: isOver) {
      if file != nil {
        write(batch)
        continue
      }
      let traces = Set(batch.spans.map(\.traceID))
      if let body = batch.traceRequest {
        enqueue(
          Request(body: body, endpoint: 0, traces: traces, spans: batch.spans.count, logs: 0))
      }
      if let body = batch.logsRequest {
        enqueue(Request(body: body, endpoint: 1, traces: [], spans: 0, logs: batch.logs.count))
      }
    }
    look()
  }

  /// Takes in what a collector has answered, and has it brought what waits; nothing new is put together.
  package func goOn() { look() }

  /// Whether a collector has something that it has not answered yet.
  var isBusy: Bool {
    look()
    return collector?.brought != nil
  }

  /// Whether so much waits that who makes more of it may as well wait, too.
  package var isFull: Bool { collector.map { $0.waiting.count >= Self.mostWaiting / 2 } ?? false }

  /// Waits until there is room, where `isFull`, for as long as the collector may take.
  package func makeRoom() {
    while isFull {
      Loop.wait(for: collector!.courier.descriptor, nanoseconds: 100_000_000)
      look()
    }
  }

  /// Exports the rest, and says what could not be. Waits no longer than the collector may take; `isInterrupted` is asked
  /// again and again whether somebody is tired of that.
  package func finish(isInterrupted: () -> Bool = { false }) {
    for words in end(isInterrupted: isInterrupted) { Output.complain("\(words)") }
  }

  /// The same, for who says what could not be exported: a line each.
  func end(isInterrupted: () -> Bool = { false }) -> [String] {
    flush(isOver: true)
    let end = collector.map { collector in
      Clock.monotonic + collector.endpoints.map(\.timeout).max()! + Self.grace
    }
    while let collector, collector.brought != nil || !collector.waiting.isEmpty {
      if isInterrupted() {
        drop(because: "it was interrupted")
      } else if Clock.monotonic > end! {
        drop(because: "no answer came in time")
      } else {
        Loop.wait(for: collector.courier.descriptor, nanoseconds: 50_000_000)
        look()
      }
    }
    if let failure { lost.reason = failure }
    file = nil
    return shortcomings
  }

  // MARK: A file

  private func write(_ batch: OTLPBatch) {
    guard failure == nil else { return note(batch) }
    do {
      try file!.write(Array((batch.lines.joined(separator: "\n") + "\n").utf8))
    } catch {
      failure = error.reason
      note(batch)
    }
  }

  private func note(_ batch: OTLPBatch) {
    lost.traces.formUnion(batch.spans.map(\.traceID))
    lost.logs += batch.logs.count
  }

  // MARK: A collector

  private func enqueue(_ request: Request) {
    guard let collector, !collector.isDown, collector.waiting.count < Self.mostWaiting else {
      return note(request, because: nil)
    }
    self.collector!.waiting.append(request)
  }

  /// Takes in what came of what was brought, and has the next brought.
  private func look() {
    guard let courier = collector?.courier else { return }
    if let brought = collector!.brought {
      if let outcome = courier.outcome() {
        collector!.brought = nil
        take(outcome, of: brought)
      } else if Clock.monotonic > collector!.deadline {
        return drop(because: "no answer came in time")
      }
    }
    guard collector!.brought == nil, !collector!.waiting.isEmpty else { return }
    let next = collector!.waiting.removeFirst()
    guard courier.bring(next.body, to: next.endpoint) else {
      note(next, because: "who was to bring it is gone")
      return drop(because: "who was to bring it is gone")
    }
    collector!.brought = next
    collector!.deadline =
      Clock.monotonic + collector!.endpoints[next.endpoint].timeout + Self.grace
  }

  private func take(_ outcome: Courier.Outcome, of request: Request) {
    switch outcome {
    case .taken: break
    case .partly(let refused, let words):
      let sum = request.spans > 0 ? "\(request.spans) spans" : "\(request.logs) log records"
      let text =
        refused > 0
        ? "\(refused) of \(sum) were not taken" + (words.isEmpty ? "" : ": \(words)")
        : "the collector says: \(words)"
      if !lost.words.contains(text), lost.words.count < 4 { lost.words.append(text) }
    case .refused(let words): note(request, because: words)
    case .unreachable(let words):
      note(request, because: words)
      drop(because: words)
    }
  }

  /// Nothing more is tried.
  private func drop(because reason: String) {
    guard let collector else { return }
    for request in [collector.brought].compactMap(\.self) + collector.waiting {
      note(request, because: reason)
    }
    self.collector!.brought = nil
    self.collector!.waiting = []
    self.collector!.isDown = !isPersistent
  }

  private func note(_ request: Request, because reason: String?) {
    lost.traces.formUnion(request.traces)
    lost.logs += request.logs
    if lost.reason == nil, let reason {
      lost.reason = reason
      lost.url = collector!.endpoints[request.endpoint].address.url
    }
  }

  /// What was not exported, a line each.
  private var shortcomings: [String] {
    let parts = [
      lost.traces.isEmpty ? nil : Self.counted(lost.traces.count, "trace"),
      lost.logs == 0 ? nil : Self.counted(lost.logs, "log record"),
    ].compactMap(\.self)
    guard !parts.isEmpty else { return lost.words }
    let verb = lost.traces.count + lost.logs == 1 ? "was" : "were"
    let place = lost.url.map { " to \($0)" } ?? ""
    return lost.words + [
      "\(parts.joined(separator: " and ")) \(verb) not exported\(place): "
        + (lost.reason ?? "too much was waiting")
    ]
  }

  private static func counted(_ number: Int, _ what: String) -> String {
    "\(number) \(what)\(number == 1 ? "" : "s")"
  }
}
