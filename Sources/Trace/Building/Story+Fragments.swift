internal import Wire

// The fragments of a packet are told as that packet: the first, which has its ports, stands for all.

extension Story {
  /// Where the first fragment is, of each open journey of another one: the one that began before it,
  /// or else the one behind it. Probes are told as soon as they are answered, and do not wait for
  /// fragments of what was sent whole.
  func firstFragments() -> [Int: Int] {
    guard hasLaterFragments, !hasProbe || plan?.fragmentSize != nil,
      open.contains(where: { $0.way.first.packet.isLaterFragment })
    else { return [:] }
    var latest: [FragmentGroup: Int] = [:]
    var waiting: [FragmentGroup: [Int]] = [:]
    var firsts: [Int: Int] = [:]
    for index in open.indices {
      let packet = open[index].way.first.packet
      if packet.isLaterFragment, let group = FragmentGroup(packet) {
        firsts[index] = latest[group]
        if latest[group] == nil { waiting[group, default: []].append(index) }
        continue
      }
      // Those it arrived in and those it left in may be of different groups.
      for group in open[index].hops.lazy.compactMap({ FragmentGroup($0.packet) }) {
        latest[group] = index
        for other in waiting.removeValue(forKey: group) ?? [] { firsts[other] = index }
      }
    }
    return firsts
  }

  /// The journeys of an exchange. Fragments that fared as the first one did are counted at its hops.
  func journeys(_ group: [Int], firstFragments firsts: [Int: Int]) -> [Journey] {
    var journeys = group.map { journey(open[$0]) }
    if firsts.isEmpty { return journeys }
    var absorbed: Set<Int> = []
    for whole in journeys.indices {
      let others = group.indices.filter { firsts[group[$0]] == group[whole] }
      absorbed.formUnion(journeys[whole].absorb(fragments: others.map { journeys[$0] }))
      for other in others { journeys[other].direction = journeys[whole].direction }
    }
    journeys.removeAll { absorbed.contains($0.id) }
    return journeys
  }
}

extension Journey {
  /// Counts other fragments of this packet at the hops that they were seen at as well. Returns the ids
  /// of those of which that tells all: they were put together with the first, or came as far, or met
  /// the same end.
  fileprivate mutating func absorb(fragments: [Journey]) -> [Int] {
    var seen: [Int: [Packet]] = [:]
    var stopped: [Packet] = []
    var absorbed: [Int] = []
    for fragment in fragments {
      let places = fragment.hops.map { place(of: $0) }
      guard let last = places.last ?? nil, fares(as: fragment, after: last) else { continue }
      absorbed.append(fragment.id)
      for (place, hop) in zip(places, fragment.hops) {
        if let place { seen[place, default: [hops[place].packet]].append(hop.packet) }
      }
      if let hop = fragment.end.decider?.hop, let place = end.decider?.hop {
        stopped = (stopped.isEmpty ? [place.packet] : stopped) + [hop.packet]
      }
    }
    for (place, packets) in seen {
      way.updateHop(place) {
        $0.fragments = packets.count
        $0.hasAllFragments = Self.areAll(packets)
      }
    }
    if !stopped.isEmpty, var decider = end.decider {
      decider.hop.fragments = stopped.count
      decider.hop.hasAllFragments = Self.areAll(stopped)
      switch end {
      case .dropped: end = .dropped(decider)
      case .rejected: end = .rejected(decider)
      case .sent, .delivered, .proxied, .refused, .kept, .unknown: break
      }
    }
    return absorbed
  }

  /// Whether a fragment that was seen last at this hop of the first one fared as that did.
  private func fares(as fragment: Journey, after last: Int) -> Bool {
    if let stop = fragment.end.decider?.hop {
      guard last == hops.count - 1, let other = end.decider?.hop else { return false }
      return other.packet.fragment != nil && other.isSamePlace(as: stop)
    }
    let next = last < hops.count - 1 ? hops[last + 1] : end.decider?.hop
    return next.map { $0.packet.fragment == nil } ?? true
  }

  /// The hop of the first fragment where another one was.
  private func place(of hop: Hop) -> Int? {
    hops.firstIndex { $0.packet.fragment != nil && $0.isSamePlace(as: hop) }
  }

  /// Whether these fragments are a whole packet.
  private static func areAll(_ packets: [Packet]) -> Bool {
    var end = 0
    for packet in packets.sorted(by: { $0.fragment?.offset ?? 0 < $1.fragment?.offset ?? 0 }) {
      guard let fragment = packet.fragment, fragment.offset == end else { return false }
      if !fragment.more { return true }
      // IPv6 says in a header of eight octets which fragment it is.
      end += packet.length - (packet.source.family == 4 ? 20 : 40 + 8)
    }
    return false
  }
}

extension Hop {
  fileprivate func isSamePlace(as other: Hop) -> Bool {
    point.chain == other.point.chain && inDevice == other.inDevice && outDevice == other.outDevice
  }
}
