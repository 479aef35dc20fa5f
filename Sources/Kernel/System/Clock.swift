internal import CNetfilter
internal import Glibc

/// The machine's clocks.
package enum Clock {
  /// Nanoseconds since the epoch, by the clock as it was set when this process first asked: it goes on
  /// evenly, whatever is done to the machine's clock meanwhile. `step` says what that was.
  package static var realtime: UInt64 { monotonic &+ difference }
  /// Nanoseconds since some moment in the past; never steps back.
  package static var monotonic: UInt64 { read(CLOCK_MONOTONIC) }
  /// From `monotonic` to `realtime`, in nanoseconds: what the kernel stamps with CLOCK_MONOTONIC is moved
  /// to the epoch by it.
  package static let difference: UInt64 = {
    for _ in 0..<8 {
      if let measured { return measured }
    }
    return read(CLOCK_REALTIME) &- monotonic
  }()

  /// How far the machine's clock is ahead of `realtime`, in nanoseconds: what it was set by since, or how
  /// long the machine slept. Nil where the two could not be read at one moment.
  package static var step: Int64? { measured.map { Int64(bitPattern: $0 &- difference) } }

  /// From CLOCK_MONOTONIC to CLOCK_REALTIME now; nil if this process was interrupted between the two.
  private static var measured: UInt64? {
    let before = monotonic
    let epoch = read(CLOCK_REALTIME)
    let after = monotonic
    guard after - before < 20_000 else { return nil }
    return epoch &- before &- (after - before) / 2
  }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var now = timespec()
    // Sound: the pointer is that of a variable of the type the function fills.
    _ = unsafe clock_gettime(clock, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
  }
}
