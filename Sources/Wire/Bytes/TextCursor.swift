/// A place in the octets of a line of text. Reading what is not there returns nil and moves nothing.
struct TextCursor {
  private let text: ArraySlice<UInt8>
  /// The next octet, as an index of the slice.
  private(set) var position: Int

  init(_ text: ArraySlice<UInt8>) {
    self.text = text
    position = text.startIndex
  }

  /// What was not read yet.
  var rest: ArraySlice<UInt8> { text[position...] }
  /// Octets that were read.
  var offset: Int { position - text.startIndex }
  var isAtEnd: Bool { position == text.endIndex }
  /// The next octet.
  var next: UInt8? { isAtEnd ? nil : text[position] }

  /// Reads exactly these characters.
  mutating func skip(_ literal: StaticString) -> Bool {
    var index = position
    for octet in "\(literal)".utf8 {
      guard index < text.endIndex, text[index] == octet else { return false }
      index += 1
    }
    position = index
    return true
  }

  /// Reads any number of spaces.
  mutating func skipSpaces() {
    while next == UInt8(ascii: " ") { position += 1 }
  }

  /// Reads so many octets, or as many as there are.
  mutating func skip(_ count: Int) { position = min(position + count, text.endIndex) }

  /// Reads up to `end`, and `end` as well; nil if it does not come.
  mutating func upTo(_ end: Character) -> ArraySlice<UInt8>? {
    guard let octet = end.asciiValue, let index = rest.firstIndex(of: octet) else { return nil }
    defer { position = index + 1 }
    return text[position..<index]
  }

  /// Reads a word: up to the next space or the end. Empty if there is a space here.
  mutating func word() -> ArraySlice<UInt8> {
    let end = rest.firstIndex(of: UInt8(ascii: " ")) ?? text.endIndex
    defer { position = end }
    return text[position..<end]
  }

  /// Reads a decimal number; nil if there is none or it is too large.
  mutating func number() -> UInt64? {
    var index = position
    while index < text.endIndex, 0x30...0x39 ~= text[index] { index += 1 }
    guard let value = UInt64(decimal: text[position..<index]) else { return nil }
    position = index
    return value
  }

  /// Reads the digits behind a decimal point or comma as nanoseconds: "123456" is 123456000.
  mutating func fraction() -> UInt64? {
    let start = position
    guard let digits = number() else { return nil }
    let count = position - start
    guard count <= 9 else { return nil }
    return (count..<9).reduce(digits) { value, _ in value * 10 }
  }
}

extension FixedWidthInteger {
  /// The number that decimal digits make; nil if anything else is among them, if there are none, or
  /// if it does not fit.
  init?(decimal digits: ArraySlice<UInt8>) {
    guard !digits.isEmpty else { return nil }
    var value: Self = 0
    for digit in digits {
      guard 0x30...0x39 ~= digit else { return nil }
      let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = shifted.addingReportingOverflow(Self(digit - 0x30))
      guard !overflow, !carry else { return nil }
      value = sum
    }
    self = value
  }

  /// The number that hexadecimal digits make, as above.
  init?(hexadecimal digits: ArraySlice<UInt8>) {
    guard let first = digits.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "+"),
      let value = Self(String(decoding: digits, as: UTF8.self), radix: 16)
    else { return nil }
    self = value
  }
}
