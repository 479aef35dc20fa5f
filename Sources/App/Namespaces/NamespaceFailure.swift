/// An error, and the network namespace it came up in, where there are several.
package struct NamespaceFailure: Error {
  /// The namespace's, as it was asked for.
  package let name: String
  /// What went wrong there.
  package let error: any Error
  /// What that means for the others.
  package var consequence: String?
}
