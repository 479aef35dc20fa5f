internal import Trace
internal import Wire

/// How long an answer is still waited for, for a person who sees nothing yet.
struct WaitingProgress {
  private let target: String
  private var isTold = false

  /// Nanoseconds from sending until something is said, and from one word to the next.
  private static let patience: UInt64 = 600_000_000
  private static let pause: UInt64 = 1_000_000_000

  init(_ plan: ProbePlan) { target = plan.target }

  /// Says it, if it takes long enough: `deadline` is when the next probe is given up, nanoseconds since the epoch.
  /// Returns the nanoseconds after which it is to be said anew.
  mutating func look(_ now: UInt64, until deadline: UInt64?, timeout: Double) -> UInt64 {
    guard let deadline, deadline > now, timeout >= 1.5 else { return .max }
    let left = deadline - now
    let waited = UInt64(timeout * 1e9).subtracting(clamped: left)
    guard waited >= Self.patience else { return Self.patience - waited }
    isTold = true
    let seconds = (left + 500_000_000) / 1_000_000_000
    Output.tell(progress: "waiting \(max(seconds, 1)) s for \(target), ^C stops")
    return Self.pause
  }

  /// There is something to say instead.
  mutating func end() {
    if isTold { Output.tell(progress: nil) }
    isTold = false
  }
}
