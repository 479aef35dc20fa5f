import App
import Kernel

/// The kernel's log, for several to hold.
final class LiveKernelLog: KernelLogSource {
  private var log: KernelLog

  /// Takes it over.
  init(_ log: consuming KernelLog) { self.log = log }

  var fileDescriptor: Int32 { log.fileDescriptor }
  var lost: Int { log.lost }

  func read() throws(KernelError) -> [UInt8] { try log.read() }
}
