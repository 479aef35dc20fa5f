/// Lines as a terminal takes them: ECMA-48, "Control Functions for Coded Character Sets", section
/// 8.3.117, Select Graphic Rendition.
package enum ANSI {
  /// The text of a line, with its roles as colours if they are wanted.
  package static func text(_ line: StyledLine, color: Bool) -> String {
    guard color else { return line.text }
    return line.spans.reduce(into: "") { text, span in
      if let begin = begin(span.role) {
        text += begin + span.text + end
      } else {
        text += span.text
      }
    }
  }

  /// The control sequences that it writes.
  static let sequences = [end] + StyledLine.Role.allCases.compactMap(begin)

  private static let end = "\u{1b}[0m"

  private static func begin(_ role: StyledLine.Role) -> String? {
    switch role {
    case .plain, .command: nil
    case .strong: "\u{1b}[1m"
    case .faint: "\u{1b}[2m"
    case .bad: "\u{1b}[31m"
    case .good: "\u{1b}[32m"
    case .caution: "\u{1b}[33m"
    }
  }
}
