/// An error, and the network namespace it came up in, where there are several.
struct NamespaceFailure: Error {
  let name: String
  let error: any Error
  /// What that means for the others.
  var consequence: String?
}
