internal import Trace
internal import Wire

/// What goes round in a loop is told once, with how often: a packet that others send back comes as one more journey
/// each time, and one that this host sends to itself goes on in the same.
struct Rounds {
  /// By the journey that is told: how many more went the same way, and with which TTL the last came.
  private var more: [Int: (count: Int, ttl: UInt8)] = [:]
  private var told: Set<Int> = []

  /// Fewer are told one by one.
  private static let most = 3

  /// Looks for journeys of one packet that went the same way.
  init(_ journeys: [Journey]) {
    var groups: [[String]: [Int]] = [:]
    var order: [[String]] = []
    for (index, journey) in journeys.enumerated()
    where journey.direction == .request && journey.end.kind == .transmitted {
      let packet = journey.packet
      let kind =
        PathKind.way(journey) + [
          "\(packet.source) \(packet.destination) \(packet.identification ?? 0) "
            + "\(packet.icmp.map { "\($0.identifier) \($0.sequence)" } ?? "") "
            + "\(packet.sourcePort ?? 0) \(packet.destinationPort ?? 0)"
        ]
      if groups[kind] == nil { order.append(kind) }
      if let last = groups[kind]?.last, journeys[last].packet.ttl <= packet.ttl { continue }
      groups[kind, default: []].append(index)
    }
    for group in order.compactMap({ groups[$0] }) where group.count > Self.most {
      more[group[0]] = (group.count - 1, journeys[group[group.count - 1]].packet.ttl)
      told.formUnion(group.dropFirst())
    }
  }

  /// Whether the journey of this number is told with an earlier one.
  func isTold(_ index: Int) -> Bool { told.contains(index) }

  /// How many are told with others.
  var toldCount: Int { told.count }

  /// What is told below the journey of this number of those that went the same way.
  func again(_ index: Int) -> String? {
    more[index].map { Self.words($0.count, $0.ttl) }
  }

  private static func words(_ count: Int, _ ttl: UInt8) -> String {
    "and \(count) times more the same way, the last with ttl \(ttl)"
  }

  /// A part of one journey's way, and what is to be said behind it of rounds that are left out.
  struct Part {
    var legs: [Leg]
    var again: String?
  }

  /// The legs of a journey without its rounds through this host that are like the one before.
  static func parts(_ legs: [Leg]) -> [Part] {
    var rounds: [[Leg]] = []
    for leg in legs {
      let isNew = leg.hop.point.hook == .ingress && rounds.last?.last?.hop.point.hook == .egress
      if rounds.isEmpty || isNew { rounds.append([]) }
      rounds[rounds.count - 1].append(leg)
    }
    var parts: [Part] = []
    var place = 0
    while place < rounds.count {
      let alike = rounds[place...].prefix { isSame($0, rounds[place]) }
      place += alike.count
      guard alike.count > most, let first = alike.first, let last = alike.last else {
        parts += alike.map { Part(legs: $0) }
        continue
      }
      parts.append(Part(legs: first, again: words(alike.count - 1, last[0].hop.packet.ttl)))
    }
    return parts
  }

  private static func isSame(_ one: [Leg], _ other: [Leg]) -> Bool {
    one.elementsEqual(other) {
      $0.hop.point == $1.hop.point && $0.hop.inDevice == $1.hop.inDevice
        && $0.hop.outDevice == $1.hop.outDevice
    }
  }
}
