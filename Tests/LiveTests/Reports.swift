import FoundationEssentials

/// nftrace's JSON as INTERFACE.md describes it: what a script would read, written down once more.
struct RunReport: Decodable, Equatable {
  var schema: String
  var command: String
  var session: String?
  var probes: [ProbeReport]?
  var journeys: [JourneyReport]?
  var events: Events

  struct Events: Decodable, Equatable {
    var nflog: Int
    var trace: Int
    var conntrack: Int
    var lost: Int
  }

  /// The object a command printed.
  init(_ outcome: Outcome) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    self = try decoder.decode(RunReport.self, from: Data(outcome.output.utf8))
  }
}

struct ProbeReport: Decodable, Equatable {
  var sequence: Int
  var outcome: String
  var rttUs: Double?
  var entrance: String
  var journeys: [JourneyReport]
}

struct JourneyReport: Decodable, Equatable {
  var id: Int
  var direction: String
  var packet: PacketReport
  var hops: [HopReport]
  var end: End

  struct PacketReport: Decodable, Equatable {
    var family: Int
    var `protocol`: String
    var source: String
    var destination: String
    var icmpId: Int?
    var ttl: Int
    var length: Int
  }

  struct End: Decodable, Equatable {
    var kind: String
    var hook: String?
    var out: String?
  }

  /// The journey as lines to compare: hops at which nothing is different share one.
  ///
  ///     request
  ///     prerouting entry defrag raw | tun0 | | 64 | 192.168.69.1 | 119.29.29.29
  ///     forward entry mangle | tun0 | eth0 | 63 | 192.168.69.1 | 119.29.29.29 | ttl 64>63 forwarding
  ///     transmitted egress eth0
  var walk: [String] {
    var lines = [direction]
    var last: (hook: String, state: String) = ("", "")
    for hop in hops {
      // Which id an echo is given depends on who else was translated, such as this net's own first ping.
      let changes = hop.changes.filter { $0.field != "icmp_id" }.map { " | \($0.description)" }
        .joined()
      if changes.isEmpty, last == (hop.hook, hop.state) {
        let at = lines[lines.count - 1].firstRange(of: " |")!.lowerBound
        lines[lines.count - 1].insert(contentsOf: " \(hop.name)", at: at)
      } else {
        lines.append("\(hop.hook) \(hop.name) \(hop.state)\(changes)")
      }
      last = (hop.hook, hop.state)
    }
    return lines + [[end.kind, end.hook, end.out].compactMap(\.self).joined(separator: " ")]
  }
}

struct HopReport: Decodable, Equatable {
  var hook: String
  var table: String?
  var label: String
  var priority: Int
  var timeUs: Double
  var `in`: String?
  var out: String?
  var source: String
  var destination: String
  var ttl: Int
  var changes: [Change]
  var rules: [Rule]

  struct Rule: Decodable, Equatable {
    var family: String
    var table: String
    var chain: String
    var verdict: String
  }

  struct Change: Decodable, Equatable, CustomStringConvertible {
    var field: String
    var from: Value
    var to: Value
    var cause: String
    var description: String { "\(field) \(from.text)>\(to.text) \(cause)" }
  }

  /// A number or a string.
  struct Value: Decodable, Equatable {
    var text: String
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      text = try (try? container.decode(Int.self)).map { "\($0)" } ?? container.decode(String.self)
    }
  }

  /// The table, if the label is what it must be then; otherwise the label.
  var name: String {
    let upper = hook.uppercased()
    switch table {
    case nil where label == upper: return "entry"
    case nil where label == "\(upper)-\(self.in ?? out ?? "")": return "of"
    case let table? where label == "\(table)-\(upper)": return table
    default: return label
    }
  }

  /// Which interface a forwarded packet came from plays no part behind its route.
  var state: String {
    let input = hook == "postrouting" || hook == "egress" ? "" : self.in ?? ""
    return "| \(input) | \(out ?? "") | \(ttl) | \(source) | \(destination)"
  }
}
