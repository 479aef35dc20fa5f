internal import Trace

/// Text for a terminal: the second wall. What others wrote was written out when it entered its line;
/// should something have been forgotten, no control sequence of it reaches the terminal.
package enum TerminalSafe {
  /// `text` with what is not seen, or moves what is, written out. Line ends, tabs and nftrace's own
  /// colours stay.
  package static func clean(_ text: String) -> String {
    // A look at the octets is cheap, and enough for nearly all text.
    guard text.utf8.contains(where: { $0 >= 0x7f || $0 < 0x20 && $0 != 0x0a }) else { return text }
    var result = ""
    var rest = text.unicodeScalars[...]
    while let index = rest.firstIndex(where: isRefused) {
      result += Substring(rest[..<index])
      rest = rest[index...]
      let color = ANSI.sequences.first { rest.starts(with: $0.unicodeScalars) }
      result += color ?? Escape.written(rest.first!)
      rest = rest.dropFirst(color?.unicodeScalars.count ?? 1)
    }
    return result + Substring(rest)
  }

  private static func isRefused(_ scalar: Unicode.Scalar) -> Bool {
    scalar != "\n" && scalar != "\t" && Escape.isHidden(scalar)
  }
}
