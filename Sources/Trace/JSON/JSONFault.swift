/// Why text is not the JSON that was expected.
package enum JSONFault: Error, Equatable, CustomStringConvertible {
  /// It is no JSON, or more than is read. `offset` counts octets from the beginning of the text.
  case syntax(offset: Int, reason: String)
  /// An object has no member of this name.
  case missing(String)
  /// A value is of another kind than the one that was expected, or out of its range. The name is the
  /// member's; empty where no member is known.
  case unfit(String)

  /// What is wrong, in words.
  package var description: String {
    switch self {
    case .syntax(let offset, let reason): "\(reason) at byte \(offset)"
    case .missing(let name): "there is no \"\(name)\""
    case .unfit(let name):
      name.isEmpty ? "a value is not what it should be" : "\"\(name)\" is not what it should be"
    }
  }
}
