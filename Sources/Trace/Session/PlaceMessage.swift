/// What two nftraces tell each other over a connection besides records of a session: the one that sends probes, and one
/// that watches them on another machine. It is in no file.
package enum PlaceMessage: Sendable, Equatable {
  /// All is watched: what comes from here on is told.
  case ready
  /// What time is it? The answer has the same number, and its record the time.
  case clock(Int)
  /// A probe is over: what became of it there? Whether it was answered.
  case asked(Int, isAnswered: Bool)
  /// All is told of that probe.
  case answered(Int)
}

extension PlaceMessage: JSONCoded {
  init(json: JSONValue) throws(JSONFault) {
    guard case .array(let words) = json, case .string(let name)? = words.first else {
      throw .unfit("")
    }
    func number() throws(JSONFault) -> Int {
      guard words.count > 1 else { throw .missing("1") }
      return try Int(json: words[1])
    }
    switch name {
    case "ready": self = .ready
    case "clock": self = .clock(try number())
    case "asked":
      self = .asked(try number(), isAnswered: words.count > 2 && words[2] == .bool(true))
    case "answered": self = .answered(try number())
    default: throw .unfit(name)
    }
  }

  var asJSON: JSONValue {
    switch self {
    case .ready: .array([.string("ready")])
    case .clock(let number): .array([.string("clock"), .int(number)])
    case .asked(let sequence, let isAnswered):
      .array([.string("asked"), .int(sequence), .bool(isAnswered)])
    case .answered(let sequence): .array([.string("answered"), .int(sequence)])
    }
  }
}
