internal import Wire

/// Text of others as text: names, comments, rules and messages may hold any octets, and none of them
/// may begin a line, colour it, turn it around or be unseen in it.
package enum Escape {
  /// `text` with all that cannot be seen, or moves what can, written out: "\n", "\x1b", "\u{202e}".
  /// What was written out already stays as it is.
  package static func text(_ text: String) -> String {
    // A look at the octets is cheap, and enough for nearly all text.
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
    var marks = MarkCount()
    // Of what is left, most is nftrace's own: arrows and the like.
    if !text.unicodeScalars.contains(where: { isHidden($0) || marks.isOneTooMany($0) }) {
      return text
    }
    marks = MarkCount()
    var result = ""
    for scalar in text.unicodeScalars {
      if isHidden(scalar) || marks.isOneTooMany(scalar) {
        result += written(scalar)
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Marks that combine with the character before them: more than a few on one cover the lines around,
  /// and one without a character would stand on what is nftrace's.
  private struct MarkCount {
    private var free = 0
    /// More has no character that people write.
    private static let most = 3

    /// Whether this scalar, the next one of a text, is a mark that has no place.
    mutating func isOneTooMany(_ scalar: Unicode.Scalar) -> Bool {
      guard scalar.value >= 0x300 else {
        free = Self.most
        return false
      }
      switch scalar.properties.generalCategory {
      case .nonspacingMark, .enclosingMark:
        free -= 1
        return free < 0
      default:
        free = Self.most
        return false
      }
    }
  }

  /// A name within a sentence: one word, in quotes unless there is nothing peculiar about it. It can
  /// neither be broken over two lines nor be taken for a part of the sentence.
  package static func name(_ name: String) -> String {
    if !name.isEmpty, name.utf8.allSatisfy(isPlain) { return name }
    var result = "\""
    var marks = MarkCount()
    for scalar in name.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case " ": result += "\\x20"
      case _ where isHidden(scalar) || marks.isOneTooMany(scalar): result += written(scalar)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static func isPlain(_ octet: UInt8) -> Bool {
    switch octet {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    default: plainSigns.contains(octet)
    }
  }

  private static let plainSigns = Array("_-./:@+=%".utf8)

  /// Whether a reader does not see that it is there, or sees other text in another place for it:
  /// controls, format characters such as those of writing direction, line separators, spaces that are
  /// none, and what Unicode has for private use.
  package static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    // Letters of Latin, and arrows, signs and boxes, which are frequent.
    case 0x20..<0x7f, 0xa1..<0xad, 0xae..<0x300, 0x2190..<0x2800: return false
    // The last is a pattern without points (Braille).
    case ..<0xa0, 0x2800: return true
    default: break
    }
    let properties = scalar.properties
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .privateUse,
      .surrogate:
      return true
    default: return properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint
    }
  }

  /// A character in figures.
  package static func written(_ scalar: Unicode.Scalar) -> String {
    switch scalar.value {
    case 0x09: "\\t"
    case 0x0a: "\\n"
    case 0x0d: "\\r"
    case ..<0x100: "\\x" + hex(scalar.value, digits: 2)
    // An octet that is no part of a character.
    case String.octetScalars: "\\x" + hex(scalar.value & 0xff, digits: 2)
    default: "\\u{\(String(scalar.value, radix: 16))}"
    }
  }

  /// A character in JSON's figures, RFC 8259 section 7: those beyond 16 bits are two of UTF-16.
  static func json(_ scalar: Unicode.Scalar) -> String {
    UTF16.encode(scalar)!.map { "\\u" + hex(UInt32($0), digits: 4) }.joined()
  }

  private static func hex(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
