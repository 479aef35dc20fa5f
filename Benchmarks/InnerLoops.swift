internal import Allocations
internal import Kernel
internal import Trace
internal import Wire

/// The loops that run for each of a hundred thousand events, watched: how long an event takes, as a ratio to a loop that
/// never changes, and how often it asks for memory. Both are compared with what was written down.
struct InnerLoops {
  /// What a loop was measured to take for one event.
  struct Figures {
    /// In units of the baseline.
    var time: Double
    var allocations: Double
  }

  private let octets: [UInt8]
  private let records: [Record]
  private let header: SessionHeader

  private static let packets = 600
  private static let rounds = 15
  /// A ratio that is more than this much above the one written down is worse.
  private static let tolerance = 1.2

  init() {
    var traffic = Traffic()
    header = traffic.header
    octets =
      SessionFile.beginning(header)
      + stride(from: 0, to: Self.packets, by: 3).flatMap { traffic.octets(packets: $0..<($0 + 3)) }
    records = Self.decoded(octets)
  }

  private static func decoded(_ octets: [UInt8]) -> [Record] {
    var decoder = SessionDecoder()
    decoder.feed(octets)
    var records: [Record] = []
    while let element = try? decoder.next() {
      if case .record(let record) = element { records.append(record) }
    }
    return records
  }

  /// Each goes over all records; what it returns keeps the compiler from leaving it out.
  private var loops: [(name: String, body: () -> Int)] {
    let (octets, records, header) = (octets, records, header)
    let logs = records.compactMap {
      if case .log(let payload) = $0.content { payload } else { nil }
    }
    let messages = records.compactMap {
      if case .netlink(let message) = $0.content { message } else { nil }
    }
    return [
      ("decode a session", { Self.decoded(octets).count }),
      (
        "write a session",
        {
          var written: [UInt8] = []
          for record in records { SessionFile.append(record, to: &written) }
          return written.count
        }
      ),
      (
        "read log messages",
        { logs.reduce(0) { $0 + (((try? LogMessage($1))?.payload.count) ?? 0) } }
      ),
      (
        "read trace messages",
        { messages.reduce(0) { $0 + Int(((try? TraceMessage($1.payload))?.id) ?? 0) } }
      ),
      (
        "look for deciding rules",
        {
          var deciders = DecidingRules()
          for message in messages { deciders.take(message) }
          return messages.count + deciders.takeUnread().count
        }
      ),
      (
        "tell a story",
        {
          var story = Story(header: header)
          var told = 0
          for record in records {
            story.take(record)
            told += story.closeIdle().count
          }
          return told + story.finish().count
        }
      ),
    ]
  }

  /// Nanoseconds for a thousand octets of a sum: nothing that anybody changes.
  private static func baseline(_ octets: [UInt8]) -> Double {
    let start = Clock.monotonic
    var sum: UInt64 = 0xcbf2_9ce4_8422_2325
    for octet in octets.prefix(1 << 18) { sum = (sum ^ UInt64(octet)) &* 0x100_0000_01b3 }
    let took = Clock.monotonic - start
    return Double(took &+ (sum == 0 ? 1 : 0)) / Double(min(octets.count, 1 << 18)) * 1000
  }

  /// The figures of each loop: the least of several rounds in turns, for whatever disturbs a machine only makes it slower.
  func measured() -> [(name: String, figures: Figures)] {
    let loops = loops
    var least = [Double](repeating: .infinity, count: loops.count)
    var asked = [UInt](repeating: 0, count: loops.count)
    var unit = Double.infinity
    for _ in 0..<Self.rounds {
      unit = min(unit, Self.baseline(octets))
      for (index, loop) in loops.enumerated() {
        let (before, start) = (nftrace_allocations(), Clock.monotonic)
        let result = loop.body()
        let took = Clock.monotonic - start
        precondition(result > 0, loop.name)
        least[index] = min(least[index], Double(took) / Double(records.count))
        asked[index] = nftrace_allocations() - before
      }
    }
    return loops.indices.map {
      (
        loops[$0].name,
        Figures(time: least[$0] / unit, allocations: Double(asked[$0]) / Double(records.count))
      )
    }
  }

  /// Compares with what a file has, a loop a line: its time, its allocations, and its name. Prints both. Returns whether
  /// none is worse.
  func compare(with text: String, times: Bool) -> Bool {
    var known: [String: Figures] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ", maxSplits: 2)
      guard words.count == 3, let time = Double(words[0]), let asked = Double(words[1]) else {
        continue
      }
      known[String(words[2])] = Figures(time: time, allocations: asked)
    }
    var isWorse = false
    for (name, figures) in measured() {
      guard let before = known[name] else {
        print("\(name): nothing is written down of it")
        isWorse = true
        continue
      }
      let slower = times && figures.time > before.time * Self.tolerance
      let greedier = figures.allocations > before.allocations * Self.tolerance + 0.01
      isWorse = isWorse || slower || greedier
      print(
        "\(name): \(Self.short(figures.time)) of \(Self.short(before.time)),",
        "\(Self.short(figures.allocations)) of \(Self.short(before.allocations)) allocations",
        slower ? "SLOWER" : "", greedier ? "MORE MEMORY" : "")
    }
    return !isWorse
  }

  /// What `compare` reads.
  func text() -> String {
    """
    # The inner loops, an event: the time in units of a fixed loop, how often memory is asked for, the loop.
    # scripts/bench --loops compares; scripts/bench --loops --record writes this.

    """ + measured().map { "\(Self.short($1.time)) \(Self.short($1.allocations)) \($0)\n" }.joined()
  }

  private static func short(_ number: Double) -> String {
    "\((number * 1000).rounded() / 1000)"
  }
}
