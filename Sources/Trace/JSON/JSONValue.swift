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

  /// An array of strings.
  package static func strings(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

  /// Whether both are written the same.
  package static func == (left: JSONValue, right: JSONValue) -> Bool { left.line == right.line }

  /// The value on one line, RFC 8259.
  package var line: String { text(indent: nil) }

  /// The value over several lines, for people to read. `indent` is how many columns stand before each
  /// line but the first.
  package func pretty(indent: Int = 0) -> String { text(indent: indent) }

  private func text(indent: Int?) -> String {
    var octets: [UInt8] = []
    write(to: &octets, indent: indent)
    return String(decoding: octets, as: UTF8.self)
  }

  /// Octets, not characters: packets are written by the ten thousand.
  private func write(to octets: inout [UInt8], indent: Int?) {
    switch self {
    case .null: octets += "null".utf8
    case .bool(let value): octets += (value ? "true" : "false").utf8
    case .int(let value): octets += "\(value)".utf8
    case .unsigned(let value): octets += "\(value)".utf8
    case .decimal(let digits): octets += digits.utf8
    case .tenths(let value): octets += Self.tenths(value).utf8
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
        if index > 0 { octets += (inner == nil && indent != nil ? ", " : ",").utf8 }
        Self.endLine(&octets, inner.map { $0 + 2 })
        Self.quote(key, to: &octets)
        octets += (indent == nil ? ":" : ": ").utf8
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

  private static func tenths(_ value: Double) -> String {
    let scaled = Int(nearest: value * 10)
    let (whole, tenth) = scaled.magnitude.quotientAndRemainder(dividingBy: 10)
    return "\(scaled < 0 ? "-" : "")\(whole).\(tenth)"
  }

  private static func quote(_ value: String, to octets: inout [UInt8]) {
    octets.append(UInt8(ascii: "\""))
    let isPlain = value.utf8.allSatisfy {
      $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
    }
    if isPlain { octets += value.utf8 } else { escape(value, to: &octets) }
    octets.append(UInt8(ascii: "\""))
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
