/// How wide letters are drawn where a picture has no letters of one width.
///
/// Who looks at it has a font of his own. These are the widths of DejaVu Sans, of all that the pictures ask for the
/// widest: in any other the text has room as well.
enum LetterWidth {
  /// Pixels of text in letters of this size, in pixels; bold where it is to stand out.
  static func pixels(_ text: String, size: Int, isBold: Bool = false) -> Int {
    let hundredths = text.unicodeScalars.reduce(0) { $0 + hundredth($1, isBold) }
    return (hundredths * size + 99) / 100
  }

  /// The width of a character, in hundredths of its size.
  private static func hundredth(_ scalar: Unicode.Scalar, _ isBold: Bool) -> Int {
    let place = Int(scalar.value) - 0x20
    if place >= 0, place < regular.count { return isBold ? bold[place] : regular[place] }
    switch CharacterWidth.columns(scalar) {
    case 0: return 0
    case 1: return scalar.value < 0x2000 ? 86 : 100
    default: return 104
    }
  }

  /// From the space to the tilde, as hmtx of DejaVuSans.ttf 2.37 has them.
  private static let regular = [
    32, 41, 46, 84, 64, 96, 78, 28, 40, 40, 50, 84, 32, 37, 32, 34, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 54, 100, 69, 69, 70, 78, 64,
    58, 78, 76, 30, 30, 66, 56, 87, 75, 79, 61, 79, 70, 64, 62, 74, 69, 99, 69,
    62, 69, 40, 34, 40, 84, 50, 50, 62, 64, 55, 64, 62, 36, 64, 64, 28, 28, 58,
    28, 98, 64, 62, 64, 64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84,
  ]

  /// The same of DejaVuSans-Bold.ttf.
  private static let bold = [
    35, 46, 53, 84, 70, 101, 88, 31, 46, 46, 53, 84, 38, 42, 38, 37, 70, 70, 70,
    70, 70, 70, 70, 70, 70, 70, 40, 40, 84, 84, 84, 59, 100, 78, 77, 74, 84, 69,
    69, 83, 84, 38, 38, 78, 64, 100, 84, 86, 74, 86, 78, 73, 69, 82, 78, 111, 78,
    73, 73, 46, 37, 46, 84, 50, 50, 68, 72, 60, 72, 68, 44, 72, 72, 35, 35, 67,
    35, 105, 72, 69, 72, 72, 50, 60, 48, 72, 66, 93, 65, 66, 59, 72, 37, 72, 84,
  ]
}
