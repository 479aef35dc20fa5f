internal import Kernel
internal import Report
internal import Trace

extension KeptRecording {
  /// Whether there is nothing in it, and something in a newer one.
  func isOutshone(by ping: KeptRecording?) -> Bool {
    guard let ping, let made = ping.first else { return false }
    // What a recorder has counted it writes down only now and then.
    let isEmpty = events == 0 && RecordingFiles.tally(of: path).events == 0
    return isEmpty && made > began ?? 0
  }

  /// Of when it is, and what it is called.
  var words: String {
    let began = self.began.map { CalendarText.text($0 / 1_000_000_000) }
    let period =
      isOfPing
      ? began.map { "of \($0)" }
      : isBeingWritten ? began.map { "since \($0)" } : self.period
    return (period.map { "\($0): " } ?? "") + path
  }

  /// From when to when there is something in it; nil where nothing is.
  var period: String? {
    guard events != 0, let first else { return nil }
    let begin = CalendarText.text(first / 1_000_000_000)
    guard let last else { return "since \(begin)" }
    let end = CalendarText.text(last / 1_000_000_000)
    // Of the same day, the time is enough.
    return begin.prefix(10) == end.prefix(10)
      ? "\(begin.dropLast(4)) to \(end.dropFirst(11))" : "\(begin) to \(end)"
  }
}
