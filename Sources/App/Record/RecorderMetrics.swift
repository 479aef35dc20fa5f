internal import Kernel
internal import Report
internal import Trace
internal import Wire

/// What a recorder counts, and tells in a file that node_exporter reads.
struct RecorderMetrics {
  private let sink: any MetricsSink
  private let kernel: any RecorderKernel
  private let netns: String?
  private var counts = DropCounts()
  /// When it is to be told next, nanoseconds of the monotonic clock.
  private(set) var due: UInt64 = 0
  /// Whether it could not be told the last time, which was said.
  private var cannotPut = false
  private var cannotRead = false

  /// Nanoseconds between two texts: less than who reads them waits between two looks.
  private static let pause: UInt64 = 5_000_000_000

  init(_ sink: any MetricsSink, _ kernel: any RecorderKernel, netns: String?) {
    self.sink = sink
    self.kernel = kernel
    self.netns = netns
  }

  mutating func take(_ message: NetlinkMessage) { counts.take(message) }

  /// Takes in what was read of rules.
  mutating func take(_ record: Record) {
    if case .note(.rule(let text)) = record.content { counts.take(text) }
  }

  /// The points are laid out among these chains.
  mutating func begin(_ listing: OpeningListing, _ points: [ObservationPoint]) {
    counts.begin(listing.chains, points)
  }

  /// The tables are about to be made anew: what their counters say is read, `events` are, and they begin again.
  mutating func prepareInstallation() {
    if let counters = read() { counts.read(counters) }
    counts.reset()
  }

  /// What the counters say; nil where they cannot be read, which is said once.
  mutating func read() -> [String: UInt64]? {
    do {
      let counters = try kernel.counters()
      cannotRead = false
      return counters
    } catch {
      if !cannotRead { Output.complain("what was dropped is counted by traces alone: \(error)") }
      cannotRead = true
      return nil
    }
  }

  /// Tells what was counted; `counters` were read before the last events. That it cannot be told is no reason not to
  /// record.
  mutating func put(
    _ counters: [String: UInt64]?, _ state: RecorderState, now: UInt64, isUp: Bool = true
  ) {
    if let counters {
      counts.read(counters)
      // Nothing is on its way any more.
      if !isUp { counts.read(counters) }
    }
    due = now + Self.pause
    do {
      try sink.put(
        MetricsText.text(counts, state, version: Version.number, netns: netns, isUp: isUp))
      cannotPut = false
    } catch {
      if !cannotPut { Output.complain("\(error); recording goes on") }
      cannotPut = true
    }
  }
}
