/// Why bytes could not be decoded, and where.
public struct WireError: Error, Equatable, CustomStringConvertible {
  /// What was expected, in words for a person.
  public let reason: String
  /// Octets from the start of what was being decoded.
  public let offset: Int

  /// An error for this reason, found `offset` octets from the start.
  public init(_ reason: String, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// The reason and the offset, for a person.
  public var description: String { "\(reason) at byte \(offset)" }
}
