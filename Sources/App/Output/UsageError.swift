/// Wrong usage that only shows after the arguments were parsed: exit code 2.
package struct UsageError: Error {
  /// What is wrong, and what would be right.
  package var message: String

  /// An error of these words.
  package init(_ message: String) { self.message = message }
}
