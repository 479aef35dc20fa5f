package import Kernel
package import Trace
package import Wire

/// What an interception works with, in the network namespace of the calling thread.
package protocol InterceptHost {
  /// The clocks and signals: from the first time it is asked for, signals are read.
  var loop: any EventLoop { get }
  /// The kernel's release.
  var release: String { get }
  /// Whether a person sees the output as it comes.
  var isInteractive: Bool { get }
  /// Where lines go while packets are moved.
  var output: any LineSink { get }
  /// Diverts what this host sends to these subnets into a device of this name; %d in it has the kernel choose
  /// a number. Answers of these IP versions can be translated.
  func divert(
    _ subnets: [Prefix], into name: String, translating versions: Set<Int>
  ) throws(KernelError) -> any DivertedPackets
  /// Packets from and to subnets, those among them that are diverted into a device.
  func traffic(
    of subnets: Subnets, divertedInto device: String
  ) throws(KernelError) -> LiveTraffic
  /// Everything is open: what is left is to move packets, and to take back what was changed. Should that
  /// fail, its journal is there and somebody to undo it.
  func giveUpRights() throws(KernelError)
}

/// The device of a diversion, and what it takes: `Diversion`.
package protocol DivertedPackets: PacketDevice {
  /// What the device is called.
  var name: String { get }
  /// What was changed besides, in words for the user.
  var remarks: [String] { get }
  /// Has the answers of a flow come from elsewhere from now on, for who sent what they answer.
  func translate(_ change: AnswerChange) throws(KernelError)
  /// Readable when something may have been done to the device.
  var changesDescriptor: Int32 { get }
  /// What somebody else did to the device; nil while packets can come by it.
  func loss() throws(KernelError) -> Diversion.Loss?
  /// Diverts nothing any more; then calls `drain`, which writes back what is still in the device. The device
  /// goes with this value.
  func end(drain: () -> Void) throws(KernelError)
}
