import App
import Kernel
import Trace

extension PatientOutput: LineSink {}

/// The device of a diversion.
final class DivertedDevice: DivertedPackets {
  private var diversion: Diversion

  /// Takes the diversion over.
  init(_ diversion: consuming Diversion) { self.diversion = diversion }

  /// What it is called.
  var name: String { diversion.tun.name }

  /// What was changed besides, in words for the user.
  var remarks: [String] { diversion.remarks }

  var descriptor: Int32 { diversion.tun.descriptor }

  var changesDescriptor: Int32 { diversion.changesDescriptor }

  func loss() throws(KernelError) -> Diversion.Loss? { try diversion.loss() }

  func translate(_ change: AnswerChange) throws(KernelError) { try diversion.translate(change) }

  func read(into buffer: inout [UInt8]) throws(KernelError) -> Int? {
    try diversion.tun.read(into: &buffer)
  }

  func write(_ buffer: [UInt8], count: Int) throws(KernelError) {
    try diversion.tun.write(buffer, count: count)
  }

  /// Diverts nothing any more; then calls `drain`, which writes back what is still in the device. The device
  /// goes with this value.
  func end(drain: () -> Void) throws(KernelError) {
    try diversion.release()
    drain()
  }
}
