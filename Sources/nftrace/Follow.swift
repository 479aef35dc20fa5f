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
    let traffic = try LiveTraffic(setup)
    var nextLook = Clock.monotonic + Self.second
    var signal: Int32?
    while true {
      var lines: [String] = []
      let isRead = try traffic.read { lines += report.take($0) }
      try print(lines)
      if let signal, isRead { return try end(signal) }
      if signal == nil {
        signal = signals.next()
        // What came before the signal is told.
        if signal != nil { traffic.stopListening() }
      }
      if isRead { try print(report.pass(to: Clock.realtime)) }
      if Clock.monotonic > nextLook {
        nextLook = Clock.monotonic + Self.second
        if isOver() { return try end(nil) }
      }
      Waiting.forReading([traffic.fileDescriptor, signals.fileDescriptor], nanoseconds: Self.pause)
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
