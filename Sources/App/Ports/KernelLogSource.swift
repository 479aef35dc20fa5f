package import Kernel

/// The running kernel's log: `KernelLog`.
package protocol KernelLogSource: AnyObject {
  /// Readable when there is more.
  var fileDescriptor: Int32 { get }
  /// Messages that the kernel threw away before they were read.
  var lost: Int { get }
  /// The next messages, each ending with a line feed; none where there are no more yet.
  func read() throws(KernelError) -> [UInt8]
}
