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
    var findings: [Finding]
    /// Nanoseconds since the epoch: of its first packet, and of the last that was heard of any.
    var start: UInt64
    var end: UInt64
  }

  private let sites: [Site]
  private var groups: [Int: Group] = [:]
  /// Groups by the packets in them.
  private var places: [PacketIdentity: Set<Int>] = [:]
  /// Packets in all groups.
  private var waiting = 0
  private var nextGroup = 0
  private var nextID = 1

  /// A packet is on its way from one place to the next for no longer than this, and told of no later, in nanoseconds.
  /// Recorders of machines that are busy write seconds late.
  private let crossing: UInt64
  /// Packets of an exchange that was made of several.
  private static let mostPackets = 1024
  /// Packets that wait for others at most.
  private let mostWaiting: Int

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
      }, findings: exchange.findings,
      start: exchange.journeys.map(\.start).min() ?? 0,
      end: exchange.journeys.map(\.finish).max() ?? 0)
    let identities = Set(group.members.map { PacketIdentity($0.journey.packet) })
    let candidates = identities.reduce(into: Set<Int>()) { $0.formUnion(places[$1] ?? []) }
    for number in candidates.sorted() {
      guard let other = groups[number],
        // An exchange that goes on is told in parts, which need not be the same everywhere.
        other.members.count + group.members.count <= Self.mostPackets,
        Self.areLinked(group.members, other.members)
      else { continue }
      group.members = other.members + group.members
      group.findings = other.findings + group.findings
      group.start = min(group.start, other.start)
      group.end = max(group.end, other.end)
      remove(number)
    }
    for member in group.members {
      places[PacketIdentity(member.journey.packet), default: []].insert(nextGroup)
    }
    groups[nextGroup] = group
    waiting += group.members.count
    nextGroup += 1
  }

  /// Whether so many packets wait that the oldest are not to wait any longer.
  var isFull: Bool { waiting > mostWaiting }

  private mutating func remove(_ number: Int) {
    let members = groups.removeValue(forKey: number)?.members ?? []
    waiting -= members.count
    for member in members {
      let identity = PacketIdentity(member.journey.packet)
      places[identity]?.remove(number)
      if places[identity]?.isEmpty == true { places[identity] = nil }
    }
  }

  /// The exchanges to which nothing can come any more, in order. `horizon` is the time before which
  /// no exchange began that is still to come, nanoseconds since the epoch.
  package mutating func ready(before horizon: UInt64) -> [Exchange] {
    var told: [Exchange] = []
    for (number, group) in groups.sorted(by: { $0.value.start < $1.value.start }) {
      guard group.end.later(by: crossing) < horizon || isFull else { break }
      told.append(tell(group))
      remove(number)
    }
    return told
  }

  /// All that is left.
  package mutating func finish() -> [Exchange] {
    defer {
      groups = [:]
      places = [:]
      waiting = 0
    }
    return groups.values.sorted { $0.start < $1.start }.map { tell($0) }
  }

  private mutating func tell(_ group: Group) -> Exchange {
    var exchange = Exchange(journeys: Self.ordered(group.members))
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
  private static func areLinked(_ some: [Member], _ others: [Member]) -> Bool {
    let twins = Dictionary(grouping: others) { PacketIdentity($0.journey.packet) }
    return some.contains { member in
      (twins[PacketIdentity(member.journey.packet)] ?? []).contains {
        $0.source != member.source
          && ($0.journey.continues(member.journey) || member.journey.continues($0.journey))
      }
    }
  }

  /// Of each member, the members that it came from.
  static func links(_ members: [Member]) -> [[Int]] {
    let twins = Dictionary(grouping: members.indices) { PacketIdentity(members[$0].journey.packet) }
    return members.indices.map { index in
      (twins[PacketIdentity(members[index].journey.packet)] ?? []).filter {
        members[$0].source != members[index].source
          && members[index].journey.continues(members[$0].journey)
      }
    }
  }

  /// By time, but for this: each namespace's messages are received at a time of their own, and yet
  /// no packet arrived before it was sent.
  static func ordered(_ members: [Member]) -> [Journey] {
    let links = links(members)
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

  /// Whether its packet, which has the same identity, can be the one of `earlier` that left there.
  fileprivate func continues(_ earlier: Journey) -> Bool {
    guard let first = hops.first, let last = earlier.hops.last, earlier.end.kind == .transmitted,
      first.point.hook == .ingress || first.point.hook == .prerouting
    else { return false }
    let (left, arrived) = (last.packet, first.packet)
    return left.source == arrived.source && left.destination == arrived.destination
      && left.sourcePort == arrived.sourcePort && left.destinationPort == arrived.destinationPort
      && left.icmp?.identifier == arrived.icmp?.identifier && arrived.ttl <= left.ttl
      && max(start.since(earlier.finish), earlier.finish.since(start)) < 1_000_000_000
  }
}

extension Story {
  /// No exchange that is still to be told began before this, nanoseconds since the epoch.
  package var horizon: UInt64 {
    min(open.first?.start ?? now, earliestPending ?? now)
  }
}
