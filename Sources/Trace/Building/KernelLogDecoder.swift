internal import Wire

/// Reads what nftrace's rules wrote into the kernel log as a session, from the text of dmesg, syslog,
/// journald or /dev/kmsg as it comes.
///
/// Rules of a setup are known by their prefixes, which end with the name of a hook. Of a setup that
/// is known, only its own points' prefixes and its own subnets count.
package struct KernelLogDecoder: Sendable {
  private var text = KernelLogText()
  /// What is still to be given out before any line.
  private var header: SessionHeader?
  private let labels: Set<String>?
  /// The namespace whose lines count, as the prefixes name it; nil for those that name none. Of a saved log all do.
  private let namespace: String?
  private let targets: [Prefix]
  private let since: UInt64
  /// Nanoseconds that are added to the log's times.
  private var shift: UInt64 = 0
  private var last: UInt64 = 0

  /// Lines of nftrace's rules so far, those that are damaged among them.
  package private(set) var lines = 0
  /// How many are damaged, and were left out.
  package private(set) var damaged = 0
  /// The first of those.
  package private(set) var damage: [KernelLogDamage] = []
  /// Whether any line told no parts of a second.
  package private(set) var isCoarse = false

  /// Damaged lines that are kept.
  private static let mostDamage = 5

  /// A reader of a saved log: whose setup made the lines is not known.
  package init(version: String) {
    header = SessionHeader(
      command: "show", version: version, kernel: "",
      points: ObservationPoint.plan(around: [], everywhere: true),
      table: "")
    header?.backend = "log"
    labels = nil
    namespace = nil
    targets = []
    since = 0
  }

  /// A reader of the running kernel's log, for a setup of this machine. `offset` is what makes of the
  /// log's times, which count from boot, nanoseconds since the epoch; what is older than `since` is
  /// left out. The log is that of all network namespaces; `namespace` is what the setup's lines begin with.
  package init(
    setup header: SessionHeader, since: UInt64, offset: UInt64, namespace: String? = nil
  ) {
    var header = header
    header.backend = "log"
    self.header = header
    labels = Set(header.points.map(\.label))
    self.namespace = namespace
    targets = header.targets.compactMap { Prefix($0) }
    self.since = since
    shift = offset
  }

  /// Takes in the next octets.
  package mutating func feed(_ bytes: [UInt8]) { text.feed(bytes) }

  /// Says that no more octets come.
  package mutating func finish() { text.finish() }

  /// The next element; nil when more octets are needed.
  package mutating func next() -> SessionDecoder.Element? {
    if let header {
      self.header = nil
      return .header(header)
    }
    while let entry = text.next() {
      if let record = record(entry) { return .record(record) }
    }
    return nil
  }

  private mutating func record(_ entry: KernelLogEntry) -> Record? {
    guard let prefix = LogLine.prefix(of: entry.text[...]),
      let known = ObservationPoint.label(inPrefix: String(decoding: prefix, as: UTF8.self)),
      isOfSetup(known.label, known.namespace)
    else { return nil }
    let time = time(of: entry)
    guard time >= since else { return nil }
    do {
      let line = try LogLine(entry.text)
      guard isWatched(line.packet) else { return nil }
      lines += 1
      isCoarse = isCoarse || !entry.isExact
      return Record(time: time, .line(line))
    } catch {
      lines += 1
      damaged += 1
      if damage.count < Self.mostDamage {
        damage.append(KernelLogDamage(line: entry.line, reason: error.reason))
      }
      return nil
    }
  }

  private func isOfSetup(_ label: String, _ place: UInt32?) -> Bool {
    guard let labels else { return true }
    return labels.contains(label)
      && place.map { ObservationPoint.logNamespace(UInt64($0)) } == namespace
  }

  private func isWatched(_ packet: Packet) -> Bool {
    targets.isEmpty
      || targets.contains { $0.contains(packet.source) || $0.contains(packet.destination) }
  }

  /// Times that step back by more than what waits for its turn are those of another boot.
  private mutating func time(of entry: KernelLogEntry) -> UInt64 {
    guard let told = entry.time, last < 1 << 63 else { return last }
    let (time, overflow) = told.addingReportingOverflow(shift)
    if overflow { return last }
    if last.since(time) > Self.second {
      let (next, _) = time.addingReportingOverflow(Self.year)
      // syslog names no year: in January it goes on where December ended.
      let goesOn = next >= last && next.since(last) < Self.day
      let apart = goesOn ? next : last.later(by: 2 * Self.second)
      shift += apart - time
      last = apart
    }
    last = max(last, time)
    return last
  }

  private static let second: UInt64 = 1_000_000_000
  private static let day = 86400 * second
  /// That of `KernelLogStamp` for dates without one.
  private static let year = 366 * day
}
