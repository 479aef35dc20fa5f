/// What is kept as a JSON object. Its members are named once, for reading and for writing.
protocol JSONObject: JSONCoded {
  /// A value to read into.
  static var blank: Self { get }

  /// Hands each member to `json`, in the order in which they are written.
  mutating func members(_ json: inout JSONMembers)
}

extension JSONObject {
  init(json: JSONValue) throws(JSONFault) {
    guard case .object(let members) = json else { throw .unfit("") }
    var reading = JSONMembers(reading: members)
    self = .blank
    self.members(&reading)
    if let fault = reading.fault { throw fault }
  }

  var asJSON: JSONValue {
    var writing = JSONMembers()
    var copy = self
    copy.members(&writing)
    return .object(writing.written)
  }

  /// The value in JSON text; nil when it is none.
  init?(text: String) {
    guard let json = try? JSONValue(text), let value = try? Self(json: json) else { return nil }
    self = value
  }
}

/// The members of an object, as they are read or written.
struct JSONMembers {
  /// What is read; nil where the object is written.
  private let source: [(String, JSONValue)]?
  /// What was written so far.
  private(set) var written: [(String, JSONValue)] = []
  /// The first thing that was wrong with what is read.
  private(set) var fault: JSONFault?

  /// For writing.
  init() { source = nil }

  /// For reading these. Those that nobody asks for may be a later version's.
  init(reading source: [(String, JSONValue)]) { self.source = source }

  /// A member that is always there.
  mutating func member<Value: JSONCoded>(_ name: String, _ value: inout Value) {
    guard let source else {
      written.append((name, value.asJSON))
      return
    }
    guard let json = source.first(where: { $0.0 == name })?.1 else {
      fault = fault ?? .missing(name)
      return
    }
    if let read: Value = self.read(name, json) { value = read }
  }

  /// A member that is left out, or null, where there is no value.
  mutating func member<Value: JSONCoded>(_ name: String, _ value: inout Value?) {
    guard let source else {
      if let value { written.append((name, value.asJSON)) }
      return
    }
    guard let json = source.first(where: { $0.0 == name })?.1 else { return }
    if case .null = json { return }
    value = read(name, json)
  }

  private mutating func read<Value: JSONCoded>(_ name: String, _ json: JSONValue) -> Value? {
    do throws(JSONFault) {
      return try Value(json: json)
    } catch {
      fault = fault ?? error.named(name)
      return nil
    }
  }
}

extension JSONFault {
  /// With the name of the member it was found in, where no inner one is known.
  fileprivate func named(_ name: String) -> JSONFault { self == .unfit("") ? .unfit(name) : self }
}
