import Foundation

/// A JSON schema, as far as docs/nftrace-1.schema.json makes use of the language: type, const, enum, anyOf,
/// $ref, items, properties, required.
///
/// Members that the schema does not name are faults here: readers of JSON have to bear new ones, but a new
/// one has to be written down.
package struct JSONSchema: Sendable {
  private let whole: Value

  /// What scripts may rely on.
  package static let nftrace = JSONSchema(
    at: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "docs/nftrace-1.schema.json"))

  init(at file: URL) {
    whole = (try? Data(contentsOf: file)).flatMap { try? Value($0) } ?? .null
  }

  /// What is wrong with an object; empty if nothing is.
  package func faults(in text: String) -> [String] { faults(text, whole) }

  /// The same of a journey, as `show --follow --json` says one a line.
  package func faults(inJourney text: String) -> [String] {
    faults(text, .object(["$ref": .string("#/$defs/journey")]))
  }

  private func faults(_ text: String, _ schema: Value) -> [String] {
    guard whole != .null else { return ["there is no schema"] }
    guard let value = try? Value(Data(text.utf8)) else {
      return ["it is no JSON: \(text.prefix(80))"]
    }
    return faults(value, schema, at: "$")
  }

  private func faults(_ value: Value, _ schema: Value, at path: String) -> [String] {
    if case .string(let reference)? = schema["$ref"] {
      guard let name = reference.split(separator: "/").last,
        let target = whole["$defs"]?[String(name)]
      else { return ["\(path): the schema has no \(reference)"] }
      return faults(value, target, at: path)
    }
    if case .array(let choices)? = schema["anyOf"] {
      // That which fits best tells most.
      return choices.map { faults(value, $0, at: path) }.min { $0.count < $1.count } ?? []
    }
    if let constant = schema["const"], value != constant { return ["\(path): is not \(constant)"] }
    if case .array(let values)? = schema["enum"] {
      return values.contains(value) ? [] : ["\(path): \(value) is none of \(values)"]
    }
    let types =
      switch schema["type"] {
      case .string(let name)?: [name]
      case .array(let names)?: names.compactMap(\.text)
      default: [String]()
      }
    guard types.isEmpty || types.contains(where: value.isOf) else {
      return ["\(path): \(value) is no \(types.joined(separator: " or "))"]
    }
    if case .array(let values) = value, let items = schema["items"] {
      return values.enumerated().flatMap { faults($0.element, items, at: "\(path)[\($0.offset)]") }
    }
    guard case .object(let members) = value, let properties = schema["properties"] else {
      return []
    }
    var required: [String] = []
    if case .array(let names)? = schema["required"] { required = names.compactMap(\.text) }
    return required.filter { members[$0] == nil }.map { "\(path): there is no \($0)" }
      + members.sorted { $0.key < $1.key }.flatMap { name, member in
        properties[name].map { faults(member, $0, at: "\(path).\(name)") }
          ?? ["\(path): \(name) is not in the schema"]
      }
  }
}

/// A JSON value.
private enum Value: Decodable, Equatable, Sendable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([Value])
  case object([String: Value])

  init(_ data: Data) throws { self = try JSONDecoder().decode(Value.self, from: data) }

  init(from decoder: any Decoder) throws {
    let one = try decoder.singleValueContainer()
    if one.decodeNil() {
      self = .null
    } else if let value = try? one.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? one.decode(Double.self) {
      self = .number(value)
    } else if let value = try? one.decode(String.self) {
      self = .string(value)
    } else if let value = try? one.decode([Value].self) {
      self = .array(value)
    } else {
      self = .object(try one.decode([String: Value].self))
    }
  }

  subscript(_ name: String) -> Value? {
    if case .object(let members) = self { members[name] } else { nil }
  }

  var text: String? { if case .string(let text) = self { text } else { nil } }

  /// Whether it is of a type that the language of schemas has.
  func isOf(_ type: String) -> Bool {
    switch self {
    case .null: type == "null"
    case .bool: type == "boolean"
    case .number(let value): type == "number" || type == "integer" && value.rounded() == value
    case .string: type == "string"
    case .array: type == "array"
    case .object: type == "object"
    }
  }
}
