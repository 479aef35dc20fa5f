/// Why bytes could not be decoded, and where.
package struct WireError: Error, Equatable, CustomStringConvertible {
  /// What was expected, in words for a person.
  package let reason: String
  /// Octets from the start of what was being decoded.
  package let offset: Int

  /// An error for this reason, found `offset` octets from the start.
  package init(_ reason: String, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// The reason and the offset, for a person.
  package var description: String { "\(reason) at byte \(offset)" }
}
