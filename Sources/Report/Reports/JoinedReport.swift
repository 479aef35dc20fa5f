package import Trace

/// Tells recordings of several places as one that are read beside each other, each by itself: puts together what came of
/// them, in the order in which one reader would have found it.
package struct JoinedReport {
  private var report: SessionReport
  /// What is to be told next: what came of the last step, as far as nothing can come before it.
  private var due = Due()
  /// What came of recordings that are further than others, in its order.
  private var waiting: [Part] = []
  /// Hops of it, by the recordings.
  private var waitingHops: [Int]
  /// Where each recording is.
  private var states: [State?]
  /// Hops of each that may wait for the others.
  private let room: Int

  /// Hops of all that may wait for others, and of each at least.
  private static let mostHops = 1 << 14
  private static let leastHops = 1 << 8

  /// What came of a recording, at its place in the order.
  private struct Part {
    var time: UInt64
    var source: Int
    var told: RecordingStrand.Told
  }

  /// What to tell, in this order.
  private struct Due {
    var before: [Part] = []
    var atLook: [(source: Int, exchanges: [Exchange])] = []
    var horizon: UInt64?
    var behind: [Part] = []
  }

  private struct State {
    /// The time of its next record; nil where all was read.
    var next: UInt64?
    var awaitsLook: Bool
  }

  /// Tells them as `report` does, which has taken in nothing yet. Returns nil where that is not of several places.
  package init?(_ report: consuming SessionReport) {
    guard let places = report.giveAway() else { return nil }
    self.report = report
    strands = places.enumerated().map { RecordingStrand($0, $1) }
    waitingHops = places.map { _ in 0 }
    states = places.map { _ in nil }
    room = max(Self.mostHops / places.count, Self.leastHops)
  }

  /// What each recording is to be read by.
  package let strands: [RecordingStrand]

  /// How many exchanges matched so far.
  package var matches: Int { report.matches }

  /// Hops that each recording may tell in the next step.
  package var rooms: [Int] { waitingHops.map { room - $0 } }

  /// Takes in what came of a recording in the step.
  package mutating func take(_ outcome: RecordingStrand.Outcome, of source: Int) {
    states[source] = State(next: outcome.next, awaitsLook: outcome.awaitsLook)
    due.before += outcome.before.map { Part(time: $0.time, source: source, told: $0.told) }
    if !outcome.atLook.isEmpty { due.atLook.append((source, outcome.atLook)) }
    if let horizon = outcome.horizon { due.horizon = min(due.horizon ?? horizon, horizon) }
    waiting += outcome.behind.map { Part(time: $0.time, source: source, told: $0.told) }
  }

  /// All have taken the step. Returns the look with which the next one begins, if it does with one; the step is the last
  /// one where `isOver`.
  package mutating func settle() -> RecordingStrand.Look? {
    // How far nothing can come any more.
    var (limit, look): (RecordingStrand.Look?, RecordingStrand.Look?)
    isOver = true
    for (source, state) in states.enumerated() {
      guard let state, let next = state.next else { continue }
      isOver = false
      if !state.awaitsLook, limit.map({ next < $0.time }) ?? true {
        limit = RecordingStrand.Look(time: next, source: source)
      }
      if look.map({ next < $0.time }) ?? true {
        look = RecordingStrand.Look(time: next, source: source)
      }
    }
    // What one recording has told stays in its order.
    let order = waiting.indices.sorted {
      (waiting[$0].time, waiting[$0].source, $0) < (waiting[$1].time, waiting[$1].source, $1)
    }
    let left =
      limit.map { limit in
        order.firstIndex {
          (waiting[$0].time, waiting[$0].source) > (limit.time, limit.source)
        }
      } ?? nil
    due.behind = order[..<(left ?? order.endIndex)].map { waiting[$0] }
    waiting = order[(left ?? order.endIndex)...].map { waiting[$0] }
    for source in waitingHops.indices { waitingHops[source] = 0 }
    for part in waiting { waitingHops[part.source] += part.told.hops }
    return limit == nil ? look : nil
  }

  /// Whether all was read.
  package private(set) var isOver = false

  /// Tells what came of the step. `complain` says what is damaged. Throws where a recording could not be read on.
  package mutating func tell(
    _ put: ([String]) throws -> Void, complain: (String) -> Void
  ) throws {
    let now = due
    due = Due()
    for part in now.before { try tell(part, put, complain) }
    for (source, exchanges) in now.atLook {
      try report.tell(report.take(exchanges, from: source), put)
    }
    if let horizon = now.horizon { try report.tell(report.pass(horizon: horizon), put) }
    for part in now.behind { try tell(part, put, complain) }
  }

  private mutating func tell(
    _ part: Part, _ put: ([String]) throws -> Void, _ complain: (String) -> Void
  ) throws {
    switch part.told {
    case .header(let header): report.note(header)
    case .exchanges(let closed):
      try report.tell(report.take(closed, from: part.source), put)
    case .ending(let record): report.noteEnding(record, of: part.source)
    case .counts(let counts): report.take(counts)
    case .damage(let words): complain(words)
    case .failure(let error): throw error
    }
  }

  /// Tells what is left when all was read.
  package mutating func finish(_ put: ([String]) throws -> Void) throws {
    try report.finish(put)
  }
}
