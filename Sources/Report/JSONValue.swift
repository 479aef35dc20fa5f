/// A JSON value whose objects keep the order of their keys, and whose nulls are written.
public indirect enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int)
  /// Written with one decimal: microseconds are not known better.
  case tenths(Double)
  case string(String)
  case array([JSONValue])
  case object([(String, JSONValue)])

  /// A string, or null.
  public static func string(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
  /// A number, or null.
  public static func int<T: BinaryInteger>(_ number: T?) -> JSONValue {
    number.map { .int(Int($0)) } ?? .null
  }

  /// Whether both are written the same.
  public static func == (left: JSONValue, right: JSONValue) -> Bool { left.line == right.line }

  /// The value on one line, RFC 8259.
  public var line: String {
    var text = ""
    write(to: &text, indent: nil)
    return text
  }

  /// The value over several lines, for people to read.
  public var pretty: String {
    var text = ""
    write(to: &text, indent: 0)
    return text
  }

  private func write(to text: inout String, indent: Int?) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .int(let value): text += "\(value)"
    case .tenths(let value): text += Self.tenths(value)
    case .string(let value): Self.quote(value, to: &text)
    case .array(let values):
      Self.list(
        values.map { value in { value.write(to: &$0, indent: $1) } }, "[", "]", &text, indent)
    case .object(let members):
      // An object without nested values reads best on one line.
      let inner = members.contains { $0.1.isNested } ? indent : nil
      Self.list(
        members.map { key, value in
          {
            Self.quote(key, to: &$0)
            $0 += inner == nil && indent == nil ? ":" : ": "
            value.write(to: &$0, indent: $1)
          }
        }, "{", "}", &text, inner, spaced: indent != nil)
    }
  }

  private var isNested: Bool {
    switch self {
    case .array(let values): !values.isEmpty
    case .object(let members): !members.isEmpty
    default: false
    }
  }

  private static func list(
    _ writers: [(inout String, Int?) -> Void], _ open: String, _ close: String,
    _ text: inout String, _ indent: Int?, spaced: Bool = false
  ) {
    text += open
    for (index, writer) in writers.enumerated() {
      if index > 0 { text += indent == nil && spaced ? ", " : "," }
      if let indent { text += "\n" + String(repeating: " ", count: indent + 2) }
      writer(&text, indent.map { $0 + 2 })
    }
    if let indent, !writers.isEmpty { text += "\n" + String(repeating: " ", count: indent) }
    text += close
  }

  private static func tenths(_ value: Double) -> String {
    let scaled = Int((value * 10).rounded())
    return "\(scaled < 0 ? "-" : "")\(abs(scaled) / 10).\(abs(scaled) % 10)"
  }

  private static func quote(_ value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      case "\u{0}"..<" ":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
