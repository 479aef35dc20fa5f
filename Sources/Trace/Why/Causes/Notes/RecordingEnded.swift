extension FindingID {
  static let recordingEnded = FindingID(rawValue: "recording-ended")
}

/// A recording ended before it was told to.
enum RecordingEnded: Diagnosis {
  static let page = FindingPage(
    .recordingEnded, "The recording ended early",
    meaning: """
      The recorder that `setup` starts stopped before it was told to: the disk was full, the network
      namespace was deleted, or it could not go on for another reason, which the note gives.
      """,
    certainty: """
      A note, and always certain: the recorder wrote it as its last words. One that was killed could
      not write any.
      """,
    conclusion: """
      The last block of the recording has the reason, and how many messages were recorded and lost.
      """,
    advice: """
      Remove what is in the way (`nftrace recordings` lists what is kept), and run `setup` again. What
      had not come to its end when the recording ended is not called lost.
      """)

  static func finding(_ end: RecordingEnd) -> Finding? {
    guard let reason = end.reason.map({ String($0.map { $0.isNewline ? " " : $0 }) }) else {
      return nil
    }
    let unwritten =
      end.unwritten > 0 ? "; \(end.unwritten) messages could not be written" : ""
    return note(
      "the recording ended early: \(reason)\(unwritten)",
      evidence: [.recorded(end.events, lost: end.lost)])
  }
}

extension Finding {
  /// That a recording ended before it was told to; nil where it did not.
  package static func ended(_ end: RecordingEnd) -> Finding? { RecordingEnded.finding(end) }
}
