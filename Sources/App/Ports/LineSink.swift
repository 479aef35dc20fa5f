package import Kernel

/// Takes lines, and makes nobody wait who writes them: `PatientOutput`.
package protocol LineSink: AnyObject {
  /// Whether something is kept that was not written yet.
  var isPending: Bool { get }
  /// Lines that were left out.
  var skipped: Int { get }
  /// Writes a line, its end included, or keeps it.
  func write(_ line: String) throws(KernelError)
  /// Writes what is kept, as far as it can be done without waiting.
  func flush() throws(KernelError)
  /// Writes what is kept, and waits at most so many nanoseconds for a reader.
  func finish(patience: UInt64) throws(KernelError)
}
