package import Kernel
package import Trace

/// Where a session is written to as it happens: `SessionWriter`.
package protocol SessionSink: AnyObject {
  /// Begins the session, or its next section.
  func begin(_ header: SessionHeader) throws(KernelError)
  /// Adds a record.
  func write(_ record: Record) throws(KernelError)
}
