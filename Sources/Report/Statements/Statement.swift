package import Trace

/// One thing that a command tells of its work, in both of its languages: to programs as a member of a JSON
/// object, to people in words. What is told in one language alone is so here, and nowhere else.
package struct Statement: Sendable {
  /// The member's name; nil where programs are told nothing.
  package let key: String?
  /// What programs are told.
  package let value: JSONValue
  /// What people are told.
  package let words: Words

  /// What people are told.
  package enum Words: Sendable {
    /// Nothing: it is told elsewhere, or of no use to them.
    case nothing
    /// Lines of its own.
    case lines([StyledLine])
    /// How the line before goes on.
    case more(StyledLine)
    /// What is to be kept in mind, beside the results.
    case remark(StyledLine)
    /// What each part of it says.
    case parts([Statement])
  }

  /// A statement of these parts.
  package init(_ key: String?, _ value: JSONValue, _ words: Words) {
    self.key = key
    self.value = value
    self.words = words
  }

  /// Of which people are told nothing.
  package init(_ key: String, _ value: JSONValue) { self.init(key, value, .nothing) }

  /// Of which people are told in a line, or not.
  package init(_ key: String?, _ value: JSONValue, _ line: StyledLine?) {
    self.init(key, value, .lines(line.map { [$0] } ?? []))
  }

  /// With which the line before goes on.
  package init(_ key: String, _ value: JSONValue, more: StyledLine) {
    self.init(key, value, .more(more))
  }

  /// An object whose members are statements, and people are told of each.
  package init(_ key: String, of parts: [Statement]) {
    self.init(key, parts.object, .parts(parts))
  }

  /// Of which programs are told nothing.
  package static func words(_ words: Words) -> Statement { Statement(nil, .null, words) }

  /// A line whose first column is a label.
  package static func row(_ label: String, _ text: StyledLine) -> StyledLine {
    StyledLine(TextLayout.padded(label, to: column)) + text
  }

  /// A line that goes on with what the row before it says.
  package static func row(_ text: StyledLine) -> StyledLine { row("", text) }

  private static let column = 11
}
