internal import Wire

/// Makes one sequence of the exchanges of several network namespaces: ordered by when they began, and
/// those of a packet that went from one namespace into another as one.
///
/// It is the same packet where it left the one as it arrived in the other: with the same
/// `PacketIdentity`, addresses and ports. What happened to it in between, in a namespace that nobody
/// looked into, is not known; then they stay two.
package struct NamespaceMerge: Sendable {
  typealias Member = (source: Int, journey: Journey)

  private struct Group {
    var members: [Member]
    /// What of each says where it came from and went on.
    var ends: [Ends]
    var findings: [Finding]
    /// Nanoseconds since the epoch: of its first packet, and of the last that was heard of any.
    var start: UInt64
    var end: UInt64
  }

  /// Where a packet came in, and where it was seen last: what says whether it is the same one elsewhere.
  private struct Ends {
    /// A packet as it was seen in one place.
    struct Sight {
      var hook: Hook
      var source: IPAddress
      var destination: IPAddress
      var sourcePort: UInt16?
      var destinationPort: UInt16?
      var identifier: UInt16?
      var ttl: UInt8

      init(_ hop: Hop) {
        let packet = hop.packet
        hook = hop.point.hook
        (source, destination) = (packet.source, packet.destination)
        (sourcePort, destinationPort) = (packet.sourcePort, packet.destinationPort)
        identifier = packet.icmp?.identifier
        ttl = packet.ttl
      }
    }

    var identity: PacketIdentity
    var first: Sight
    var last: Sight
    var isTransmitted: Bool
    var start: UInt64
    var finish: UInt64

    init(_ journey: Journey) {
      identity = PacketIdentity(journey.packet)
      first = Sight(journey.way.first)
      last = Sight(journey.way.last)
      isTransmitted = journey.end.kind == .transmitted
      (start, finish) = (journey.start, journey.finish)
    }

    /// Whether the packet, which has the same identity, can be the one of `earlier` that left there.
    func continues(_ earlier: Ends) -> Bool {
      let left = earlier.last
      return earlier.isTransmitted && (first.hook == .ingress || first.hook == .prerouting)
        && left.source == first.source && left.destination == first.destination
        && left.sourcePort == first.sourcePort && left.destinationPort == first.destinationPort
        && left.identifier == first.identifier && first.ttl <= left.ttl
        && max(start.since(earlier.finish), earlier.finish.since(start)) < 1_000_000_000
    }
  }

  private let sites: [Site]
  private var groups: [Int: Group] = [:]
  /// Groups by the packets in them.
  private var places: [PacketIdentity: Set<Int>] = [:]
  /// Groups in the order of their beginnings, some of which are part of another by now.
  private var order = EarliestFirst()
  /// Packets in all groups, and where they were seen.
  private var waiting = 0
  private var hops = 0
  private var nextGroup = 0
  private var nextID = 1

  /// A packet is on its way from one place to the next for no longer than this, and told of no later, in nanoseconds.
  /// Recorders of machines that are busy write seconds late.
  private let crossing: UInt64
  /// Packets of an exchange that was made of several.
  private static let mostPackets = 1024
  /// Packets that wait for others at most, and places where they were seen, of some 300 octets each.
  private let mostWaiting: Int
  private static let mostHops = 1 << 16

  /// A merger of what is told of these places.
  package init(_ sites: [Site]) {
    self.sites = sites
    let areMachines = sites.contains { $0.kind == .machine }
    crossing = areMachines ? 5_000_000_000 : 500_000_000
    mostWaiting = areMachines ? 32_768 : 8192
  }

  /// Takes in exchanges that closed in one of the places, by its number.
  package mutating func add(_ exchanges: [Exchange], from source: Int) {
    for exchange in exchanges where !exchange.journeys.isEmpty { add(exchange, from: source) }
  }

  private mutating func add(_ exchange: Exchange, from source: Int) {
    var group = Group(
      members: exchange.journeys.map { journey in
        var journey = journey
        journey.site = sites[source]
        return (source, journey)
      }, ends: exchange.journeys.map { Ends($0) },
      findings: exchange.findings,
      start: exchange.journeys.map(\.start).min() ?? 0,
      end: exchange.journeys.map(\.finish).max() ?? 0)
    let candidates = group.ends.reduce(into: Set<Int>()) {
      if let numbers = places[$1.identity] { $0.formUnion(numbers) }
    }
    for number in candidates.sorted() {
      guard let other = groups[number],
        // An exchange that goes on is told in parts, which need not be the same everywhere.
        other.members.count + group.members.count <= Self.mostPackets,
        Self.areLinked(group, other)
      else { continue }
      group.members = other.members + group.members
      group.ends = other.ends + group.ends
      group.findings = other.findings + group.findings
      group.start = min(group.start, other.start)
      group.end = max(group.end, other.end)
      remove(number)
    }
    for end in group.ends { places[end.identity, default: []].insert(nextGroup) }
    waiting += group.members.count
    hops += Self.hops(of: group)
    order.insert(nextGroup, at: group.start)
    groups[nextGroup] = group
    nextGroup += 1
  }

  /// Whether so many packets wait that the oldest are not to wait any longer.
  var isFull: Bool { waiting > mostWaiting || hops > Self.mostHops }

  private mutating func remove(_ number: Int) {
    guard let group = groups.removeValue(forKey: number) else { return }
    waiting -= group.members.count
    hops -= Self.hops(of: group)
    for end in group.ends {
      places[end.identity]?.remove(number)
      if places[end.identity]?.isEmpty == true { places[end.identity] = nil }
    }
  }

  private static func hops(of group: Group) -> Int {
    group.members.reduce(0) { $0 + $1.journey.hops.count }
  }

  /// The exchanges to which nothing can come any more, in order. `horizon` is the time before which
  /// no exchange began that is still to come, nanoseconds since the epoch.
  package mutating func ready(before horizon: UInt64) -> [Exchange] {
    var told: [Exchange] = []
    while let number = order.first {
      guard let group = groups[number] else {
        order.removeFirst()
        continue
      }
      guard group.end.later(by: crossing) < horizon || isFull else { break }
      order.removeFirst()
      remove(number)
      told.append(tell(group))
    }
    return told
  }

  /// All that is left.
  package mutating func finish() -> [Exchange] {
    var told: [Exchange] = []
    while case let some = finishSome(), !some.isEmpty { told += some }
    return told
  }

  /// The next exchanges of what is left, so many as are told at once; none when all are told.
  mutating func finishSome() -> [Exchange] {
    var told: [Exchange] = []
    while told.count < Story.mostAtOnce, let number = order.first {
      order.removeFirst()
      guard let group = groups[number] else { continue }
      remove(number)
      told.append(tell(group))
    }
    return told
  }

  private mutating func tell(_ group: Group) -> Exchange {
    var exchange = Exchange(journeys: Self.ordered(group.members, group.ends))
    for index in exchange.journeys.indices {
      exchange.journeys[index].id = nextID
      nextID += 1
    }
    let last = exchange.journeys.last { $0.direction == .request }?.site
    // What a namespace takes for lost because it saw no answer, went on where the next one saw it.
    exchange.findings = group.findings.filter {
      $0.severity == .note || $0.confidence == .certain || last == nil || $0.site == last
    }
    return exchange
  }

  // MARK: One packet in two namespaces

  /// Whether a packet of the one is one of the other.
  private static func areLinked(_ some: Group, _ others: Group) -> Bool {
    let twins = Dictionary(grouping: others.ends.indices) { others.ends[$0].identity }
    return some.ends.indices.contains { index in
      let end = some.ends[index]
      return (twins[end.identity] ?? []).contains {
        others.members[$0].source != some.members[index].source
          && (others.ends[$0].continues(end) || end.continues(others.ends[$0]))
      }
    }
  }

  /// Of each member, the members that it came from.
  static func links(_ members: [Member]) -> [[Int]] {
    links(members, members.map { Ends($0.journey) })
  }

  private static func links(_ members: [Member], _ ends: [Ends]) -> [[Int]] {
    let twins = Dictionary(grouping: ends.indices) { ends[$0].identity }
    return ends.indices.map { index in
      (twins[ends[index].identity] ?? []).filter {
        members[$0].source != members[index].source && ends[index].continues(ends[$0])
      }
    }
  }

  /// By time, but for this: each namespace's messages are received at a time of their own, and yet
  /// no packet arrived before it was sent.
  static func ordered(_ members: [Member]) -> [Journey] {
    ordered(members, members.map { Ends($0.journey) })
  }

  private static func ordered(_ members: [Member], _ ends: [Ends]) -> [Journey] {
    if members.count == 1 { return [members[0].journey] }
    let links = links(members, ends)
    var members = members
    // Which part a packet has may be known in one namespace alone: conntrack is not everywhere.
    for (index, earlier) in links.enumerated() {
      for other in earlier where members[other].journey.direction == .other {
        members[other].journey.direction = members[index].journey.direction
      }
      if members[index].journey.direction == .other, let other = earlier.first {
        members[index].journey.direction = members[other].journey.direction
      }
    }
    var queues = Dictionary(grouping: members.indices) { members[$0].source }.values.map { queue in
      queue.sorted { (members[$0].journey.start, $0) < (members[$1].journey.start, $1) }[...]
    }
    var told = Set<Int>()
    var journeys: [Journey] = []
    while true {
      let heads = queues.indices.filter { !queues[$0].isEmpty }.sorted {
        (members[queues[$0].first!].journey.start, queues[$0].first!)
          < (members[queues[$1].first!].journey.start, queues[$1].first!)
      }
      guard let earliest = heads.first else { return journeys }
      let next = heads.first { told.isSuperset(of: links[queues[$0].first!]) } ?? earliest
      let index = queues[next].removeFirst()
      told.insert(index)
      journeys.append(members[index].journey)
    }
  }
}

extension Journey {
  /// When it was heard of last, nanoseconds since the epoch.
  fileprivate var finish: UInt64 { start.later(by: places.last?.time ?? 0) }
}

extension Story {
  /// No exchange that is still to be told began before this, nanoseconds since the epoch.
  package var horizon: UInt64 {
    // Whoever may change a story asks it where it is: it is copied for others.
    mutating get {
      min(open.isEmpty ? now : open[open.startIndex].start, earliestPending ?? now)
    }
  }
}
