/// Where text goes that has so many columns: how wide it is, how it is broken, what is put beside it.
package enum TextLayout {
  /// So many spaces; none for a negative number.
  package static func space(_ count: Int) -> String {
    count > 0 ? String(repeating: " ", count: count) : ""
  }

  /// The columns that text takes on a terminal.
  package static func columns(_ text: some StringProtocol) -> Int {
    // A look at the octets is cheap, and enough for nearly all text.
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.unicodeScalars.reduce(0) { $0 + CharacterWidth.columns($1) }
  }

  /// Text with spaces behind it, up to this width; as it is where it is wider.
  package static func padded(_ text: String, to width: Int) -> String {
    text + space(width - columns(text))
  }

  /// Text with spaces, or what else `filler` is, before it, up to this width.
  package static func padded(from width: Int, _ text: String, with filler: Character = " ")
    -> String
  {
    String(repeating: filler, count: max(0, width - columns(text))) + text
  }

  /// Text on lines of at most `width` columns, broken between words, or what else `separator` parts;
  /// what is longer than that stays whole. The lines after the first begin with `hanging`.
  package static func wrapped(
    _ text: String, to width: Int, at separator: String = " ", hanging: String = ""
  ) -> [String] {
    guard columns(text) > width else { return [text] }
    var lines: [String] = []
    var line = ""
    var isEmpty = true
    // What of the separator stays at the end of a line.
    let end = separator.last == " " ? separator.dropLast() : separator[...]
    let parts = text.split(separator: separator)
    for (index, part) in parts.enumerated() {
      let room = index == parts.count - 1 ? width : width - columns(end)
      if isEmpty {
        line += part
      } else if columns(line) + columns(separator) + columns(part) > room {
        lines.append(line + end)
        line = hanging + part
      } else {
        line += separator + part
      }
      isEmpty = false
    }
    return lines + [line]
  }
}
