package import Kernel

/// The machine's clocks, and waiting for what comes.
package protocol EventLoop: AnyObject {
  /// Nanoseconds since the epoch.
  var realtime: UInt64 { get }
  /// Nanoseconds since some moment in the past; never steps back.
  var monotonic: UInt64 { get }
  /// Waits for these descriptors from now on, in the place of those before.
  func watch(_ descriptors: [Int32])
  /// Waits so many nanoseconds, or until there is something.
  @discardableResult
  func wait(nanoseconds: UInt64) -> Loop.Wake
  /// Waits so many nanoseconds whatever comes meanwhile.
  func pause(nanoseconds: UInt64)
  /// The signal that came, if one did: each is told once.
  func signal() -> Int32?
  /// Lets another thread have this processor, if one waits for it.
  func giveWay()
}

extension Loop: EventLoop {
  /// Nanoseconds since the epoch.
  package var realtime: UInt64 { Clock.realtime }
  /// Nanoseconds since some moment in the past.
  package var monotonic: UInt64 { Clock.monotonic }
  /// Waits so many nanoseconds whatever comes meanwhile.
  package func pause(nanoseconds: UInt64) { Self.pause(nanoseconds: nanoseconds) }
  /// Lets another thread have this processor.
  package func giveWay() { Self.giveWay() }
}
