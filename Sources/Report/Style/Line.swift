internal import Trace

/// A line of output. Its own words are literals; text that comes in, such as names, is written so that
/// it stays within the line and is seen. What nftrace paints has its colours from here alone.
package struct Line: Sendable, Equatable, ExpressibleByStringInterpolation {
  /// The line as a terminal takes it, without its end.
  package private(set) var text: String

  /// A line of this text, whoever wrote it.
  package init(_ text: String) { self.text = Escape.text(text) }

  /// A line of nftrace's own words.
  package init(stringLiteral value: String) { text = value }

  /// A line with text of others.
  package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

  private init(finished text: String) { self.text = text }

  /// Text in a colour.
  init(_ content: Line, in paint: TextStyle.Paint) {
    text = content.isEmpty ? "" : "\u{1b}[\(paint.rawValue)m\(content.text)\u{1b}[0m"
  }

  /// What is put into a line: text of others, and what is a line already.
  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    /// Nothing yet.
    package init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity)
    }

    /// nftrace's own words.
    package mutating func appendLiteral(_ literal: String) { text += literal }
    /// What is a line already.
    package mutating func appendInterpolation(_ line: Line) { text += line.text }
    /// Text of others, written out.
    package mutating func appendInterpolation(_ other: some CustomStringConvertible) {
      text += Escape.text(other.description)
    }
  }

  /// Whether there is nothing in it.
  package var isEmpty: Bool { text.isEmpty }

  /// One behind the other.
  package static func + (left: Line, right: Line) -> Line { Line(finished: left.text + right.text) }
  /// One behind the other.
  package static func + (left: Line, right: String) -> Line { left + Line(right) }
  /// One behind the other.
  package static func + (left: String, right: Line) -> Line { Line(left) + right }
  /// One behind the other.
  package static func += (left: inout Line, right: Line) { left.text += right.text }
  /// One behind the other.
  package static func += (left: inout Line, right: String) { left += Line(right) }

  /// Without spaces at its end.
  var trimmed: Line {
    Line(finished: String(text.reversed().drop { $0 == " " }.reversed()))
  }

  /// Broken between words: `next` is what the lines after the first begin with.
  func broken(at width: Int, next: String) -> Line {
    var broken = ""
    var column = 0
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      let length = Self.columns(of: word)
      if column > 0, column + 1 + length > width {
        broken += "\n" + next
        column = next.count
      } else if column > 0 || !broken.isEmpty {
        broken += " "
        column += 1
      }
      broken += word
      column += length
    }
    return Line(finished: broken)
  }

  /// How many columns a word takes: escape sequences, which end with an m, take none.
  private static func columns(of word: Substring) -> Int {
    var columns = 0
    var isEscape = false
    for character in word {
      if character == "\u{1b}" { isEscape = true }
      if !isEscape { columns += 1 }
      if character == "m" { isEscape = false }
    }
    return columns
  }
}
