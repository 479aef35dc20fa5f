package import Kernel
package import Trace

/// What show works with.
package protocol ShowHost: NamespaceSurveyor {
  /// What this process may do.
  var rights: any Rights { get }
  /// The kernel's release.
  var release: String { get }
  /// Nanoseconds since the epoch.
  var realtime: UInt64 { get }
  /// Nanoseconds since some moment in the past.
  var monotonic: UInt64 { get }
  /// Waits so many nanoseconds.
  func pause(nanoseconds: UInt64)
  /// The clocks and signals of what goes on: from the first time it is asked for, signals are read.
  var loop: any EventLoop { get }
  /// Whether a person sees the output as it comes.
  var isInteractive: Bool { get }
  /// Whether there is such a setting in the network namespace of the calling thread.
  func exists(_ setting: Sysctl) -> Bool
  /// The kernel's log, from its oldest message on, or from now on.
  func kernelLog(fromNow: Bool) throws(KernelError) -> any KernelLogSource
  /// What the rules of a setup report that nobody records, in the namespace of the calling thread, which is
  /// `space`.
  func traffic(
    of setup: SetupState, in space: ChosenNamespace
  ) throws(KernelError) -> any FollowedTraffic
}
