import Glibc
import Kernel
import Report
import Trace
import Wire

/// Shows traffic as it comes, from a file that grows or from the setup of this namespace.
struct Follow {
  private var report: FollowReport
  private let json: Bool

  init(_ report: FollowReport, json: Bool) {
    self.report = report
    self.json = json
  }

  /// Follows a file until a signal comes or `isOver` says so; returns the signal.
  mutating func run(file path: String, isOver: () -> Bool) throws -> Int32? {
    let signals = SignalWatch()
    var file = try FollowedFile(path)
    var nextLook = Clock.monotonic + Self.second
    var (signal, deadline): (Int32?, UInt64?)
    while true {
      var lines: [String] = []
      let isRead = try file.read { lines += report.take($0) }
      try print(lines)
      signal = signal ?? signals.next()
      if let signal, isRead || Clock.monotonic > deadline ?? .max {
        if !isRead { Output.complain("interrupted before all that is recorded was shown") }
        return try end(signal)
      }
      if signal != nil, deadline == nil { deadline = Clock.monotonic + 2 * Self.second }
      guard isRead else { continue }
      try print(report.pass(to: Clock.realtime))
      Waiting.forReading([signals.fileDescriptor], nanoseconds: Self.pause)
      if Clock.monotonic > nextLook {
        nextLook = Clock.monotonic + Self.second
        if isOver() { return try end(nil) }
      }
    }
  }

  /// Takes the log group of a setup that nobody records, and shows what is reported to it.
  mutating func run(setup: SetupState, isOver: () -> Bool) throws -> Int32? {
    let signals = SignalWatch()
    var socket = try NetfilterSocket()
    try socket.takeGroup(setup.group)
    socket.setReceiveBuffer(64 << 20)
    try socket.join()
    var rules = try RulesetReader()
    var investigator = try Investigator()
    var deciders = DeciderWatch()
    var header = SessionHeader(
      command: "show", version: nftraceVersion, kernel: Machine.kernelRelease,
      points: setup.points, table: SetupTables.name, targets: setup.subnets)
    header.legacyNAT = LegacyTables.natTargets()
    try print(report.take(.header(header)))
    for record in try SurroundingsReader.read(&rules).records {
      try print(report.take(.record(record)))
    }
    var nextLook = Clock.monotonic + Self.second
    while true {
      Waiting.forReading([socket.fileDescriptor, signals.fileDescriptor], nanoseconds: Self.pause)
      var records: [Record] = []
      let isRead = try socket.drain(atMost: 4096) { records.append($0) }
      var lines: [String] = []
      for record in records {
        if case .netlink(let message) = record.content { deciders.take(message) }
        lines += report.take(.record(record))
      }
      for step in deciders.takeUnread() {
        for record in investigator.answer([.rule(step)]) {
          if case .netlink(let rule) = record.content { deciders.note(rule) }
          lines += report.take(.record(record))
        }
      }
      try print(lines)
      if let signal = signals.next() { return try end(signal) }
      if isRead { try print(report.pass(to: Clock.realtime)) }
      if Clock.monotonic > nextLook {
        nextLook = Clock.monotonic + Self.second
        if isOver() { return try end(nil) }
      }
    }
  }

  private static let pause: UInt64 = 100_000_000
  private static let second: UInt64 = 1_000_000_000

  private func print(_ lines: [String]) throws(KernelError) {
    if !lines.isEmpty { try Output.print(lines.joined(separator: "\n")) }
  }

  /// Prints the summary: beside JSON Lines it is none of the results.
  private mutating func end(_ signal: Int32?) throws(KernelError) -> Int32? {
    let (lines, summary) = report.finish()
    try print(lines)
    if json {
      for line in summary { Output.complain(line, prefix: "") }
    } else {
      try print([""] + summary)
    }
    return signal
  }
}
