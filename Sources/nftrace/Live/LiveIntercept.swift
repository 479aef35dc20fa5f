import App
import Kernel
import Trace
import Wire

/// This machine, for an interception.
final class LiveIntercept: InterceptHost {
  private(set) lazy var loop: any EventLoop = Loop()
  private(set) lazy var output: any LineSink = PatientOutput()

  var release: String { Machine.kernelRelease }
  var isInteractive: Bool { Terminal.isInteractive }

  func divert(
    _ subnets: [Prefix], into name: String, translating versions: Set<Int>
  ) throws(KernelError) -> any DivertedPackets {
    DivertedDevice(
      try Diversion.start(
        subnets, tun: name, translating: versions, directory: StateDirectory.path))
  }

  func traffic(
    of subnets: Subnets, divertedInto device: String
  ) throws(KernelError) -> LiveTraffic {
    try LiveTraffic(of: subnets, divertedInto: device)
  }

  func giveUpRights() throws(KernelError) {
    try Privileges.keep(RuleListing.rights.union(.network), writing: [StateDirectory.path])
  }
}
