internal import Wire

/// The stories of one network namespace, or of several as one sequence: what their recorders wrote
/// goes in, section by section, exchanges come out.
package struct NamespacesStory: Sendable {
  private var places: [PlaceStory]
  private let pace: Pace
  private var merge: NamespaceMerge?
  /// Of sections that are over.
  private var ended = EventCounts()
  /// Numbers of packets in the sections before this one, where one namespace is told of.
  private var earlier = 0
  private var newest = 0
  private var lastPass: UInt64 = 0
  /// No exchange that is still to come from who else tells the stories began before this.
  private var horizonElsewhere: UInt64?

  /// Stories of these namespaces; of one, it need not know which. `pace` is how soon packets are told.
  package init(namespaces: [Site] = [], pace: Pace = .whole) {
    self.pace = pace
    let sites: [Site?] = namespaces.count > 1 ? namespaces : [nil]
    places = sites.map { PlaceStory(at: $0, among: sites.count, pace: pace) }
    merge = namespaces.count > 1 ? NamespaceMerge(namespaces) : nil
  }

  /// Messages so far.
  package var counts: EventCounts {
    places.reduce(into: ended) { $0.add($1.counts) }
  }

  /// Takes in that a section begins. `source` is the namespace, by its place among the names.
  package mutating func begin(_ header: SessionHeader?, from source: Int) -> [Exchange] {
    guard let closed = places[source].begin(header) else { return [] }
    ended.add(places[source].takeEnded())
    let told = settle(closed, from: source)
    earlier += newest
    newest = 0
    return told
  }

  /// Takes in a record that is not to be told.
  package mutating func skip(_ record: Record, from source: Int) { places[source].skip(record) }

  /// Takes in a record.
  package mutating func take(_ record: Record, from source: Int) -> [Exchange] {
    settle(places[source].take(record), from: source)
  }

  /// Nanoseconds between looks at all places.
  private var lookout: UInt64 { pace.lookout / 2 }

  /// Takes in that all there is was received up to this time, nanoseconds since the epoch. No
  /// exchange waits for others longer than `patience`, in nanoseconds.
  package mutating func pass(to time: UInt64, patience: UInt64 = .max) -> [Exchange] {
    guard time < lastPass || time.since(lastPass) > lookout else { return [] }
    lastPass = time
    var closed: [Exchange] = []
    for source in places.indices { closed += settle(places[source].pass(to: time), from: source) }
    let before = max(horizon ?? time, time.earlier(by: patience))
    return closed + (merge?.ready(before: before) ?? [])
  }

  /// No exchange that is still to come began before this; nil where there are no stories.
  private var horizon: UInt64? {
    mutating get {
      var least = horizonElsewhere
      // One by one, where they are: a copy of each would cost more than what is asked.
      for source in places.indices {
        if let horizon = places[source].horizon { least = min(least ?? horizon, horizon) }
      }
      return least
    }
  }

  /// Takes in what was done with a packet that was read from a diversion's device.
  package mutating func take(_ fate: Interception.Fate, of octets: [UInt8], from source: Int) {
    places[source].take(fate, of: octets)
  }

  /// Nothing more comes of this namespace.
  package mutating func end(_ source: Int) -> [Exchange] {
    let closed = places[source].end()
    ended.add(places[source].takeEnded())
    return settle(closed, from: source)
  }

  /// The next exchanges of what is left of all, so many as are told at once; none when all are told.
  package mutating func finishSome() -> [Exchange] {
    for source in places.indices where places[source].isOpen {
      let closed = end(source)
      if !closed.isEmpty { return closed }
    }
    return merge?.finishSome() ?? []
  }

  /// Nothing more comes of any.
  package mutating func finish() -> [Exchange] {
    var closed: [Exchange] = []
    for source in places.indices { closed += end(source) }
    return closed + (merge?.finish() ?? [])
  }

  /// Of several namespaces, exchanges wait for those that began earlier.
  private mutating func settle(_ exchanges: [Exchange], from source: Int) -> [Exchange] {
    if merge != nil {
      merge?.add(exchanges, from: source)
      // Where there is always more to read, nobody says that time has passed.
      guard merge?.isFull == true else { return [] }
      let before = horizon ?? 0
      return merge?.ready(before: before) ?? []
    }
    var exchanges = exchanges
    for exchange in exchanges.indices {
      for journey in exchanges[exchange].journeys.indices {
        newest = max(newest, exchanges[exchange].journeys[journey].id)
        exchanges[exchange].journeys[journey].id += earlier
      }
    }
    return exchanges
  }

  // MARK: Stories that are told elsewhere

  /// Gives the stories of all places away, for each to be told by itself. What they tell is to be taken in in the order in
  /// which it would have come here.
  package mutating func giveAway() -> [PlaceStory] {
    defer { (places, horizonElsewhere) = ([], 0) }
    return places
  }

  /// Takes in exchanges that closed in one of them.
  package mutating func take(_ exchanges: [Exchange], from source: Int) -> [Exchange] {
    settle(exchanges, from: source)
  }

  /// Takes in that no exchange that is still to come began before this, nanoseconds since the epoch.
  package mutating func pass(horizon: UInt64) -> [Exchange] {
    horizonElsewhere = horizon
    return merge?.ready(before: horizon) ?? []
  }

  /// Takes in what was counted in a section that is over.
  package mutating func take(_ counts: EventCounts) { ended.add(counts) }
}
