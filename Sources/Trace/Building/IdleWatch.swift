internal import Wire

/// When it is time to look what has come to rest, and whether more may come of what seems to.
///
/// Records bear the time at which they were received: when the receiver was busy itself, the rest of a
/// packet's way comes just behind the pause.
struct IdleWatch: Sendable {
  private var lastCheck: UInt64 = 0
  /// When the last two pauses ended in which no record was received, and nobody said that none was
  /// waiting.
  private var pauses: (last: UInt64, before: UInt64) = (0, 0)

  /// Takes in that a record is of this time. `now` is when the one before it was received.
  mutating func take(_ time: UInt64, after now: UInt64) {
    if time > now.later(by: Story.patience) { pauses = (time, pauses.last) }
  }

  /// Takes in that none was waiting.
  mutating func forgetPauses() { pauses = (0, 0) }

  /// Whether it is time to look again. If so, the next time is this many nanoseconds later.
  mutating func isDue(at now: UInt64, every lookout: UInt64, atOnce: Bool) -> Bool {
    guard atOnce || now.since(lastCheck) > lookout else { return false }
    lastCheck = now
    return true
  }

  /// There is more to tell than was told: it is time again.
  mutating func lookAgain() { lastCheck = 0 }

  /// Whether what was heard of last at this time may go on, behind a pause that has just ended.
  func mayGoOn(_ heard: UInt64, at now: UInt64) -> Bool {
    heard < pauses.last && heard >= pauses.before && now.since(pauses.last) <= Story.patience
  }
}
