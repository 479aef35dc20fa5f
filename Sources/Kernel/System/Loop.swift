internal import CNetfilter
internal import Glibc

/// What a command that goes on waits with: for what can be read, for a moment to come, and for the signals
/// that ask it to end (SIGINT, SIGTERM, SIGHUP), which no longer do that by themselves.
package final class Loop {
  private let signals: SignalWatch
  /// The signals first, then what else is waited for.
  private var polled: [pollfd]

  /// What ended a wait.
  package enum Wake: Sendable {
    /// A signal came: `signal` says which.
    case signal
    /// Something can be read, or is at its end.
    case readable
    /// Nothing, for so long.
    case timeout
  }

  /// The signal that asks a recorder to write down what it has received.
  package static let flushRequest = SIGUSR1

  /// From here on signals are something to read, in this thread and those it starts; `flushRequest` as well where
  /// the command knows what to do about it.
  package init(takesFlushRequests: Bool = false) {
    signals = SignalWatch(with: takesFlushRequests ? [Self.flushRequest] : [])
    polled = [pollfd(fd: signals.fileDescriptor, events: Int16(POLLIN), revents: 0)]
  }

  /// Waits for these descriptors from now on, in the place of those before.
  package func watch(_ descriptors: [Int32]) {
    polled.removeLast(polled.count - 1)
    polled += descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
  }

  /// Waits so many nanoseconds, rounded up to milliseconds, or until there is something.
  @discardableResult
  package func wait(nanoseconds: UInt64) -> Wake {
    // Sound: the count is that of the array.
    let count = unsafe poll(&polled, nfds_t(polled.count), Self.milliseconds(nanoseconds))
    if count > 0 { return polled[0].revents != 0 ? .signal : .readable }
    return .timeout
  }

  /// The signal that came, if one did: each is told once.
  package func signal() -> Int32? { signals.next() }

  // MARK: Without signals

  /// Waits until a descriptor can be read, or is at its end, so many nanoseconds at most.
  package static func wait(for descriptor: Int32, nanoseconds: UInt64) {
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // Sound: the pointer is that of the one entry that is said.
    _ = unsafe poll(&polled, 1, milliseconds(nanoseconds))
  }

  /// Waits so many nanoseconds, rounded up to milliseconds.
  package static func pause(nanoseconds: UInt64) {
    _ = poll(nil, 0, milliseconds(nanoseconds))
  }

  /// Whether a descriptor can be read now, or is at its end.
  package static func isReadable(_ descriptor: Int32) -> Bool {
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // Sound: the pointer is that of the one entry that is said.
    return unsafe poll(&polled, 1, 0) > 0
  }

  /// Lets another thread have this processor, if one waits for it.
  package static func giveWay() { sched_yield() }

  private static func milliseconds(_ nanoseconds: UInt64) -> Int32 {
    Int32(min(nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1), 60_000))
  }
}
