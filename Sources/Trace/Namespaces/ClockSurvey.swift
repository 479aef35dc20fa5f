package import Wire

/// Looks through sessions of several machines for packets that are in more than one of them, and finds out from these how
/// far the clocks of the machines are apart.
///
/// Which machine had a packet first, its TTL and the hooks say: no time is compared before that. Of very many packets, some
/// are looked at, and those in all sessions; bounds are what these say, and so no narrower than they are.
package struct ClockSurvey: Sendable {
  /// A packet, between two translations of it.
  private struct Key: Hashable {
    var identity: PacketIdentity
    var source: IPAddress
    var destination: IPAddress
    /// Both, or a number that no two ports are.
    var ports: UInt64
    /// By which some are looked at. One that was cut off has another, and is the same packet.
    var number: UInt64

    static func == (one: Key, other: Key) -> Bool {
      one.identity == other.identity && one.source == other.source
        && one.destination == other.destination && one.ports == other.ports
    }

    func hash(into hasher: inout Hasher) {
      hasher.combine(identity)
      hasher.combine(source)
      hasher.combine(destination)
      hasher.combine(ports)
    }

    init(_ packet: Packet, _ identity: PacketIdentity, _ number: UInt64) {
      self.identity = identity
      self.number = number
      (source, destination) = (packet.source, packet.destination)
      ports =
        packet.transport.ports.map { UInt64($0.source) << 16 | UInt64($0.destination) } ?? .max
    }
  }

  /// What a place saw of it.
  private struct Sight {
    var place: Int
    var first: UInt64
    var firstTTL: UInt8
    /// Whether it came in there, and whether it left.
    var comes: Bool
    var last: UInt64
    var lastTTL: UInt8
    var leaves: Bool
  }

  private var seen: [Key: [Sight]] = [:]
  /// Only packets are kept whose number has no bit of this.
  private var mask: UInt64 = 0
  /// Nanoseconds by which times of reading are later than stamps, at least.
  private var delays: [Int64?]
  /// When probes were sent, by the clock of the place where that was: the first, and the last.
  package private(set) var sent: ClosedRange<UInt64>?

  /// What places saw of all packets that are kept.
  private var sights = 0
  /// Packets that are kept at a time, and what places saw of them.
  private let most: Int
  private let mostSights: Int
  /// From when to when each session has packets, nanoseconds since the epoch.
  private var times: [ClosedRange<UInt64>?]
  /// What is read of a packet is not later than this, in nanoseconds.
  private static let patience: UInt64 = 50_000_000
  /// Stamps that are further off, in nanoseconds, are by another clock than the file's.
  private static let mostDelay: UInt64 = 1_000_000_000
  private static let round: Int64 = 100_000_000

  /// A look through so many sessions. It keeps so many packets at most.
  package init(sessions: Int, most: Int = 30_000) {
    delays = Array(repeating: nil, count: sessions)
    times = Array(repeating: nil, count: sessions)
    self.most = most
    mostSights = 4 * most
  }

  /// Of how many packets one is looked at.
  package var share: UInt64 { mask + 1 }

  /// From when to when each session has packets, nanoseconds since the epoch; nil where that is no time.
  package var spans: [ClosedRange<UInt64>?] {
    times.map { $0.flatMap { $0.lowerBound < $0.upperBound ? $0 : nil } }
  }

  /// Takes in a packet that stands in these octets of a file, where it is. Returns whether nothing else is to be known of
  /// it: it is no packet that is looked at.
  package mutating func pass(
    _ packet: PacketInFile, in octets: [UInt8], as link: LinkType, from place: Int
  ) -> Bool {
    guard mask != 0, link == .nflog, let part = LogMessage.packet(octets, in: packet.octets),
      let number = PacketSample.number(octets, in: part), number & mask != 0
    else { return false }
    note(packet.time, place)
    return true
  }

  private mutating func note(_ time: UInt64, _ place: Int) {
    let first = times[place]?.lowerBound ?? time
    times[place] = Swift.min(first, time)...Swift.max(first, time)
  }

  /// Takes in the next record of one of them.
  package mutating func take(_ record: Record, from place: Int) {
    switch record.content {
    case .sent: sent = (sent?.lowerBound ?? record.time)...max(sent?.upperBound ?? 0, record.time)
    case .log(let payload):
      note(record.time, place)
      var part = 0..<0
      guard let message = try? LogMessage(payload, packetAt: &part), let hook = message.hook,
        let packet = Story.packet(message, in: payload, at: part)
      else { return }
      if let stamp = message.timestamp {
        let delay = record.time.ahead(of: stamp)
        delays[place] = Swift.min(delays[place] ?? delay, delay)
      }
      let number = LogMessage.packet(payload, in: payload.indices).flatMap {
        PacketSample.number(payload, in: $0)
      }
      take(packet, number, at: hook, record.time, message.timestamp, place)
    default: break
    }
  }

  private mutating func take(
    _ packet: Packet, _ number: UInt64?, at hook: Hook, _ read: UInt64, _ stamp: UInt64?,
    _ place: Int
  ) {
    if let number, number & mask != 0 { return }
    let identity = PacketIdentity(packet)
    let number = number ?? UInt64(truncatingIfNeeded: identity.number)
    guard number & mask == 0 else { return }
    let comes = hook == .ingress || hook == .prerouting
    let leaves = hook == .egress || hook == .postrouting
    // A stamp is kept as it is: by which clock it is comes out in the end.
    let time = stamp ?? read
    var isNew = false
    func note(_ sights: inout [Sight]) {
      guard let index = sights.lastIndex(where: { $0.place == place }) else {
        // Where nothing but that it was read is known, it left some time before.
        isNew = true
        sights.append(
          Sight(
            place: place, first: time, firstTTL: packet.ttl, comes: comes,
            last: stamp ?? read.earlier(by: Self.patience), lastTTL: packet.ttl, leaves: leaves))
        return
      }
      sights[index].last = stamp ?? (leaves ? sights[index].last : time)
      (sights[index].lastTTL, sights[index].leaves) = (packet.ttl, leaves)
    }
    note(&seen[Key(packet, identity, number), default: []])
    if isNew { sights += 1 }
    makeRoom()
  }

  /// Where too much is kept, looks at fewer packets.
  private mutating func makeRoom() {
    while seen.count > most || sights > mostSights { narrow(to: mask << 1 | 1) }
  }

  private mutating func narrow(to mask: UInt64) {
    self.mask = mask
    seen = seen.filter { $0.key.number & mask == 0 }
    sights = seen.values.reduce(0) { $0 + $1.count }
  }

  // MARK: Looks beside each other

  /// A look that has seen nothing, at the packets that this one looks at: for somebody else who looks through one of the
  /// sessions meanwhile.
  package var beside: ClockSurvey {
    var survey = ClockSurvey(sessions: delays.count, most: most)
    survey.mask = mask
    return survey
  }

  /// Takes in what was seen in a session that was not looked at here.
  package mutating func add(_ other: ClockSurvey) {
    for place in delays.indices {
      if let delay = other.delays[place] {
        delays[place] = Swift.min(delays[place] ?? delay, delay)
      }
      if let times = other.times[place] {
        note(times.lowerBound, place)
        note(times.upperBound, place)
      }
    }
    if let others = other.sent {
      sent =
        Swift.min(
          sent?.lowerBound ?? .max, others.lowerBound)...Swift.max(
          sent?.upperBound ?? 0, others.upperBound)
    }
    if other.mask > mask { narrow(to: other.mask) }
    for (key, its) in other.seen where key.number & mask == 0 {
      seen[key, default: []] += its
      sights += its.count
    }
    makeRoom()
  }

  // MARK: What comes of it

  /// Nanoseconds by which the kernel's stamps in a session are ahead of the times in it, for somebody has moved these; and how
  /// far that may be wrong. Times are moved by round numbers, and what was read soonest was read a moment after it was stamped.
  func stamps(in place: Int) -> (ahead: Int64, doubt: Int64) {
    guard let delay = delays[place], delay.magnitude > Self.mostDelay else { return (0, 0) }
    let (whole, rest) = delay.quotientAndRemainder(dividingBy: Self.round)
    let shift = (whole - (rest < 0 ? 1 : 0)) &* Self.round
    return (0 &- shift, delay &- shift)
  }

  /// How far the times in each session are ahead of those in another one, the first of its group: of sessions that have
  /// packets in common, one by one. The group of `place` begins with that.
  ///
  /// `known` is what packets say of each clock from both sides, against that of `place`; nil where they do not.
  package func offsets(
    from place: Int
  ) -> (ahead: [Int64], group: [Int], known: [ClockOffset?]) {
    var constraints = ClockConstraints(places: delays.count)
    for sights in seen.values where sights.count > 1 {
      for left in sights where left.leaves {
        for came in sights where came.place != left.place && came.comes {
          let isBothWays = left.comes && came.leaves
          guard
            !isBothWays || left.firstTTL > came.firstTTL
              || left.firstTTL == came.firstTTL && left.lastTTL > came.lastTTL
          else { continue }
          note(left, came, &constraints)
        }
      }
    }
    let found = constraints.estimates(from: place)
    let unknown = Set(found.indices.filter { found[$0] == nil })
    if !unknown.isEmpty { noteTranslated(unknown, &constraints) }
    var ahead = [Int64](repeating: 0, count: delays.count)
    var group = [Int?](repeating: nil, count: delays.count)
    for first in [place] + delays.indices where group[first] == nil {
      for (other, estimate) in constraints.estimates(from: first).enumerated() {
        guard let estimate, group[other] == nil else { continue }
        (ahead[other], group[other]) = (estimate, first)
      }
    }
    let known = constraints.offsets(from: place) ?? delays.map { _ in nil }
    let doubt = stamps(in: place).doubt.magnitude
    return (
      ahead, group.map { $0 ?? 0 },
      zip(known.indices, known).map { other, offset in
        let more = Int64(clamping: doubt &+ stamps(in: other).doubt.magnitude)
        return other == place ? nil : offset?.moved(by: 0, doubt: more)
      }
    )
  }

  /// Between two places may be one that translates, of which there is no session: then a packet has its numbers, and a TTL
  /// that is less.
  private func noteTranslated(_ unknown: Set<Int>, _ constraints: inout ClockConstraints) {
    let packets = Dictionary(grouping: seen, by: \.key.identity)
    for packet in packets.values where packet.count > 1 {
      let sights = packet.flatMap(\.value)
      for left in sights where left.leaves {
        for came in sights
        where came.place != left.place && came.comes && came.firstTTL < left.lastTTL
          && (unknown.contains(left.place) || unknown.contains(came.place))
        {
          note(left, came, &constraints)
        }
      }
    }
  }

  private func note(_ left: Sight, _ came: Sight, _ constraints: inout ClockConstraints) {
    constraints.note(
      left: left.last.moved(by: 0 &- stamps(in: left.place).ahead), left.place,
      came: came.first.moved(by: 0 &- stamps(in: came.place).ahead), came.place)
  }
}
