internal import CNetfilter
internal import Glibc

/// Waits for descriptors and signals.
package enum Waiting {
  /// Returns when one of the descriptors can be read, or after so many nanoseconds,
  /// rounded up to milliseconds.
  package static func forReading(_ descriptors: [Int32], nanoseconds: UInt64) {
    var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    let milliseconds = min((nanoseconds + 999_999) / 1_000_000, 60_000)
    _ = unsafe poll(&polled, nfds_t(polled.count), Int32(milliseconds))
  }

  /// Whether a descriptor can be read now, or is at its end.
  package static func isReadable(_ descriptor: Int32) -> Bool {
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&polled, 1, 0) > 0
  }

  /// Lets another thread have this processor, if one waits for it.
  package static func giveWay() { sched_yield() }
}
