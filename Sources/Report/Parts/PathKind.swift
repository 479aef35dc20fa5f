internal import Trace
internal import Wire

/// What makes two exchanges alike for a reader: where they were, what happened to them, what decided over them. Not
/// when, with which addresses and numbers, and how often.
struct PathKind: Hashable {
  private let places: [String]

  /// The kind of an exchange of which this was found; `outcome` is a probe's.
  init(_ exchange: Exchange, _ findings: [Finding], outcome: ProbeResult.Outcome? = nil) {
    var places =
      [outcome?.rawValue ?? ""] + findings.map { "\($0.id.rawValue) \($0.site?.words ?? "")" }
    // What is sent again goes no other way for that.
    var ways: Set<[String]> = []
    for journey in exchange.journeys {
      let way = Self.way(journey)
      if ways.insert(way).inserted { places += way }
    }
    self.places = places
  }

  /// Of a packet's way what makes two alike.
  static func way(_ journey: Journey) -> [String] {
    var places = [
      "\(journey.site?.words ?? "") \(journey.direction) \(journey.packet.proto) \(journey.end.kind) "
        + "\(journey.end.unseen.map { "\($0)" } ?? "") \(journey.isCopy)"
    ]
    for leg in journey.way.legs {
      let hop = leg.hop
      let devices = "\(hop.inDevice ?? "") \(hop.outDevice ?? "")"
      let changes = leg.changes.map { "\($0.field) \($0.cause)" }.joined(separator: ",")
      places.append("\(hop.point.label) \(devices) \(changes) \(hop.fragments)" + rules(leg.rules))
    }
    if let decider = journey.end.decider {
      places.append("\(decider.hop.point.label)" + rules([decider.rule]))
    }
    return places
  }

  private static func rules(_ rules: [RuleStep]) -> String {
    rules.filter(\.decided).map { " \($0.family) \($0.table) \($0.chain) \($0.ref)" }.joined()
  }
}
