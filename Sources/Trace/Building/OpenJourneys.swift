internal import Wire

/// The journeys that may go on, in the order in which they began, and how they are found.
struct OpenJourneys: RandomAccessCollection, MutableCollection, Sendable {
  private var journeys: [OpenJourney] = []
  /// The last one of each identity, and of each trace id; `OpenJourney.twin` leads on.
  private var latest: [PacketIdentity: Int] = [:]
  private var latestTraced: [UInt32: Int] = [:]
  /// Hops of all of them.
  private(set) var hops = 0
  /// What the next one is counted as.
  private var nextID = 1

  var startIndex: Int { 0 }
  var endIndex: Int { journeys.count }

  subscript(index: Int) -> OpenJourney {
    // Not the array's own element: that would be a copy of it.
    _read { yield journeys.span[index] }
    _modify { yield &journeys[index] }
  }

  // MARK: What is told together

  /// Numbers of the keys that open journeys have. All are grouped by these time and again, and few change.
  private var keyNumbers: [ExchangeKey: Int] = [:]
  /// How many journeys have each of them, and which are nobody's.
  private var keyUses: [Int] = []
  private var freeNumbers: [Int] = []

  /// One more than the highest number of a key.
  var endOfKeyNumbers: Int { keyUses.count }

  /// The journey is told together with others of this key.
  mutating func set(_ key: ExchangeKey, of index: Int) {
    if journeys.span[index].keyNumber != nil, journeys.span[index].key == key { return }
    forgetKey(of: index)
    let number: Int
    if let known = keyNumbers[key] {
      number = known
    } else {
      number = freeNumbers.popLast() ?? keyUses.count
      if number == keyUses.count { keyUses.append(0) }
      keyNumbers[key] = number
    }
    keyUses[number] += 1
    journeys[index].take(key, number: number)
  }

  private mutating func forgetKey(of index: Int) {
    guard let number = journeys.span[index].keyNumber else { return }
    keyUses[number] -= 1
    guard keyUses[number] == 0 else { return }
    keyNumbers[journeys.span[index].key] = nil
    freeNumbers.append(number)
  }

  // MARK: Finding

  /// The last one of a packet with this identity, some of which may be over.
  func latest(_ identity: PacketIdentity) -> Int? { latest[identity] }

  /// The one that was seen last with this trace id.
  func traced(_ id: UInt32) -> Int? {
    guard let index = latestTraced[id], journeys[index].traceID == id else { return nil }
    return index
  }

  /// The one that was seen first with this trace id, and last with another.
  func begun(with id: UInt32) -> Int? {
    guard let index = latestTraced[id], journeys[index].firstTraceID == id,
      journeys[index].traceID != id
    else { return nil }
    return index
  }

  // MARK: Changing

  /// Begins a journey at this hop. Returns its index. `count` is how many steps it may have.
  mutating func begin(
    _ hop: Hop, identity: PacketIdentity, start: UInt64, now: UInt64, latestProbe: Int?,
    roomFor count: Int
  ) -> Int {
    let index = journeys.count
    journeys.append(
      OpenJourney(
        id: nextID, identity: identity, way: Way(hop, roomFor: count), start: start, last: now,
        key: .journey(nextID),
        twin: latest[identity], latestProbe: latestProbe))
    nextID += 1
    hops += 1
    latest[identity] = index
    return index
  }

  /// A packet was seen again.
  mutating func append(_ hop: Hop, to index: Int) {
    journeys[index].way.append(hop)
    hops += 1
  }

  /// The kernel traces a packet with this id. It may put fragments together in the last one, and its
  /// trace goes on with the first.
  mutating func setTraceID(_ id: UInt32, of index: Int) {
    journeys[index].traceID = id
    if journeys[index].firstTraceID == nil { journeys[index].firstTraceID = id }
    latestTraced[id] = index
  }

  /// Nobody need look at a journey again that is over. `newer` is the one that led to it, if one did.
  mutating func pass(over index: Int, from newer: Int?) {
    let next = journeys[index].twin
    journeys[index].isPassed = true
    if let newer { journeys[newer].twin = next } else { latest[journeys[index].identity] = next }
  }

  /// Gives those at the indices of `groups`, one group after the other, and removes those of `all`.
  mutating func take(_ groups: [[Int]], closing all: [[Int]]) -> [[OpenJourney]] {
    let taken = groups.map { group in group.map { journeys[$0] } }
    remove(all)
    return taken
  }

  /// Removes those at the indices of `groups`, and finds the places of the others anew.
  mutating func remove(_ groups: [[Int]]) {
    var isClosed = [Bool](repeating: false, count: journeys.count)
    for index in groups.joined() where !isClosed[index] {
      isClosed[index] = true
      forgetKey(of: index)
    }
    var kept = 0
    latest.removeAll(keepingCapacity: true)
    // A packet may have had several trace ids: all but the latest lead nowhere.
    let traced = latestTraced.filter {
      !isClosed[$0.value] && journeys.span[$0.value].traceID == $0.key
    }
    latestTraced = traced
    hops = 0
    for index in journeys.indices where !isClosed[index] {
      if kept != index {
        // The array's own would copy both.
        var places = journeys.mutableSpan
        places.swapAt(kept, index)
      }
      journeys[kept].twin = place(kept, after: index)
      kept += 1
    }
    journeys.removeSubrange(kept...)
  }

  /// Takes in that a journey has come from an index to another. Returns the one before it with its identity.
  private mutating func place(_ kept: Int, after index: Int) -> Int? {
    let (identity, isPassed) = (journeys.span[kept].identity, journeys.span[kept].isPassed)
    if let id = journeys.span[kept].traceID, latestTraced[id] == index { latestTraced[id] = kept }
    hops += journeys.span[kept].way.hopCount
    if isPassed { return nil }
    return latest.updateValue(kept, forKey: identity)
  }
}
