import Kernel
import Report
import Trace
import Wire

/// The ways of intercepted packets through the hooks, told beside the interception: what
/// `show --follow` prints of a setup.
struct InterceptTrace {
  private let traffic: LiveTraffic
  private var report: FollowReport

  /// Of packets to and from `subnets` it tells of those that pass `device`, and of their answers.
  init(_ subnets: Subnets, device: String, _ options: SharedOptions) throws(KernelError) {
    traffic = try LiveTraffic(of: subnets, divertedInto: device)
    report = FollowReport(
      filter: ExchangeFilter(through: device), style: options.style, json: options.json,
      rate: Terminal.isInteractive ? FollowReport.terminalRate : nil)
  }

  /// For poll(2).
  var fileDescriptor: Int32? { traffic.fileDescriptor }

  /// From now on nothing new comes, but what is waiting.
  func stopListening() { traffic.stopListening() }

  /// Takes in a part of what there is, for packets wait meanwhile. Returns whether that was all.
  mutating func tell(_ output: inout PatientOutput) throws -> Bool {
    var lines: [String] = []
    let isRead = try traffic.read(atMost: 512) { lines += report.take($0) }
    if isRead { lines += report.pass(to: Clock.realtime) }
    try Self.write(lines, &output)
    return isRead
  }

  /// Tells the rest, and sums up. Returns the summary.
  mutating func finish(_ output: inout PatientOutput) throws -> [String] {
    let (lines, summary) = report.finish()
    try Self.write(lines, &output)
    return summary
  }

  private static func write(_ lines: [String], _ output: inout PatientOutput) throws(KernelError) {
    if !lines.isEmpty { try output.write(Printable.clean(lines.joined(separator: "\n") + "\n")) }
  }
}
