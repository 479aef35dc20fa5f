package import Kernel
package import Trace

extension RecorderState {
  /// The process, verified; nil if it is gone.
  package var living: ProcessIdentity? {
    let identity = ProcessIdentity(process: process, start: start)
    return ended == nil && identity.isAlive ? identity : nil
  }

  /// Whether its numbers are those of what it recorded: one that was killed wrote them down some time
  /// before.
  package var saysHowFar: Bool { ended != nil || living != nil }

  /// What ended it before it was told to; nil otherwise.
  package var reason: String? {
    if let error { return "ended early: \(error)" }
    return saysHowFar ? nil : "was killed"
  }
}
