internal import Trace

/// A line of output: text in parts, each with its part in what is said. Its own words are literals; text
/// that comes in, such as names, is written so that it stays within the line and is seen. How a part
/// looks is for the format to say.
package struct StyledLine: Sendable, Equatable, ExpressibleByStringInterpolation {
  /// The parts, in order. None is empty.
  package private(set) var spans: [Span]

  /// Text that looks the same from its beginning to its end.
  package struct Span: Sendable, Equatable {
    /// The text; nothing in it is hidden or moves the rest.
    package var text: String
    /// What it is there for.
    package var role: Role
  }

  /// What a part of a line is there for.
  package enum Role: Sendable, CaseIterable {
    /// What most text is.
    case plain
    /// A name that begins something: a hook, a packet, a label.
    case strong
    /// What is there for those who look for it: times, the names of columns.
    case faint
    /// What is as was hoped for.
    case good
    /// What is not.
    case bad
    /// What is to be kept in mind about the rest.
    case caution
    /// A command for a shell: it is broken where the shell reads on, and nowhere else.
    case command
  }

  /// A line of this text, whoever wrote it.
  package init(_ text: String) { self.init(finished: Escape.text(text), .plain) }

  /// A line of nftrace's own words.
  package init(stringLiteral value: String) { self.init(finished: value, .plain) }

  /// A line with text of others.
  package init(stringInterpolation: StringInterpolation) { spans = stringInterpolation.line.spans }

  /// Text of anybody in one role.
  package init(_ text: String, _ role: Role) { self.init(finished: Escape.text(text), role) }

  private init(finished text: String, _ role: Role) {
    spans = text.isEmpty ? [] : [Span(text: text, role: role)]
  }

  /// What is put into a line: text of others, and what is a line already.
  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var line = StyledLine(finished: "", .plain)

    /// Nothing yet.
    package init(literalCapacity: Int, interpolationCount: Int) {}

    /// nftrace's own words.
    package mutating func appendLiteral(_ literal: String) {
      line += StyledLine(finished: literal, .plain)
    }

    /// A line.
    package mutating func appendInterpolation(_ line: StyledLine) { self.line += line }

    /// Text of others.
    package mutating func appendInterpolation(_ text: String) { line += text }

    /// Text of others.
    package mutating func appendInterpolation(_ text: some CustomStringConvertible) {
      line += text.description
    }
  }

  /// The text alone, without its roles and without its end.
  package var text: String { spans.reduce(into: "") { $0 += $1.text } }

  /// Whether nothing is in it.
  package var isEmpty: Bool { spans.isEmpty }

  /// One behind the other.
  package static func + (left: StyledLine, right: StyledLine) -> StyledLine {
    var line = left
    line += right
    return line
  }

  /// One behind the other.
  package static func + (left: StyledLine, right: String) -> StyledLine { left + StyledLine(right) }
  /// One behind the other.
  package static func + (left: String, right: StyledLine) -> StyledLine { StyledLine(left) + right }

  /// One behind the other.
  package static func += (left: inout StyledLine, right: StyledLine) {
    var rest = right.spans[...]
    // Most text is plain, and comes in many pieces.
    if left.spans.last?.role == .plain, let first = rest.first, first.role == .plain {
      left.spans[left.spans.count - 1].text += first.text
      rest = rest.dropFirst()
    }
    left.spans += rest
  }

  /// One behind the other.
  package static func += (left: inout StyledLine, right: String) { left += StyledLine(right) }

  /// For where a terminal has no other letters than those of ASCII: nftrace's own signs are spelled, what others wrote
  /// is written out.
  package var inASCII: StyledLine {
    guard spans.contains(where: { $0.text.utf8.contains { $0 >= 0x80 } }) else { return self }
    var line = self
    for index in line.spans.indices {
      line.spans[index].text = line.spans[index].text.unicodeScalars.reduce(into: "") {
        text, scalar in
        if scalar.isASCII {
          text.unicodeScalars.append(scalar)
        } else {
          text += Self.spelled[scalar] ?? Escape.written(scalar)
        }
      }
    }
    return line
  }

  private static let spelled: [Unicode.Scalar: String] = [
    "→": "->", "←": "<-", "✗": "x", "×": "x", "µ": "u", "≤": "<=", "…": "...", "–": "-", "—": "-",
  ]

  /// Without spaces at its end.
  var trimmed: StyledLine {
    var line = self
    while let last = line.spans.last?.text, last.hasSuffix(" ") {
      let rest = last.reversed().drop { $0 == " " }.reversed()
      line.spans.removeLast()
      if rest.isEmpty { continue }
      line.spans.append(Span(text: String(rest), role: spans[line.spans.count].role))
    }
    return line
  }

  /// The spaces of commands, by their number among all.
  private var commandSpaces: Set<Int> {
    var space = 0
    var found: Set<Int> = []
    for span in spans {
      let end = space + span.text.count { $0 == " " }
      if span.role == .command, end > space { found.formUnion(space + 1...end) }
      space = end
    }
    return found
  }

  /// A line that ends with a command, with that on as many lines as it takes; nil for others, and for what is broken
  /// already.
  private func brokenCommand(at width: Int) -> StyledLine? {
    guard let command = spans.last, command.role == .command, !command.text.hasPrefix(" "),
      !command.text.hasSuffix("\\"), !text.contains("\n"), TextLayout.columns(text) > width
    else { return nil }
    var line = self
    line.spans.removeLast()
    let lead = line.text
    let indent = TextLayout.space(min(lead.prefix { $0 == " " }.count + 2, width / 2))
    let lines = ShellWords.lines(
      command.text, width: width, behind: TextLayout.columns(lead), indent: indent)
    line.spans.append(Span(text: lines.joined(separator: "\n"), role: .command))
    return line
  }

  /// Where a line goes on below: behind a label, if there are columns, else two columns behind where it begins.
  private func hanging(_ width: Int) -> Int {
    let text = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)[0]
    var column = 0
    var spaces = 0
    var isLeading = true
    var best = text.prefix { $0 == " " }.count + 2
    for scalar in text.unicodeScalars {
      if scalar == " " {
        spaces += 1
      } else {
        if spaces > 1, !isLeading, column * 5 <= width * 2 { best = column }
        (spaces, isLeading) = (0, false)
      }
      column += CharacterWidth.columns(scalar)
    }
    return min(best, width / 2)
  }

  /// Broken between words, where it is wider than that: the lines after the first begin in the column of its text
  /// behind a label, else two columns behind where it does. A command goes on as a shell reads on.
  package func broken(at width: Int) -> StyledLine {
    guard !isEmpty else { return self }
    if let broken = brokenCommand(at: width) { return broken }
    let next = TextLayout.space(hanging(width))
    // The spaces at which a line ends, by their number.
    var ends: Set<Int> = []
    let commandSpaces = commandSpaces
    var column = 0
    var hasWord = false
    for (space, word) in text.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
      // A line may have others below it already.
      let parts = word.split(separator: "\n", omittingEmptySubsequences: false)
      let columns = TextLayout.columns(parts[0]) + (space > 0 ? 1 : 0)
      if hasWord, !word.isEmpty, column + columns > width, !commandSpaces.contains(space) {
        ends.insert(space)
        column = next.count + columns - 1
      } else {
        column += columns
      }
      if parts.count > 1 { column = TextLayout.columns(parts.last!) }
      hasWord = parts.count > 1 ? !parts.last!.isEmpty : hasWord || !word.isEmpty
    }
    if ends.isEmpty { return self }
    var line = self
    var space = 0
    for index in line.spans.indices {
      var text = ""
      for character in line.spans[index].text {
        if character == " " { space += 1 }
        if character == " ", ends.contains(space) {
          while text.last == " " { text.removeLast() }
          text += "\n" + next
        } else {
          text.append(character)
        }
      }
      line.spans[index].text = text
    }
    return line
  }
}
