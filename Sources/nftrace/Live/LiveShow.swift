import App
import Kernel
import Trace

/// This machine, for show.
final class LiveShow: ShowHost {
  private let surveyor = LiveSurveyor()
  let rights: any Rights = ProcessRights()
  private(set) lazy var loop: any EventLoop = Loop()

  var release: String { Machine.kernelRelease }
  var realtime: UInt64 { Clock.realtime }
  var monotonic: UInt64 { Clock.monotonic }
  /// As it was when it began: a pager is no terminal.
  let isInteractive = Terminal.isInteractive

  func pause(nanoseconds: UInt64) { Loop.pause(nanoseconds: nanoseconds) }

  func exists(_ setting: Sysctl) -> Bool { setting.exists }

  func survey() -> NamespaceSurvey { surveyor.survey() }

  func open(_ found: NamespaceSurvey.Found) throws(KernelError) -> any NamespaceHandle {
    try surveyor.open(found)
  }

  func place() throws(KernelError) -> NamespacePlace { try surveyor.place() }

  func kernelLog(fromNow: Bool) throws(KernelError) -> any KernelLogSource {
    LiveKernelLog(try KernelLog(fromNow: fromNow))
  }

  func traffic(
    of setup: SetupState, in space: ChosenNamespace
  ) throws(KernelError) -> any FollowedTraffic {
    try LiveTraffic(setup, in: space)
  }
}
