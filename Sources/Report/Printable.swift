/// Text for a terminal. Names of interfaces, chains and devices are anybody's choice, and a session
/// may come from anywhere: no control sequence in them may reach the terminal.
public enum Printable {
  /// `text` with control characters in caret notation, as cat -v(1) writes them. Line ends, tabs and
  /// nftrace's own colours stay.
  public static func clean(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var result = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.first {
      if let color = colors.first(where: { rest.starts(with: $0.unicodeScalars) }) {
        result += color.unicodeScalars
        rest = rest.dropFirst(color.unicodeScalars.count)
        continue
      }
      rest = rest.dropFirst()
      guard isControl(scalar) else {
        result.append(scalar)
        continue
      }
      result += (caret(scalar) ?? "?").unicodeScalars
    }
    return String(result)
  }

  private static let colors =
    ["\u{1b}[0m"] + TextStyle.Paint.allCases.map { "\u{1b}[\($0.rawValue)m" }

  /// C0 and C1 controls, and those that turn the direction of writing around.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0a: false
    case ..<0x20, 0x7f...0x9f, 0x202a...0x202e, 0x2066...0x2069: true
    default: false
    }
  }

  private static func caret(_ scalar: Unicode.Scalar) -> String? {
    guard scalar.isASCII else { return nil }
    return "^" + String(Unicode.Scalar(UInt8(scalar.value) ^ 0x40))
  }
}
