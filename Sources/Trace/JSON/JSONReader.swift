/// Reads JSON, RFC 8259: nothing but that, to the end of the text, and nothing that would take more
/// memory than what nftrace writes itself.
struct JSONReader {
  private let octets: [UInt8]
  /// The next octet's place.
  private var position = 0
  private var depth = 0

  /// Arrays and objects within each other.
  static let mostDepth = 32
  /// Octets of a text.
  static let mostOctets = 1 << 24

  /// Reads this text, which must be one value.
  static func value(_ text: String) throws(JSONFault) -> JSONValue {
    var reader = JSONReader(octets: Array(text.utf8))
    guard reader.octets.count <= mostOctets else { throw reader.fault("too long a text") }
    let value = try reader.value()
    guard reader.position == reader.octets.count else {
      throw reader.fault("something follows the value")
    }
    return value
  }

  private init(octets: [UInt8]) { self.octets = octets }

  private func fault(_ reason: String, at offset: Int? = nil) -> JSONFault {
    .syntax(offset: offset ?? position, reason: reason)
  }

  private var next: UInt8? { position < octets.count ? octets[position] : nil }

  private mutating func skipSpace() {
    while let octet = next, [0x20, 0x09, 0x0a, 0x0d].contains(octet) { position += 1 }
  }

  /// Passes over this octet, if it comes next.
  private mutating func takes(_ octet: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: octet) else { return false }
    position += 1
    return true
  }

  private mutating func value() throws(JSONFault) -> JSONValue {
    skipSpace()
    defer { skipSpace() }
    switch next {
    case UInt8(ascii: "{"): return .object(try nested(Self.members))
    case UInt8(ascii: "["): return .array(try nested(Self.values))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case nil: throw fault("the text ends where a value should be")
    case let octet? where octet == UInt8(ascii: "-") || 0x30...0x39 ~= octet: return try number()
    default: throw fault("this begins no value")
    }
  }

  private mutating func literal(
    _ word: String, _ value: JSONValue
  ) throws(JSONFault) -> JSONValue {
    guard octets[position...].starts(with: word.utf8) else { throw fault("this begins no value") }
    position += word.utf8.count
    return value
  }

  // MARK: Arrays and objects

  private mutating func nested<Content>(
    _ read: (inout JSONReader) throws(JSONFault) -> Content
  ) throws(JSONFault) -> Content {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.mostDepth else { throw fault("too many values within each other") }
    position += 1
    skipSpace()
    return try read(&self)
  }

  private static func values(_ reader: inout JSONReader) throws(JSONFault) -> [JSONValue] {
    var values: [JSONValue] = []
    if reader.takes("]") { return values }
    repeat { values.append(try reader.value()) } while reader.takes(",")
    guard reader.takes("]") else { throw reader.fault("neither a comma nor the array's end") }
    return values
  }

  private static func members(
    _ reader: inout JSONReader
  ) throws(JSONFault) -> [(String, JSONValue)] {
    var members: [(String, JSONValue)] = []
    if reader.takes("}") { return members }
    var names: Set<String> = []
    repeat {
      reader.skipSpace()
      let start = reader.position
      guard reader.next == UInt8(ascii: "\"") else { throw reader.fault("no member's name") }
      let name = try reader.string()
      // RFC 8259 leaves open which of two is meant.
      guard names.insert(name).inserted else { throw reader.fault("a second \(name)", at: start) }
      reader.skipSpace()
      guard reader.takes(":") else { throw reader.fault("no colon behind a name") }
      members.append((name, try reader.value()))
    } while reader.takes(",")
    guard reader.takes("}") else { throw reader.fault("neither a comma nor the object's end") }
    return members
  }

  // MARK: Strings

  private mutating func string() throws(JSONFault) -> String {
    let start = position
    position += 1
    var text: [UInt8] = []
    while let octet = next {
      switch octet {
      case UInt8(ascii: "\""):
        position += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text += UTF8.encode(try escaped())!
      case ..<0x20: throw fault("a control character in a string")
      default:
        text.append(octet)
        position += 1
      }
    }
    throw fault("a string that does not end", at: start)
  }

  /// What a backslash and what is behind it stand for.
  private mutating func escaped() throws(JSONFault) -> Unicode.Scalar {
    let start = position
    position += 1
    guard let octet = next else { throw fault("a string that does not end", at: start) }
    position += 1
    switch octet {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(octet)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default: throw fault("an escape that JSON does not have", at: start)
    }
    let unit = try hexadecimal()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    // Beyond 16 bits there are two, as in UTF-16.
    guard UTF16.isLeadSurrogate(UInt16(unit)), takes("\\"), takes("u") else {
      throw fault("half a character", at: start)
    }
    let trail = try hexadecimal()
    guard UTF16.isTrailSurrogate(UInt16(trail)) else { throw fault("half a character", at: start) }
    return Unicode.Scalar(0x1_0000 + (unit & 0x3ff) << 10 + (trail & 0x3ff))!
  }

  private mutating func hexadecimal() throws(JSONFault) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = next.flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
        throw fault("no hexadecimal digit")
      }
      value = value << 4 + UInt32(digit)
      position += 1
    }
    return value
  }

  // MARK: Numbers

  private mutating func number() throws(JSONFault) -> JSONValue {
    let start = position
    _ = takes("-")
    if !takes("0") { try digits() }
    var isWhole = true
    if takes(".") {
      isWhole = false
      try digits()
    }
    if takes("e") || takes("E") {
      isWhole = false
      if !takes("+") { _ = takes("-") }
      try digits()
    }
    let text = String(decoding: octets[start..<position], as: UTF8.self)
    guard isWhole else { return .decimal(text) }
    return Int(text).map { .int($0) } ?? UInt64(text).map { .unsigned($0) } ?? .decimal(text)
  }

  private mutating func digits() throws(JSONFault) {
    let start = position
    while let octet = next, 0x30...0x39 ~= octet { position += 1 }
    if position == start { throw fault("no digit") }
  }
}

extension JSONValue {
  /// The value in this text; throws a fault with its offset for what is no JSON, is longer than 16 MiB
  /// or has more than 32 values within each other.
  package init(_ text: String) throws(JSONFault) { self = try JSONReader.value(text) }
}
