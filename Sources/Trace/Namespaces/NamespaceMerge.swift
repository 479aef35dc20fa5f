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

      init(_ hop: Hop) { self.init(hop.packet, at: hop.point.hook) }

      private init(_ packet: Packet, at hook: Hook) {
        self.hook = hook
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
  /// Groups by the packets in them, the older first.
  private var places: [PacketIdentity: [Int]] = [:]
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
      members: [], ends: [], findings: exchange.findings, start: .max, end: 0)
    group.members.reserveCapacity(exchange.journeys.count)
    group.ends.reserveCapacity(exchange.journeys.count)
    var candidates: [Int] = []
    for index in exchange.journeys.indices {
      let ends = Ends(exchange.journeys.span[index])
      group.ends.append(ends)
      group.members.append((source, exchange.journeys[index]))
      // Its story says so already: others have it as well, and would have to be given a copy.
      if group.members.span[index].journey.site != sites[source] {
        group.members[index].journey.site = sites[source]
      }
      (group.start, group.end) = (min(group.start, ends.start), max(group.end, ends.finish))
      for number in places[ends.identity] ?? [] where !candidates.contains(number) {
        candidates.append(number)
      }
    }
    for number in candidates.sorted() where goes(group, with: number) {
      guard var other = remove(number) else { continue }
      other.members += group.members
      other.ends += group.ends
      other.findings += group.findings
      other.start = min(group.start, other.start)
      other.end = max(group.end, other.end)
      group = other
    }
    for end in group.ends {
      if places[end.identity]?.last != nextGroup {
        places[end.identity, default: []].append(nextGroup)
      }
    }
    waiting += group.members.count
    hops += Self.hops(of: group)
    order.insert(nextGroup, at: group.start)
    groups[nextGroup] = group
    nextGroup += 1
  }

  /// Whether a packet of a group is one of the group with this number.
  private func goes(_ group: Group, with number: Int) -> Bool {
    guard let other = groups[number],
      // An exchange that goes on is told in parts, which need not be the same everywhere.
      other.members.count + group.members.count <= Self.mostPackets
    else { return false }
    return Self.areLinked(group, other)
  }

  /// Whether so many packets wait that the oldest are not to wait any longer.
  var isFull: Bool { waiting > mostWaiting || hops > Self.mostHops }

  @discardableResult
  private mutating func remove(_ number: Int) -> Group? {
    guard let group = groups.removeValue(forKey: number) else { return nil }
    waiting -= group.members.count
    hops -= Self.hops(of: group)
    for end in group.ends {
      guard let place = places.index(forKey: end.identity) else { continue }
      if places.values[place] == [number] {
        places.remove(at: place)
      } else {
        places.values[place].removeAll { $0 == number }
      }
    }
    return group
  }

  private static func hops(of group: Group) -> Int {
    group.members.indices.reduce(0) { $0 + group.members.span[$1].journey.way.hopCount }
  }

  /// The exchanges to which nothing can come any more, in order. `horizon` is the time before which
  /// no exchange began that is still to come, nanoseconds since the epoch.
  package mutating func ready(before horizon: UInt64) -> [Exchange] {
    var told: [Exchange] = []
    while let number = order.first {
      guard let end = groups[number]?.end else {
        order.removeFirst()
        continue
      }
      guard end.later(by: crossing) < horizon || isFull else { break }
      order.removeFirst()
      if let group = remove(number) { told.append(tell(group)) }
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
      if let group = remove(number) { told.append(tell(group)) }
    }
    return told
  }

  private mutating func tell(_ group: Group) -> Exchange {
    var exchange = Exchange(journeys: Self.ordered(group.members, group.ends))
    for index in exchange.journeys.indices {
      exchange.journeys[index].id = nextID
      nextID += 1
    }
    if group.findings.isEmpty { return exchange }
    let last = exchange.journeys.last { $0.direction == .request }?.site
    // What a namespace takes for lost because it saw no answer, went on where the next one saw it.
    exchange.findings = group.findings.filter {
      $0.severity == .note || $0.confidence == .certain || last == nil || $0.site == last
    }
    return exchange
  }

  // MARK: One packet in two namespaces

  /// Packets that are one, by their places among some. Of few, each is looked at.
  private struct Twins {
    private let ends: [Ends]
    private let places: [PacketIdentity: [Int]]
    private var areFew: Bool { ends.count <= 32 }

    init(_ ends: [Ends]) {
      self.ends = ends
      places = ends.count <= 32 ? [:] : Dictionary(grouping: ends.indices) { ends[$0].identity }
    }

    /// Those with this identity.
    func callAsFunction(_ identity: PacketIdentity) -> [Int] {
      if !areFew { return places[identity] ?? [] }
      return ends.indices.filter { ends.span[$0].identity == identity }
    }
  }

  /// Whether a packet of the one is one of the other.
  private static func areLinked(_ some: Group, _ others: Group) -> Bool {
    let twins = Twins(others.ends)
    return some.ends.indices.contains { index in
      twins(some.ends.span[index].identity).contains {
        others.members.span[$0].source != some.members.span[index].source
          && (others.ends.span[$0].continues(some.ends.span[index])
            || some.ends.span[index].continues(others.ends.span[$0]))
      }
    }
  }

  /// Of each member, the members that it came from.
  static func links(_ members: [Member]) -> [[Int]] {
    links(members, members.map { Ends($0.journey) })
  }

  private static func links(_ members: [Member], _ ends: [Ends]) -> [[Int]] {
    let twins = Twins(ends)
    return ends.indices.map { index in
      twins(ends.span[index].identity).filter {
        members.span[$0].source != members.span[index].source
          && ends.span[index].continues(ends.span[$0])
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
    var directions = members.indices.map { members.span[$0].journey.direction }
    // Which part a packet has may be known in one namespace alone: conntrack is not everywhere.
    for (index, earlier) in links.enumerated() {
      for other in earlier where directions[other] == .other {
        directions[other] = directions[index]
      }
      if directions[index] == .other, let other = earlier.first {
        directions[index] = directions[other]
      }
    }
    let order = members.indices.sorted { (ends.span[$0].start, $0) < (ends.span[$1].start, $1) }
    var isTold = [Bool](repeating: false, count: members.count)
    var journeys: [Journey] = []
    journeys.reserveCapacity(members.count)
    var first = order.startIndex
    while first < order.endIndex {
      // Of each namespace the earliest one; if one that it came from is not told, that of another. In a ring, the first.
      var asked: [Int] = []
      let next =
        order[first...].first { member in
          let source = members.span[member].source
          if isTold[member] || asked.contains(source) { return false }
          asked.append(source)
          return links[member].allSatisfy { isTold[$0] }
        } ?? order[first]
      isTold[next] = true
      journeys.append(members[next].journey)
      journeys[journeys.count - 1].direction = directions[next]
      while first < order.endIndex, isTold[order[first]] { first += 1 }
    }
    return journeys
  }
}

extension Journey {
  /// When it was heard of last, nanoseconds since the epoch.
  fileprivate var finish: UInt64 { start.later(by: end.decider?.hop.time ?? way.last.time) }
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
