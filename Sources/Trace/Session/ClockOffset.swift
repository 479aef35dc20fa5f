/// How far another machine's clock is ahead of ours: between two bounds, in nanoseconds.
package struct ClockOffset: Sendable, Equatable {
  /// It is ahead by no less than this; less than 0 where it is behind.
  package var atLeast: Int64
  /// It is ahead by no more.
  package var atMost: Int64

  /// An offset between these bounds.
  package init(atLeast: Int64, atMost: Int64) {
    self.atLeast = atLeast
    self.atMost = atMost
  }

  /// What a question tells of it, as in NTP: it left here, was there at its time, and its answer was here again.
  package init(left: UInt64, there: UInt64, back: UInt64) {
    self.init(atLeast: there.ahead(of: back), atMost: there.ahead(of: left))
  }

  /// What is taken for it. It is rounded down whatever the sign, so that a clock that is set by so much gives just so
  /// much more.
  package var ahead: Int64 { atLeast &+ ((atMost &- atLeast) >> 1) }

  /// It is no further off than this.
  package var bound: UInt64 { (UInt64(bitPattern: atMost &- atLeast) &+ 1) >> 1 }

  /// The better known of two.
  package func better(than other: ClockOffset?) -> ClockOffset {
    if let other, other.bound <= bound { return other }
    return self
  }

  /// The same of a clock that was taken to be ahead by so much.
  func moved(by ahead: Int64, doubt: Int64 = 0) -> ClockOffset {
    ClockOffset(atLeast: atLeast &+ ahead &- doubt, atMost: atMost &+ ahead &+ doubt)
  }
}

extension UInt64 {
  /// Nanoseconds by which this time is later; less than 0 where it is earlier.
  package func ahead(of other: UInt64) -> Int64 { Int64(bitPattern: self &- other) }
}

extension Record {
  /// The same by a clock that is this much behind the one it was made by. The kernel's own stamps stay as they are: how far
  /// its clock is ahead, `Note.clockAhead` says.
  package func moved(ahead: Int64) -> Record {
    var record = self
    record.time = time.moved(by: 0 &- ahead)
    return record
  }
}

/// What packets that passed several places tell of the clocks there: none came before it left.
struct ClockConstraints: Sendable {
  /// By how much the clock of the second place is ahead of that of the first at most.
  private var most: [[Int64?]]

  /// Clocks of so many places, of which nothing is known.
  init(places: Int) { most = Array(repeating: Array(repeating: nil, count: places), count: places) }

  /// A packet left one place no earlier than at this time, and was in another one by this.
  mutating func note(left: UInt64, _ from: Int, came: UInt64, _ to: Int) {
    let ahead = came.ahead(of: left)
    most[from][to] = Swift.min(most[from][to] ?? ahead, ahead)
  }

  /// How far each place's clock is ahead of that of the first, by way of all others; nil of which it is not known from both
  /// sides. Nothing at all where packets contradict each other: a clock was set in between.
  var offsets: [ClockOffset?]? { offsets(from: 0) }

  /// The same against that of another place.
  func offsets(from first: Int) -> [ClockOffset?]? {
    let ways = ways
    // What packets say of machines that have nothing to do with it plays no part.
    if ways.indices.contains(where: { ways[$0][$0]! < 0 && ways[first][$0] != nil }) { return nil }
    return ways.indices.map { place in
      guard let most = ways[first][place], let back = ways[place][first] else { return nil }
      return ClockOffset(atLeast: 0 &- back, atMost: most)
    }
  }

  /// What each place's times are to be moved back by: its offset, or, where that is known from one side alone, the least
  /// that contradicts no packet.
  var corrections: [Int64] {
    let ways = ways
    return ways.indices.map { place in
      switch (ways[0][place], ways[place][0]) {
      case (let most?, let back?): ClockOffset(atLeast: 0 &- back, atMost: most).ahead
      case (let most?, nil): Swift.min(0, most)
      case (nil, let back?): Swift.max(0, 0 &- back)
      case (nil, nil): 0
      }
    }
  }

  /// By how much each place's clock may be ahead of that of one place, where it is known from one side at least.
  func estimates(from place: Int) -> [Int64?] {
    let ways = ways
    return ways.indices.map { other in
      if other == place { return 0 }
      switch (ways[place][other], ways[other][place]) {
      case (let most?, let back?): return ClockOffset(atLeast: 0 &- back, atMost: most).ahead
      case (let most?, nil): return most
      case (nil, let back?): return 0 &- back
      case (nil, nil): return nil
      }
    }
  }

  /// By how much one clock is ahead of another at most, by way of all others.
  private var ways: [[Int64?]] {
    var ways = most
    for place in ways.indices { ways[place][place] = 0 }
    for between in ways.indices {
      for from in ways.indices {
        guard let there = ways[from][between] else { continue }
        for to in ways.indices {
          guard let on = ways[between][to] else { continue }
          ways[from][to] = Swift.min(ways[from][to] ?? .max, there &+ on)
        }
      }
    }
    return ways
  }
}
