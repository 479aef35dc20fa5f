/// What nftrace found out by other means than messages of the kernel, kept in the session file as
/// JSON in the comment of a statistics block.
package enum Note: Sendable, Equatable {
  /// Counters of the namespace, cumulative: "IpInAddrErrors", "ct.drop", "eth0.tx_dropped".
  case counters([String: UInt64])
  /// Settings: "net.ipv4.ip_forward" and its value.
  case sysctls([String: String])
  /// A rule as its owner would write it.
  case rule(RuleText)
  /// What was found out of the namespace.
  case facts(Facts)
  /// What this host has, besides netfilter and routing.
  case host(HostState)
  /// A probe could not be sent: its number and the errno.
  case notSent(Int, Int32)
  /// The machine's clock was set, or it slept: by how many nanoseconds it is ahead now of the clock that
  /// times in this session go by. That one goes on evenly from where the machine's was when nftrace began.
  case clockSet(Int64)
  /// The clock of this place is ahead by so many nanoseconds of the one that times in this session go by, which is another
  /// machine's; and the kernel's stamps there by so many more, for somebody has moved the times of its session. By how much
  /// is known up to so many.
  case clockAhead(Int64, stamps: Int64 = 0, doubt: Int64 = 0)
  /// What came of a remedy in a copy of the network namespace.
  case rehearsed(RemedyTrial)
  /// What was found in copies for the probe of this number, which nothing is known to help.
  case searched(Int, ChangesFound)
  /// A recorder wrote its last.
  case ended(RecordingEnd)
  /// A machine on which the probes were to be watched is missing from here on, or from the beginning: its name, and why.
  case missing(String, String)
  /// Between two nftraces, and in no file.
  case message(PlaceMessage)

  /// The note as JSON text.
  package var json: String { asJSON.line }

  /// The note in JSON text; nil when it is none.
  package init?(json: String) {
    guard let value = try? JSONValue(json), let note = try? Note(json: value) else { return nil }
    self = note
  }
}

/// An object of one member, the name of the case; in it the case's values are "_0", "_1".
extension Note: JSONCoded {
  init(json: JSONValue) throws(JSONFault) {
    guard case .object(let members) = json, members.count == 1,
      case (let name, .object(let values)) = members[0]
    else { throw .unfit("") }
    func value<Value: JSONCoded>(_ place: Int = 0) throws(JSONFault) -> Value {
      guard let json = values.first(where: { $0.0 == "_\(place)" })?.1 else {
        throw .missing("_\(place)")
      }
      return try Value(json: json)
    }
    switch name {
    case "counters": self = .counters(try value())
    case "sysctls": self = .sysctls(try value())
    case "rule": self = .rule(try value())
    case "facts": self = .facts(try value())
    case "host": self = .host(try value())
    case "notSent": self = .notSent(try value(0), try value(1))
    case "clockSet": self = .clockSet(try value())
    case "clockAhead":
      self = .clockAhead(try value(0), stamps: try value(1), doubt: try value(2))
    case "rehearsed": self = .rehearsed(try value())
    case "searched": self = .searched(try value(0), try value(1))
    case "ended": self = .ended(try value())
    case "missing": self = .missing(try value(0), try value(1))
    case "message": self = .message(try value())
    default: throw .unfit(name)
    }
  }

  var asJSON: JSONValue {
    switch self {
    case .counters(let counters): Self.named("counters", counters.asJSON)
    case .sysctls(let settings): Self.named("sysctls", settings.asJSON)
    case .rule(let rule): Self.named("rule", rule.asJSON)
    case .facts(let facts): Self.named("facts", facts.asJSON)
    case .host(let host): Self.named("host", host.asJSON)
    case .notSent(let probe, let errno): Self.named("notSent", probe.asJSON, errno.asJSON)
    case .clockSet(let step): Self.named("clockSet", step.asJSON)
    case .clockAhead(let ahead, let stamps, let doubt):
      Self.named("clockAhead", ahead.asJSON, stamps.asJSON, doubt.asJSON)
    case .rehearsed(let trial): Self.named("rehearsed", trial.asJSON)
    case .searched(let probe, let found):
      Self.named("searched", probe.asJSON, found.asJSON)
    case .ended(let end): Self.named("ended", end.asJSON)
    case .missing(let machine, let why): Self.named("missing", machine.asJSON, why.asJSON)
    case .message(let message): Self.named("message", message.asJSON)
    }
  }

  private static func named(_ name: String, _ values: JSONValue...) -> JSONValue {
    .object([(name, .object(values.enumerated().map { ("_\($0.offset)", $0.element) }))])
  }
}
