internal import Kernel
internal import Report
internal import Trace
internal import Wire

/// What a setup did.
package struct SetupReport {
  var added: [Prefix] = []
  /// What was done besides, a few words each.
  package var done: [String] = []
  var startedRecorder = false
  /// Where what an earlier setup recorded is now; nil if there is none.
  package var previous: String?
  /// All that setups before this one recorded here.
  package var earlier: [KeptRecording] = []
  /// Nanoseconds that the transaction took; nil if there was none.
  package var transaction: UInt64?

  var changedAnything: Bool {
    !added.isEmpty || !done.isEmpty || startedRecorder || transaction != nil
  }

  func print(
    _ state: SetupState, recorder: RecorderState?, _ options: OutputOptions, name: String?
  ) throws(KernelError) {
    try Output.print(StyledLine((name.map { "\($0): " } ?? "") + headline(state)))
    if options.isQuiet { return }
    for line in done { try Output.print("  \(line)") }
    if let transaction, options.isVerbose {
      try Output.print("  one transaction, \(Self.milliseconds(transaction)) ms")
    }
    if state.backend == SetupBackend.log.rawValue {
      try Output.print("  'nftrace show --backend log' shows it")
      Self.warnAboutKernelLog()
    }
    if let recorder, recorder.living != nil {
      try Output.print("  recording to \(recorder.session), process \(recorder.process)")
    } else if state.backend == SetupBackend.nflog.rawValue {
      try Output.print("  nobody records; 'nftrace record FILE' does")
    }
    if let previous { try Output.print("  the earlier recording is kept: \(previous)") }
    if startedRecorder, !earlier.isEmpty { try Output.print("  \(sumOfEarlier)") }
  }

  /// Nothing that was recorded is removed by itself: how much that is by now.
  private var sumOfEarlier: String {
    let (count, octets) = (earlier.count, earlier.reduce(0) { $0 + $1.octets })
    let (what, them) = count == 1 ? ("recording is", "it") : ("recordings are", "them")
    return "\(count) earlier \(what) kept, \(Octets.text(octets)): 'nftrace recordings' lists "
      + "\(them), --remove NAME removes \(them)"
  }

  private func headline(_ state: SetupState) -> String {
    let subnets = state.subnets.joined(separator: ", ")
    guard changedAnything else { return "nothing to do: watching \(subnets) already" }
    let sink = state.group.map { "NFLOG group \($0)" } ?? "the kernel log"
    return "watching \(subnets) at \(state.points.count) points, reported to \(sink)"
  }

  /// Nanoseconds as milliseconds with two decimals.
  package static func milliseconds(_ nanoseconds: UInt64) -> String {
    let hundredths = (nanoseconds + 5000) / 10000
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }

  /// Outside the machine's first namespace the kernel log stays empty by default. The setting is
  /// there in the first namespace alone.
  private static func warnAboutKernelLog() {
    let setting = Sysctl(path: "net/netfilter/nf_log_all_netns")!
    if !setting.exists {
      Output.complain(
        "the kernel log shows lines of a namespace other than the machine's first only where "
          + "that has net.netfilter.nf_log_all_netns=1")
    }
  }

  func members(_ state: SetupState, _ recorder: RecorderState?) -> [(String, JSONValue)] {
    [
      ("changed", .bool(changedAnything)), ("added", .array(added.map { .string("\($0)") })),
      ("done", .array(done.map { .string($0) })),
      ("transaction_us", transaction.map { .tenths(Double($0) / 1000) } ?? .null),
      ("previous_session", .string(previous)),
      (
        "earlier",
        .object([
          ("recordings", .int(earlier.count)),
          ("octets", .int(earlier.reduce(0) { $0 + $1.octets })),
        ])
      ),
    ] + SetupJSON.members(state, recorder)
  }
}
