package import Report
internal import Trace
internal import Wire

/// What a teardown did in a namespace.
package struct TeardownFacts {
  /// In words.
  var headline: StyledLine
  /// Whether anything is not as it was.
  var changed = false
  /// Subnets that are watched no longer.
  var removed: [Prefix] = []
  /// What is left.
  var state: SetupState?
  /// As it is, or ended.
  var recorder: RecorderState?

  /// The facts.
  package var statements: [Statement] {
    typealias S = Statement
    var recording: [StyledLine] = []
    if let recorder, state == nil {
      recording = ["  recorded " + RecorderFacts(recorder).summary]
      if let reason = recorder.reason { recording.append("  the recorder \(reason)") }
    }
    return [
      S("changed", .bool(changed), headline),
      S("removed", .strings(removed.map(\.description))),
      S("remaining", .strings(state?.subnets ?? [])), S("session", .string(recorder?.session)),
      S(
        "recorder", recorder.map { RecorderFacts($0).statements.object } ?? .null,
        .lines(recording)),
    ]
  }
}
