internal import CNetfilter
internal import Glibc

/// The machine's clocks.
package enum Clock {
  /// Nanoseconds since the epoch.
  package static var realtime: UInt64 { read(CLOCK_REALTIME) }
  /// Nanoseconds since some moment in the past; never steps back.
  package static var monotonic: UInt64 { read(CLOCK_MONOTONIC) }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var now = timespec()
    // Sound: the pointer is that of a variable of the type the function fills.
    _ = unsafe clock_gettime(clock, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
  }
}
