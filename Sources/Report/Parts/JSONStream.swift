internal import Trace

/// A JSON object with an array whose values are written one by one, so that they need not be in memory
/// all at once. The text is what `JSONValue.pretty` makes of the whole.
struct JSONStream: Sendable {
  /// The array's name.
  private let name: String
  private let opening: [(String, JSONValue)]
  private var isOpen = false
  /// The value before: whether a comma follows it shows with the next one.
  private var previous: String?

  /// An object that begins with these members, behind which the array of this name stands.
  init(_ name: String, opening: [(String, JSONValue)]) {
    self.name = name
    self.opening = opening
  }

  /// The text that is certain once these values are there.
  mutating func add(_ values: [JSONValue]) -> [String] {
    guard !values.isEmpty else { return [] }
    var lines = begin()
    for value in values {
      if let text = previous.take() { lines.append(text + ",") }
      previous = value.pretty(indent: 4, behind: "    ")
    }
    return lines
  }

  /// The rest: the last value, and the members that follow.
  mutating func finish(_ closing: [(String, JSONValue)]) -> [String] {
    var lines = begin()
    if let previous {
      lines += [previous, "  ],"]
    } else {
      lines[lines.count - 1] += "],"  // No value was added, so nothing was begun before.
    }
    let members = closing.map { "  \"\($0.0)\": " + $0.1.pretty(indent: 2) }
    return lines + [members.joined(separator: ",\n"), "}"]
  }

  /// The text up to the first value, once. Without any, it is followed on its line.
  private mutating func begin() -> [String] {
    if isOpen { return [] }
    isOpen = true
    let members = opening.map { "  \"\($0.0)\": " + $0.1.pretty(indent: 2) + "," }
    return ["{"] + members + ["  \"\(name)\": ["]
  }
}
