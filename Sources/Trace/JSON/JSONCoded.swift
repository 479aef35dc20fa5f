internal import Wire

/// What is kept as JSON, and read back.
protocol JSONCoded {
  /// Reads the value; throws a fault for what is none.
  init(json: JSONValue) throws(JSONFault)
  /// The value as JSON.
  var asJSON: JSONValue { get }
}

extension String: JSONCoded {
  init(json: JSONValue) throws(JSONFault) {
    guard case .string(let text) = json else { throw .unfit("") }
    self = text
  }

  var asJSON: JSONValue { .string(self) }
}

extension Bool: JSONCoded {
  init(json: JSONValue) throws(JSONFault) {
    guard case .bool(let value) = json else { throw .unfit("") }
    self = value
  }

  var asJSON: JSONValue { .bool(self) }
}

extension JSONCoded where Self: FixedWidthInteger {
  init(json: JSONValue) throws(JSONFault) {
    let value: Self? =
      switch json {
      case .int(let number): Self(exactly: number)
      case .unsigned(let number): Self(exactly: number)
      default: nil
      }
    guard let value else { throw .unfit("") }
    self = value
  }

  var asJSON: JSONValue { Int(exactly: self).map { .int($0) } ?? .unsigned(UInt64(self)) }
}

extension Int: JSONCoded {}
extension Int32: JSONCoded {}
extension Int64: JSONCoded {}
extension UInt8: JSONCoded {}
extension UInt16: JSONCoded {}
extension UInt32: JSONCoded {}
extension UInt64: JSONCoded {}

extension Double: JSONCoded {
  init(json: JSONValue) throws(JSONFault) {
    switch json {
    case .int(let number): self = Double(number)
    case .unsigned(let number): self = Double(number)
    case .decimal(let digits):
      guard let number = Double(digits), number.isFinite else { throw .unfit("") }
      self = number
    default: throw .unfit("")
    }
  }

  /// With the digits that tell it from every other number. JSON has none that are infinite.
  var asJSON: JSONValue {
    if let whole = Int(exactly: self) { return .int(whole) }
    return isFinite ? .decimal("\(self)") : .null
  }
}

extension JSONCoded where Self: RawRepresentable, RawValue: JSONCoded {
  init(json: JSONValue) throws(JSONFault) {
    guard let value = Self(rawValue: try RawValue(json: json)) else { throw .unfit("") }
    self = value
  }

  var asJSON: JSONValue { rawValue.asJSON }
}

extension IPAddress: JSONCoded {
  init(json: JSONValue) throws(JSONFault) {
    guard let address = IPAddress(try String(json: json)) else { throw .unfit("") }
    self = address
  }

  var asJSON: JSONValue { .string("\(self)") }
}

extension Prefix: JSONCoded {
  init(json: JSONValue) throws(JSONFault) {
    guard let prefix = Prefix(try String(json: json)) else { throw .unfit("") }
    self = prefix
  }

  var asJSON: JSONValue { .string("\(self)") }
}

extension Array: JSONCoded where Element: JSONCoded {
  init(json: JSONValue) throws(JSONFault) {
    guard case .array(let values) = json else { throw .unfit("") }
    self = []
    reserveCapacity(values.count)
    for value in values { append(try Element(json: value)) }
  }

  var asJSON: JSONValue { .array(map { $0.asJSON }) }
}

/// As an object, its names in their order.
extension Dictionary: JSONCoded where Key: LosslessStringConvertible, Value: JSONCoded {
  init(json: JSONValue) throws(JSONFault) {
    guard case .object(let members) = json else { throw .unfit("") }
    self = [:]
    for (name, value) in members {
      guard let key = Key(name) else { throw .unfit(name) }
      self[key] = try Value(json: value)
    }
  }

  var asJSON: JSONValue {
    .object(map { ($0.key.description, $0.value.asJSON) }.sorted { $0.0 < $1.0 })
  }
}
