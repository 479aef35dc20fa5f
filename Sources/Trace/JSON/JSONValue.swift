internal import Wire

/// A JSON value whose objects keep the order of their keys, and whose nulls are written.
package enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int)
  /// A whole number that is too large for `int`.
  case unsigned(UInt64)
  /// Any other number, in the digits it was written with.
  case decimal(String)
  /// Written with one decimal: microseconds are not known better.
  case tenths(Double)
  case string(String)
  case array([JSONValue])
  case object([(String, JSONValue)])

  /// A string, or null.
  package static func string(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
  /// A number, or null.
  package static func int<T: BinaryInteger>(_ number: T?) -> JSONValue {
    number.map { .int(Int(clamping: $0)) } ?? .null
  }

  // The same of what there is most: of any type it takes many times as long.

  /// A port, or null.
  package static func int(_ number: UInt16?) -> JSONValue {
    guard let number else { return .null }
    return .int(Int(number))
  }

  /// An octet, or null.
  package static func int(_ number: UInt8?) -> JSONValue {
    guard let number else { return .null }
    return .int(Int(number))
  }

  /// A mark, or null.
  package static func int(_ number: UInt32?) -> JSONValue {
    guard let number else { return .null }
    return .int(Int(number))
  }

  /// A time, or null.
  package static func int(_ number: UInt64?) -> JSONValue {
    guard let number else { return .null }
    return .int(number < UInt64(Int.max) ? Int(number) : .max)
  }

  /// An array of strings.
  package static func strings(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

  /// Whether both are written the same.
  package static func == (left: JSONValue, right: JSONValue) -> Bool { left.line == right.line }

  /// The value on one line, RFC 8259.
  package var line: String { text(indent: nil) }

  /// The value over several lines, for people to read. `indent` is how many columns stand before each
  /// line but the first, and `lead` what stands before that.
  package func pretty(indent: Int = 0, behind lead: String = "") -> String {
    text(indent: indent, behind: lead)
  }

  private func text(indent: Int?, behind lead: String = "") -> String {
    var octets = Array(lead.utf8)
    write(to: &octets, indent: indent)
    return String(decoding: octets, as: UTF8.self)
  }

  /// Octets, not characters: packets are written by the ten thousand.
  private func write(to octets: inout [UInt8], indent: Int?) {
    switch self {
    case .null: octets += "null".utf8
    case .bool(let value): octets += (value ? "true" : "false").utf8
    case .int(let value):
      if value < 0 { octets.append(UInt8(ascii: "-")) }
      Self.write(UInt64(value.magnitude), to: &octets)
    case .unsigned(let value): Self.write(value, to: &octets)
    case .decimal(let digits): octets += digits.utf8
    case .tenths(let value): Self.write(tenthsOf: value, to: &octets)
    case .string(let value): Self.quote(value, to: &octets)
    case .array(let values):
      octets.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { octets.append(UInt8(ascii: ",")) }
        Self.endLine(&octets, indent.map { $0 + 2 })
        value.write(to: &octets, indent: indent.map { $0 + 2 })
      }
      if !values.isEmpty { Self.endLine(&octets, indent) }
      octets.append(UInt8(ascii: "]"))
    case .object(let members):
      // An object without nested values reads best on one line.
      let inner = members.contains { $0.1.isNested } ? indent : nil
      octets.append(UInt8(ascii: "{"))
      for (index, (key, value)) in members.enumerated() {
        if index > 0 {
          octets.append(UInt8(ascii: ","))
          if inner == nil, indent != nil { octets.append(UInt8(ascii: " ")) }
        }
        Self.endLine(&octets, inner.map { $0 + 2 })
        Self.quote(key, to: &octets)
        octets.append(UInt8(ascii: ":"))
        if indent != nil { octets.append(UInt8(ascii: " ")) }
        value.write(to: &octets, indent: inner.map { $0 + 2 })
      }
      if !members.isEmpty { Self.endLine(&octets, inner) }
      octets.append(UInt8(ascii: "}"))
    }
  }

  /// Whether it is an array or an object with something in it.
  private var isNested: Bool {
    switch self {
    case .array(let values): !values.isEmpty
    case .object(let members): !members.isEmpty
    default: false
    }
  }

  /// Begins another line, indented by so many columns; nil where all is on one line.
  private static func endLine(_ octets: inout [UInt8], _ indent: Int?) {
    guard let indent else { return }
    octets.append(UInt8(ascii: "\n"))
    for _ in 0..<indent { octets.append(UInt8(ascii: " ")) }
  }

  private static func write(tenthsOf value: Double, to octets: inout [UInt8]) {
    let scaled = Int(nearest: value * 10)
    let (whole, tenth) = scaled.magnitude.quotientAndRemainder(dividingBy: 10)
    if scaled < 0 { octets.append(UInt8(ascii: "-")) }
    write(UInt64(whole), to: &octets)
    octets.append(UInt8(ascii: "."))
    octets.append(UInt8(ascii: "0") + UInt8(tenth))
  }

  private static func write(_ number: UInt64, to octets: inout [UInt8]) {
    // The greatest has twenty digits.
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var (first, left) = (digits.count, number)
    repeat {
      first -= 1
      digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: left % 10)
      left /= 10
    } while left > 0
    for index in first..<digits.count { octets.append(digits[index]) }
  }

  private static func quote(_ value: String, to octets: inout [UInt8]) {
    let text = value.utf8Span.span
    if isPlain(text) {
      octets.append(addingCapacity: text.count + 2) { room in
        room.append(UInt8(ascii: "\""))
        for index in text.indices { room.append(text[index]) }
        room.append(UInt8(ascii: "\""))
      }
      return
    }
    octets.append(UInt8(ascii: "\""))
    escape(value, to: &octets)
    octets.append(UInt8(ascii: "\""))
  }

  /// Whether a text is written as it is.
  private static func isPlain(_ octets: Span<UInt8>) -> Bool {
    for index in octets.indices {
      let octet = octets[index]
      if octet < 0x20 || octet >= 0x7f || octet == UInt8(ascii: "\"")
        || octet == UInt8(ascii: "\\")
      {
        return false
      }
    }
    return true
  }

  /// What a terminal does not show, or obeys, is written in figures: it is the same text to a program
  /// that reads it, and whoever looks at it sees all there is.
  private static func escape(_ value: String, to octets: inout [UInt8]) {
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": octets += "\\\"".utf8
      case "\\": octets += "\\\\".utf8
      case "\n": octets += "\\n".utf8
      case "\t": octets += "\\t".utf8
      case "\r": octets += "\\r".utf8
      case _ where Escape.isHidden(scalar): octets += Escape.json(scalar).utf8
      default: octets += UTF8.encode(scalar)!
      }
    }
  }
}
