package import Trace

/// When probes are due.
package struct Schedule {
  private let count: Int
  /// Probes that one sets off, itself included.
  private let step: Int
  /// Nanoseconds.
  private let interval: UInt64
  private var sequence = 1
  private var due: UInt64 = 0

  /// With an interval of 0, an unanswered probe holds up the next one for this long, in
  /// nanoseconds: ping(8)'s flood does the same.
  private static let floodPatience: UInt64 = 10_000_000

  init(_ plan: ProbePlan) {
    count = plan.count
    step = plan.probesPerConnection
    interval = UInt64(plan.interval * 1e9)
  }

  /// Whether all probes were sent.
  package var isOver: Bool { sequence > count }

  /// The number of the probe to send now, if one is due.
  package mutating func next(_ now: UInt64, _ ping: PingStory) -> Int? {
    guard !isOver, now >= due,
      interval > 0 || ping.outstanding == 0 || now >= due + Self.floodPatience
    else { return nil }
    due = now + interval
    defer { sequence += step }
    return sequence
  }

  /// How long there is nothing to do unless something arrives, in nanoseconds.
  package func pause(_ now: UInt64, _ ping: PingStory) -> UInt64 {
    var moments = [ping.nextDeadline ?? .max]
    if !isOver {
      moments.append(
        interval > 0 ? due : ping.outstanding == 0 ? now : due + Self.floodPatience)
    }
    let first = moments.min()!
    return first > now ? first - now : 0
  }
}
