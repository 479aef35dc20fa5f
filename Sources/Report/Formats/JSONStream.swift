internal import Trace

/// The JSON object of a run whose journeys are written one by one, so that they need not be in
/// memory all at once. The text is what `JSONValue.pretty` makes of the whole.
struct JSONStream {
  private let report: JSONReport
  private let opening: [(String, JSONValue)]
  private var isOpen = false
  /// The journey before: whether a comma follows it shows with the next one.
  private var previous: String?

  /// An object that begins with these members.
  init(_ report: JSONReport, opening: [(String, JSONValue)]) {
    self.report = report
    self.opening = opening
  }

  /// The text that is certain once these journeys are there.
  mutating func add(_ journeys: [Journey]) -> [String] {
    guard !journeys.isEmpty else { return [] }
    var lines = begin()
    for journey in journeys {
      if let previous { lines.append(previous + ",") }
      previous = "    " + report.journey(journey).pretty(indent: 4)
    }
    return lines
  }

  /// The rest: the last journey, and the members that follow.
  mutating func finish(_ closing: [(String, JSONValue)]) -> [String] {
    var lines = begin()
    if let previous {
      lines += [previous, "  ],"]
    } else {
      lines[lines.count - 1] += "],"  // No journey was added, so nothing was begun before.
    }
    let members = closing.map { "  \"\($0.0)\": " + $0.1.pretty(indent: 2) }
    return lines + [members.joined(separator: ",\n"), "}"]
  }

  /// The text up to the first journey, once. Without any, it is followed on its line.
  private mutating func begin() -> [String] {
    if isOpen { return [] }
    isOpen = true
    let members = opening.map { "  \"\($0.0)\": " + $0.1.pretty(indent: 2) + "," }
    return ["{"] + members + ["  \"journeys\": ["]
  }
}
