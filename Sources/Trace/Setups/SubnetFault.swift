/// Why a list of subnets cannot be what was meant.
public struct SubnetFault: Error, Sendable, Equatable {
  /// What is wrong and what would be right, as a sentence.
  public var message: String

  /// A fault with these words.
  public init(_ message: String) { self.message = message }
}
