package import Kernel

/// Takes octets, and makes nobody wait who writes them: `PatientOutput`.
package protocol OctetSink: AnyObject {
  /// Whether something is kept that was not written yet.
  var isPending: Bool { get }
  /// Whether so much is kept that nothing more should come.
  var isFull: Bool { get }
  /// Whether there is still somebody who may read it.
  var hasReader: Bool { get }
  /// Writes octets, or keeps them.
  func write(_ octets: [UInt8]) throws(KernelError)
  /// Writes what is kept, as far as it can be done without waiting.
  func flush() throws(KernelError)
}

extension PatientOutput: OctetSink {}
