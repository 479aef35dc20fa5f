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

  /// What there is to say of it. `isFirst` is whether this is the machine's first network namespace.
  func statements(
    _ state: SetupState, recorder: RecorderState?, isVerbose: Bool, isFirst: Bool
  ) -> [Statement] {
    typealias S = Statement
    let facts = SetupFacts(state, recorder).statements.saying([
      "backend": state.backend == SetupBackend.log.rawValue
        ? .parts(
          [.words(.lines(["  'nftrace show --backend log' shows it"]))]
            + (isFirst ? [] : [Self.warning]))
        : .nothing,
      "recorder": .lines(recording(state, recorder)),
      "left_out": state.leftOut.map { connection in
        .lines([
          "  without your own SSH connection, \(connection); --own-ssh watches it as well"
        ])
      } ?? .nothing,
    ])
    return [
      S("changed", .bool(changedAnything), headline(state)),
      S("added", .strings(added.map(\.description))),
      S("done", .strings(done), .lines(done.map { "  \($0)" })),
      S(
        "transaction_us", transaction.map { .tenths(Double($0) / 1000) } ?? .null,
        isVerbose ? transaction.map { "  one transaction, \(Self.milliseconds($0)) ms" } : nil),
    ] + facts + [
      S(
        "previous_session", .string(previous),
        previous.map { "  the earlier recording is kept: \($0)" }),
      S(
        "earlier",
        .object([("recordings", .int(earlier.count)), ("octets", .int(octetsOfEarlier))]),
        startedRecorder && !earlier.isEmpty ? "  \(sumOfEarlier)" : nil),
    ]
  }

  private func recording(_ state: SetupState, _ recorder: RecorderState?) -> [StyledLine] {
    if let recorder, recorder.living != nil {
      return [
        "  recording to \(recorder.session), process \(recorder.process)",
        "  'nftrace show' tells what was seen, 'nftrace show --follow' what comes; 'nftrace teardown' ends it",
      ]
    }
    return state.backend == SetupBackend.nflog.rawValue
      ? ["  nobody records; 'nftrace record FILE' does"] : []
  }

  private var octetsOfEarlier: Int { earlier.reduce(0) { $0 + $1.octets } }

  /// Nothing that was recorded is removed by itself: how much that is by now.
  private var sumOfEarlier: String {
    let (what, them) = earlier.count == 1 ? ("recording is", "it") : ("recordings are", "them")
    return "\(earlier.count) earlier \(what) kept, \(Octets.text(octetsOfEarlier)): "
      + "'nftrace recordings' lists \(them), --remove NAME removes \(them)"
  }

  private func headline(_ state: SetupState) -> StyledLine {
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

  /// Outside the machine's first namespace the kernel log stays empty by default.
  private static let warning = Statement.words(
    .remark(
      "the kernel log shows lines of a namespace other than the machine's first only where "
        + "that has net.netfilter.nf_log_all_netns=1"))
}
