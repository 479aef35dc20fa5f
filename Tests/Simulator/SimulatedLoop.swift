internal import App
package import Kernel

/// A clock that goes when somebody waits, or works.
package final class SimulatedLoop: EventLoop {
  /// Nanoseconds since the epoch.
  package var now: UInt64
  /// When something comes next, nanoseconds since the epoch.
  private var moments: [() -> UInt64?] = []
  /// Signals that are still to come, and when.
  package var signals: [(time: UInt64, number: Int32)] = []
  /// How often somebody waited.
  package private(set) var waits = 0
  /// What is done before each wait.
  package var onWait: ((Int) -> Void)?
  /// Waits after which it is over: a signal comes at each.
  private let limit: Int

  /// The time between the clocks, nanoseconds.
  private static let bootTime: UInt64 = 1_000_000_000_000

  /// A clock that shows this time.
  package init(_ now: UInt64, limit: Int = 20_000) {
    self.now = now
    self.limit = limit
  }

  /// Waits end at these moments as well.
  package func wake(at moment: @escaping () -> UInt64?) { moments.append(moment) }

  package var realtime: UInt64 { now }
  package var monotonic: UInt64 { now - Self.bootTime }

  package func watch(_ descriptors: [Int32]) {}

  package func wait(nanoseconds: UInt64) -> Loop.Wake {
    waits += 1
    onWait?(waits)
    if waits > limit { signals.insert((now, 15), at: 0) }
    // As poll(2) does, in milliseconds; and a call takes its time.
    let milliseconds = nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1)
    now += 1000
    let end = now.addingReportingOverflow(min(milliseconds, 60_000) * 1_000_000)
    let last = end.overflow ? UInt64.max : end.partialValue
    let next = moments.compactMap { $0() }.min() ?? .max
    let signal = signals.first?.time ?? .max
    now = max(now, min(last, next, signal))
    if signal <= now { return .signal }
    return next <= now ? .readable : .timeout
  }

  package func signal() -> Int32? {
    guard let first = signals.first, first.time <= now else { return nil }
    signals.removeFirst()
    return first.number
  }

  package func giveWay() { now += 1000 }

  package func pause(nanoseconds: UInt64) { now += nanoseconds }
}
