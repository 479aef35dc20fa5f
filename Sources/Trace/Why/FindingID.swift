/// What a finding is called in JSON and in its page. Each is declared in the file of its diagnosis.
package struct FindingID: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  /// The name: "rule-drop".
  package let rawValue: String

  /// The id of this name.
  package init(rawValue: String) { self.rawValue = rawValue }

  /// The name.
  package var description: String { rawValue }
}
