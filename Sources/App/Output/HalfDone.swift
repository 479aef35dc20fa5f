/// A command that failed, and could not take back all that it had done.
package struct HalfDone: Error {
  /// Why it failed.
  package let cause: any Error
  /// What could not be taken back.
  package let failures: [any Error]

  /// A failure of these parts.
  package init(cause: any Error, failures: [any Error]) {
    self.cause = cause
    self.failures = failures
  }
}
