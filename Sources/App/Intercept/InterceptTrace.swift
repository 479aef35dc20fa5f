internal import Kernel
package import Report
package import Trace
internal import Wire

/// The ways of intercepted packets through the hooks, told beside the interception: what
/// `show --follow` prints of a setup.
package struct InterceptTrace {
  private let traffic: LiveTraffic
  private var report: FollowReport

  /// Of `traffic` it tells of the packets that pass `device`, and of their answers; on a terminal so many
  /// exchanges a second in full.
  package init(
    _ traffic: LiveTraffic, device: String, rate: Int?, _ options: OutputOptions
  ) {
    self.traffic = traffic
    report = FollowReport(
      filter: ExchangeFilter(through: device), style: options.style,
      format: options.json ? .jsonLines : .text, rate: rate)
  }

  /// Takes in what was done with a packet that was read from the device, `octets` as they were read.
  package mutating func take(_ fate: Interception.Fate, of octets: [UInt8]) {
    report.take(fate, of: octets)
  }

  /// For poll(2).
  package var fileDescriptor: Int32? { traffic.fileDescriptor }

  /// From now on nothing new comes, but what is waiting.
  package func stopListening() { traffic.stopListening() }

  /// Takes in a part of what there is, for packets wait meanwhile. Returns whether that was all.
  package mutating func tell(_ output: any LineSink, now: UInt64) throws -> Bool {
    var lines: [String] = []
    let isRead = try traffic.read(atMost: 512) { lines += report.take($0) }
    if isRead { lines += report.pass(to: now) }
    try Self.write(lines, output)
    return isRead
  }

  /// Leaves out what is waiting: what it would have said is lost. Returns how many messages that was.
  package mutating func skip(_ output: any LineSink, now: UInt64) throws -> Int {
    let count = traffic.skip()
    guard count > 0 else { return 0 }
    try Self.write(report.take(.record(Record(time: now, .lost(count)))), output)
    return count
  }

  /// Tells the rest, and sums up. Returns what is to be said beside the results.
  package mutating func finish(_ output: any LineSink) throws -> [StyledLine] {
    let (lines, remarks) = report.finish()
    try Self.write(lines, output)
    return remarks
  }

  private static func write(_ lines: [String], _ output: any LineSink) throws(KernelError) {
    if !lines.isEmpty { try output.write(TerminalSafe.clean(lines.joined(separator: "\n") + "\n")) }
  }
}
