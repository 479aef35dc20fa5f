internal import Wire

/// The stories of one network namespace, or of several as one sequence: what their recorders wrote
/// goes in, section by section, exchanges come out.
package struct NamespacesStory: Sendable {
  private var stories: [Story?]
  /// The places, where there are several.
  private let places: [Site]
  private let pace: Pace
  private var merge: NamespaceMerge?
  /// Of those that are over.
  private var ended = EventCounts()
  /// Numbers of packets in the sections before this one, where one namespace is told of.
  private var earlier = 0
  private var newest = 0
  private var lastPass: UInt64 = 0
  /// How far each recording was read: files that came and went unseen are missing.
  private var read: [RecordedEvents?]

  /// Stories of these namespaces; of one, it need not know which. `pace` is how soon packets are told.
  package init(namespaces: [Site] = [], pace: Pace = .whole) {
    self.pace = pace
    places = namespaces.count > 1 ? namespaces : []
    stories = Array(repeating: nil, count: max(namespaces.count, 1))
    read = Array(repeating: nil, count: stories.count)
    merge = namespaces.count > 1 ? NamespaceMerge(namespaces) : nil
  }

  /// Messages so far.
  package var counts: EventCounts {
    stories.reduce(into: ended) { if let story = $1 { $0.add(story.counts) } }
  }

  /// Takes in that a section begins. `source` is the namespace, by its place among the names.
  package mutating func begin(_ header: SessionHeader?, from source: Int) -> [Exchange] {
    let missing = header?.recorded.flatMap { read[source]?.missing(until: $0) } ?? 0
    read[source] = header?.recorded
    var closed: [Exchange] = []
    // Where the file was full and another one goes on, so do the packets on their way.
    let old = stories[source]?.header
    let goesOn = if let header, let old { header.continues(old) } else { false }
    if !goesOn {
      closed = close(source)
      earlier += newest
      newest = 0
      stories[source] = Story(
        header: header, after: stories[source], at: places.isEmpty ? nil : places[source],
        pace: pace)
      stories[source]?.shareRoom(among: places.count)
    }
    if missing > 0 { stories[source]?.take(Record(time: 0, .lost(missing))) }
    return closed
  }

  /// Takes in a record that is not to be told.
  package mutating func skip(_ record: Record, from source: Int) { read[source]?.take(record) }

  /// Takes in a record.
  package mutating func take(_ record: Record, from source: Int) -> [Exchange] {
    read[source]?.take(record)
    stories[source]?.take(record)
    return settle(stories[source]?.closeIdle() ?? [], from: source)
  }

  /// Takes in that all there is was received up to this time, nanoseconds since the epoch. No
  /// exchange waits for others longer than `patience`, in nanoseconds.
  package mutating func pass(to time: UInt64, patience: UInt64 = .max) -> [Exchange] {
    guard time < lastPass || time.since(lastPass) > pace.lookout / 2 else { return [] }
    lastPass = time
    var closed: [Exchange] = []
    for source in stories.indices {
      stories[source]?.pass(to: time)
      closed += settle(stories[source]?.closeIdle() ?? [], from: source)
    }
    let before = max(horizon ?? time, time.earlier(by: patience))
    return closed + (merge?.ready(before: before) ?? [])
  }

  /// No exchange that is still to come began before this; nil where there are no stories.
  private var horizon: UInt64? {
    mutating get {
      var least: UInt64?
      // One by one, where they are: a copy of each would cost more than what is asked.
      for source in stories.indices {
        if let horizon = stories[source]?.horizon { least = min(least ?? horizon, horizon) }
      }
      return least
    }
  }

  /// Takes in what was done with a packet that was read from a diversion's device.
  package mutating func take(_ fate: Interception.Fate, of octets: [UInt8], from source: Int) {
    stories[source]?.take(fate, of: octets)
  }

  /// Nothing more comes of this namespace.
  package mutating func end(_ source: Int) -> [Exchange] {
    let closed = close(source)
    stories[source] = nil
    return closed
  }

  /// The next exchanges of what is left of all, so many as are told at once; none when all are told.
  package mutating func finishSome() -> [Exchange] {
    for source in stories.indices where stories[source] != nil {
      let closed = end(source)
      if !closed.isEmpty { return closed }
    }
    return merge?.finishSome() ?? []
  }

  /// Nothing more comes of any.
  package mutating func finish() -> [Exchange] {
    var closed: [Exchange] = []
    for source in stories.indices { closed += end(source) }
    return closed + (merge?.finish() ?? [])
  }

  private mutating func close(_ source: Int) -> [Exchange] {
    let closed = settle(stories[source]?.finish() ?? [], from: source)
    if let story = stories[source] { ended.add(story.counts) }
    return closed
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
}
