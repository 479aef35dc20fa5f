internal import Wire

extension FindingID {
  static let clockSet = FindingID(rawValue: "clock-set")
}

/// Somebody set the machine's clock meanwhile.
enum ClockSet: Diagnosis {
  static let page = FindingPage(
    .clockSet, "The machine's clock was set",
    meaning: """
      While nftrace watched, the machine's clock was set (by date, or by NTP in one step), or the machine
      slept. nftrace goes on by a clock of its own that does not step, so that no packet waits longer or
      shorter for it, and what is later is not earlier. Absolute times are those of the machine's clock
      at that moment: between before and after they have a gap, or are there twice.
      """,
    certainty: """
      A note, and always certain: two of the kernel's clocks were compared.
      """,
    conclusion: """
      CLOCK_REALTIME and CLOCK_MONOTONIC went apart by a millisecond or more.
      """,
    advice: """
      Nothing is to be done. Compared with other machines' logs, times of before and after the step are
      off by what the finding says.
      """)

  static func finding(_ counts: EventCounts) -> Finding? {
    guard let largest = counts.clockSteps.max(by: { $0.magnitude < $1.magnitude }) else {
      return nil
    }
    let direction = largest < 0 ? "back" : "forward"
    let more = counts.clockSteps.count > 1 ? ", \(counts.clockSteps.count) times, the furthest" : ""
    return note(
      "the machine's clock was set \(direction)\(more) by \(seconds(largest.magnitude)) meanwhile",
      evidence: counts.clockSteps.prefix(4).map { .clockSet($0) })
  }

  /// Nanoseconds as seconds with three decimals.
  private static func seconds(_ nanoseconds: UInt64) -> String {
    let millis = nanoseconds.later(by: 500_000) / 1_000_000
    let rest = "\(millis % 1000)"
    return "\(millis / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest + " s"
  }
}

extension Finding {
  /// That the machine's clock was set meanwhile; nil where it was not.
  package static func clockSet(_ counts: EventCounts) -> Finding? { ClockSet.finding(counts) }
}
