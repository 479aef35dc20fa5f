/// Text within HTML and SVG.
enum Markup {
  /// `text` as text, whatever it has of markup.
  static func escaped(_ text: String) -> String {
    // A look at the octets is cheap, and enough for nearly all text.
    guard text.utf8.contains(where: { $0 == 0x26 || $0 == 0x3c || $0 == 0x3e || $0 == 0x22 }) else {
      return text
    }
    return text.unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.unicodeScalars.append(scalar)
      }
    }
  }

  /// A line in HTML's words: roles become classes.
  static func html(_ line: StyledLine) -> String {
    line.spans.reduce(into: "") { text, span in
      guard let name = name(span.role) else { return text += escaped(span.text) }
      text += "<span class=\"\(name)\">\(escaped(span.text))</span>"
    }
  }

  /// The class of a role, which style sheets have.
  private static func name(_ role: StyledLine.Role) -> String? {
    switch role {
    case .plain, .command: nil
    case .strong: "strong"
    case .faint: "faint"
    case .bad: "bad"
    case .good: "good"
    case .caution: "caution"
    }
  }
}
