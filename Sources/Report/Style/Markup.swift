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
      let words = breakable(escaped(span.text))
      guard let name = name(span.role) else { return text += words }
      text += "<span class=\"\(name)\">\(words)</span>"
    }
  }

  /// A command or a rule in HTML's words: a browser breaks it between words, and not behind hyphens.
  static func code(_ line: StyledLine) -> String {
    escaped(line.text).split(separator: " ", omittingEmptySubsequences: false).map { word in
      word.contains("-") && word.count <= longWord ? whole(word) : breakable(String(word))
    }.joined(separator: " ")
  }

  /// Escaped text whose long words, such as addresses of IPv6, are broken between their parts where they have to be.
  private static func breakable(_ text: String) -> String {
    guard text.utf8.count > longWord else { return text }
    return text.split(separator: " ", omittingEmptySubsequences: false).map { word in
      guard word.count > longWord else { return String(word) }
      let parts = word.reduce(into: "") { text, character in
        text.append(character)
        if ":_/.".contains(character) { text += "<wbr>" }
      }
      return whole(parts[...])
    }.joined(separator: " ")
  }

  /// A word that goes to the next line as it is, if there is room for it.
  private static func whole(_ word: Substring) -> String {
    "<span class=\"word\">\(word)</span>"
  }

  /// Letters of a word that has no room on a phone, where letters are large.
  private static let longWord = 24

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
