/// A value of a file that people write: text, a list, or names with values; and where it stands.
package struct ConfigurationNode: Sendable, Equatable {
  /// The line that it begins in, counted from 1.
  package var line: Int
  /// What it is.
  package var value: Value

  /// What a value can be.
  package enum Value: Sendable, Equatable {
    /// Text; a number as well.
    case text(String)
    /// Values in their order.
    case list([ConfigurationNode])
    /// Names with values, in their order, no name twice.
    case members([Member])
    /// Nothing stands there.
    case nothing
  }

  /// A name with a value.
  package struct Member: Sendable, Equatable {
    /// The name.
    package var name: String
    /// The line that the name is in.
    package var line: Int
    /// The value.
    package var node: ConfigurationNode

    /// A name with a value.
    package init(_ name: String, line: Int, _ node: ConfigurationNode) {
      self.name = name
      self.line = line
      self.node = node
    }
  }

  /// A value that stands in a line.
  package init(line: Int, _ value: Value) {
    self.line = line
    self.value = value
  }

  /// What it is called, for who expected something else.
  var kind: String {
    switch value {
    case .text(let text): "'\(text)'"
    case .list: "a list"
    case .members: "names with values"
    case .nothing: "nothing"
    }
  }
}

/// What is wrong in a file that people write, and where.
package struct ConfigurationFault: Error, Equatable, CustomStringConvertible {
  /// The line, counted from 1.
  package var line: Int
  /// What is wrong, and what would be right.
  package var text: String

  /// A fault in a line.
  package init(line: Int, _ text: String) {
    self.line = line
    self.text = text
  }

  /// With its line.
  package var description: String { "line \(line): \(text)" }
}
