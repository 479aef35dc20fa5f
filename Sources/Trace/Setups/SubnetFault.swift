/// Why a list of subnets cannot be what was meant.
package struct SubnetFault: Error, Sendable, Equatable {
  /// What is wrong and what would be right, as a sentence.
  package var message: String

  /// A fault with these words.
  package init(_ message: String) { self.message = message }
}
