/// How many messages come a second, as far as the last moments tell.
package struct MessageRate: Sendable {
  private var since: UInt64 = 0
  private var count = 0
  /// Messages a second in the last whole window.
  package private(set) var perSecond = 0

  /// Messages a second that are much.
  package static let much = 30_000
  /// Nanoseconds for which more of them gather in the kernel's buffer then: when such a message was read says less of
  /// when it came.
  package static let gathering: UInt64 = 5_000_000

  /// Nanoseconds that are looked at together.
  private static let window: UInt64 = 20_000_000

  /// Nothing came yet.
  package init() {}

  /// So many messages came until `now`, nanoseconds of a clock that goes on evenly.
  package mutating func take(_ messages: Int, at now: UInt64) {
    count += messages
    let took = now &- since
    guard took >= Self.window else { return }
    perSecond = Int(clamping: UInt64(count) * 1_000_000_000 / took)
    (since, count) = (now, 0)
  }
}
