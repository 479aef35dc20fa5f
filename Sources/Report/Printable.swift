/// Text for a terminal. Names of interfaces, chains and devices are anybody's choice, and a session
/// may come from anywhere: no control sequence in them may reach the terminal.
public enum Printable {
  /// `text` with control characters in caret notation, as cat -v(1) writes them. Line ends, tabs and
  /// nftrace's own colours stay.
  public static func clean(_ text: String) -> String {
    // A look at the octets is cheap, and enough for nearly all text.
    guard text.utf8.contains(where: mayBeginControl) else { return text }
    var result = ""
    var rest = text.unicodeScalars[...]
    while let index = rest.firstIndex(where: isControl) {
      result += Substring(rest[..<index])
      rest = rest[index...]
      let color = colors.first { rest.starts(with: $0.unicodeScalars) }
      result += color ?? caret(rest.first!) ?? "?"
      rest = rest.dropFirst(color?.unicodeScalars.count ?? 1)
    }
    return result + Substring(rest)
  }

  /// Whether what begins with this octet in UTF-8 may be what `isControl` says.
  private static func mayBeginControl(_ octet: UInt8) -> Bool {
    switch octet {
    case 0x09, 0x0a: false
    case ..<0x20, 0x7f, 0xc2, 0xe2: true
    default: false
    }
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
