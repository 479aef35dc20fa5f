package import Kernel
package import Trace
package import Wire

/// The way by which probes enter, and answers may come out: a TUN device, an interface, this host.
package protocol ProbePath: AnyObject {
  /// Readable when an answer came out; nil where none can.
  var descriptor: Int32? { get }
  /// Makes a packet ready to be sent, whose octets these are: what was captured may have more than is looked at.
  func prepare(_ packet: Packet, as octets: [UInt8]) throws(KernelError) -> any ProbeSending
  /// The next packet that came out; nil if there is none at the moment.
  func read() throws(KernelError) -> [UInt8]?
  /// What it means that a packet could not be sent, by its errno; nil where that is an answer like others.
  func failure(_ errno: Int32) -> KernelError?
}

/// A packet on its way into the kernel: `Injection`.
package protocol ProbeSending: AnyObject {
  /// Sends it, and does not wait.
  func go()
  /// Nil until the kernel has taken it through its hooks; then 0, or the errno that refused it.
  var errno: Int32? { get }
}

/// A TUN device whose carrier is as it was: what is sent through it cannot be read.
package protocol SilentDevice: AnyObject {
  /// Its name.
  var name: String { get }
  /// Its index.
  var index: UInt32 { get }
  /// What decides whether it needs the carrier after all.
  func state() throws(KernelError) -> SilentDeviceState
  /// Gives it the carrier that it was opened without.
  func raiseCarrier() throws(KernelError)
}
