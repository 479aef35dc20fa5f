internal import Wire

/// One of several recordings that are told beside each other, as far as that takes nothing of the others: so each can be
/// read by a thread of its own.
///
/// All go in steps. A step begins with a look at all of them, as `NamespacesStory.pass` is, at the record of one that is of a
/// later time than the last look by the pause between looks; and goes on to where the next look is due. What came of it is
/// put together with what came of the others, in the order of `EarliestFirst`: what is told is then the same as if all had
/// been read by one thread, record by record.
package struct RecordingStrand: Sendable {
  /// What comes of a recording.
  package enum Told: Sendable {
    /// A section begins.
    case header(SessionHeader?)
    /// Exchanges that closed.
    case exchanges([Exchange])
    /// A record that says how the recording ended.
    case ending(Record)
    /// What was counted in a section that is over.
    case counts(EventCounts)
    /// It is damaged here, which is said in these words.
    case damage(String)
    /// It cannot be read on from here.
    case failure(any Error)
  }

  /// The look at all recordings with which a step begins.
  package struct Look: Sendable {
    /// Nanoseconds since the epoch.
    package var time: UInt64
    /// The recording whose next record it follows.
    package var source: Int

    /// The look behind the next record of this recording, which is of this time.
    package init(time: UInt64, source: Int) { (self.time, self.source) = (time, source) }
  }

  /// What came of a step, each with the time up to which the recording was read by then, nanoseconds since the epoch.
  package struct Outcome: Sendable {
    /// What a thread has told, and when.
    package typealias Timed = (time: UInt64, told: Told)
    /// Before the look: of the record that it follows.
    package var before: [Timed] = []
    /// The exchanges that closed with the look.
    package var atLook: [Exchange] = []
    /// No exchange that came later began before this, nanoseconds since the epoch; nil where none came.
    package var horizon: UInt64?
    /// Behind it.
    package var behind: [Timed] = []
    /// The time of the next record, or of the latest before it; nil where all was read.
    package fileprivate(set) var next: UInt64?
    /// Whether a look is due before anything more is read.
    package fileprivate(set) var awaitsLook = true

    /// Nothing came of it.
    package init() {}
  }

  /// Which of all it is.
  package let source: Int
  private var story: PlaceStory
  private var head: SessionDecoder.Element?
  private var isBegun = false
  /// The latest time that was read so far: there may be earlier ones behind it.
  private var reached: UInt64 = 0
  /// When the last look was.
  private var lastLook: UInt64 = 0
  /// Hops of what came of this step.
  private var hops = 0

  /// The recording with this number, whose story begins here.
  package init(_ source: Int, _ story: PlaceStory) {
    self.source = source
    self.story = story
  }

  /// The time of the next record, or of the latest before it; nil where all was read.
  private var next: UInt64? { head.map { max(reached, $0.moment) } }

  /// Whether the next record, of this time, is to wait for another look.
  private static func isDue(_ time: UInt64, after look: UInt64) -> Bool {
    time.since(look) > Pace.whole.lookout / 2
  }

  /// What comes next in a recording: an element, nil at the end; and what is to be said of damage before it.
  package typealias Reading = (damage: [String], element: SessionDecoder.Element?)

  /// Goes on, behind `look` if there is one, to where another one is due, or so many hops were told. `read` gives what comes
  /// next.
  package mutating func step(
    _ look: Look?, room: Int, read: () throws -> Reading
  ) -> Outcome {
    var outcome = Outcome()
    hops = 0
    if !isBegun {
      isBegun = true
      advance(read, &outcome.behind)
    }
    if let look {
      let isFollowed = look.source == source
      if isFollowed { takeHead(&outcome.before) }
      lastLook = look.time
      outcome.atLook = story.pass(to: look.time)
      outcome.horizon = story.horizon
      if isFollowed { advance(read, &outcome.behind) }
    }
    while let next, !Self.isDue(next, after: lastLook), hops < room {
      takeHead(&outcome.behind)
      advance(read, &outcome.behind)
    }
    outcome.next = next
    outcome.awaitsLook = next.map { Self.isDue($0, after: lastLook) } ?? true
    return outcome
  }

  /// Takes in the next element.
  private mutating func takeHead(_ told: inout [Outcome.Timed]) {
    guard let element = head.take() else { return }
    reached = max(reached, element.moment)
    switch element {
    case .header(let header):
      told.append((reached, .header(header)))
      if let closed = story.begin(header) { note(closed, endsSection: true, &told) }
    case .record(let record):
      if case .note(.ended) = record.content { told.append((reached, .ending(record))) }
      note(story.take(record), &told)
    }
  }

  /// Reads what comes next.
  private mutating func advance(
    _ read: () throws -> Reading,
    _ told: inout [Outcome.Timed]
  ) {
    do {
      let (damage, element) = try read()
      for damage in damage { told.append((reached, .damage(damage))) }
      head = element
      if element == nil { note(story.end(), endsSection: true, &told) }
    } catch {
      told.append((reached, .failure(error)))
    }
  }

  private mutating func note(
    _ closed: [Exchange], endsSection: Bool = false, _ told: inout [Outcome.Timed]
  ) {
    if endsSection { told.append((reached, .counts(story.takeEnded()))) }
    if closed.isEmpty { return }
    hops += closed.reduce(0) { $0 + $1.hops }
    told.append((reached, .exchanges(closed)))
  }
}

extension RecordingStrand.Told {
  /// Places where packets were seen that it tells of.
  package var hops: Int {
    if case .exchanges(let closed) = self { return closed.reduce(0) { $0 + $1.hops } }
    return 0
  }
}

extension Exchange {
  /// Places where its packets were seen.
  fileprivate var hops: Int { journeys.indices.reduce(0) { $0 + journeys.span[$1].way.hopCount } }
}

extension SessionDecoder.Element {
  /// When it was recorded: sections begin at once.
  package var moment: UInt64 {
    switch self {
    case .header: 0
    case .record(let record): record.time
    }
  }
}
