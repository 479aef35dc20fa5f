/// Why a capture file could not be read on, and where.
package struct CaptureDamage: Error, Equatable, CustomStringConvertible {
  /// What sort of trouble it is.
  package enum Kind: Sendable {
    /// The first octets are those of neither pcapng nor pcap.
    case notACapture
    /// The same, and the reason is the name of the program that compressed it.
    case compressed
    /// The file ends inside a block, as when its recorder was killed.
    case truncated
    /// What is there contradicts the format.
    case malformed
  }

  /// What sort of trouble it is.
  package let kind: Kind
  /// What is wrong, in words for a person.
  package let reason: String
  /// Where the block that could not be read begins: octets from the start of the file.
  /// Everything before it was decoded.
  package let offset: Int

  /// Damage of this kind, with a reason in words, at so many octets from the file's start.
  package init(_ kind: Kind, _ reason: String, at offset: Int) {
    self.kind = kind
    self.reason = reason
    self.offset = offset
  }

  /// The reason and the offset.
  package var description: String {
    kind == .compressed
      ? "compressed, and '\(reason) -d' unpacks it" : "\(reason) at byte \(offset)"
  }
}
