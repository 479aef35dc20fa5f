internal import Trace
internal import Wire

/// The value of an attribute: `AnyValue` of
/// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/common/v1/common.proto
package enum OTLPValue: Sendable, Equatable {
  case string(String)
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case strings([String])

  var protobuf: ProtobufMessage {
    var message = ProtobufMessage()
    switch self {
    case .string(let text): message.add(1, text: text, isOfOneof: true)
    case .bool(let value): message.add(2, varint: value ? 1 : 0, isOfOneof: true)
    case .int(let number):
      message.add(3, varint: UInt64(bitPattern: number), isOfOneof: true)
    case .double(let number): message.add(4, double: number)
    case .strings(let texts):
      var array = ProtobufMessage()
      for text in texts { array.add(1, OTLPValue.string(text).protobuf) }
      message.add(5, array)
    }
    return message
  }

  /// In JSON, numbers of 64 bits are texts.
  var json: JSONValue {
    switch self {
    case .string(let text): .object([("stringValue", .string(text))])
    case .bool(let value): .object([("boolValue", .bool(value))])
    case .int(let number): .object([("intValue", .string("\(number)"))])
    case .double(let number): .object([("doubleValue", .decimal("\(number)"))])
    case .strings(let texts):
      .object([
        ("arrayValue", .object([("values", .array(texts.map { OTLPValue.string($0).json }))]))
      ])
    }
  }
}

/// Attributes, each name once, in the order in which they were set.
package struct OTLPAttributes: Sendable, Equatable {
  private var names: [String] = []
  private var values: [String: OTLPValue] = [:]

  /// None.
  package init() {}

  /// The value of an attribute; nil is none.
  package subscript(name name: String) -> OTLPValue? {
    get { values[name] }
    set {
      if newValue == nil { names.removeAll { $0 == name } }
      if values[name] == nil, newValue != nil { names.append(name) }
      values[name] = newValue
    }
  }

  /// Sets an attribute to a text, where there is one.
  mutating func set(_ name: String, _ text: String?) {
    if let text { self[name: name] = .string(text) }
  }

  /// Sets an attribute to a number, where there is one.
  mutating func set(_ name: String, _ number: (some BinaryInteger)?) {
    if let number { self[name: name] = .int(Int64(clamping: number)) }
  }

  /// Adds them as `KeyValue`s to a message.
  func add(to message: inout ProtobufMessage, as field: Int) {
    for name in names {
      var pair = ProtobufMessage()
      pair.add(1, text: name)
      pair.add(2, values[name]!.protobuf)
      message.add(field, pair)
    }
  }

  var json: JSONValue {
    .array(
      names.map { .object([("key", .string($0)), ("value", values[$0]!.json)]) })
  }
}
