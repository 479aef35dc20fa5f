internal import Wire

/// The story of one place, section by section: what its recorders wrote goes in, exchanges come out.
package struct PlaceStory: Sendable {
  private var story: Story?
  /// Where that is, where it is one of several.
  private let site: Site?
  /// How many are told beside each other.
  private let places: Int
  private let pace: Pace
  /// Of sections that are over.
  private var ended = EventCounts()
  /// How far the recording was read: files that came and went unseen are missing.
  private var read: RecordedEvents?

  /// A story of this place, one of so many that are told beside each other.
  init(at site: Site?, among places: Int, pace: Pace) {
    self.site = site
    self.places = places
    self.pace = pace
  }

  /// Whether a section has begun, and more may come.
  var isOpen: Bool { story != nil }

  /// Messages so far, but those of which `takeEnded` has told.
  var counts: EventCounts {
    var counts = ended
    if let story { counts.add(story.counts) }
    return counts
  }

  /// Messages of sections that are over, each once.
  package mutating func takeEnded() -> EventCounts {
    defer { ended = EventCounts() }
    return ended
  }

  /// Takes in that a section begins. Returns what is left of the one before it; nil where that goes on: a file was full,
  /// and packets on their way go on in the next one.
  package mutating func begin(_ header: SessionHeader?) -> [Exchange]? {
    let missing = header?.recorded.flatMap { read?.missing(until: $0) } ?? 0
    read = header?.recorded
    let old = story?.header
    let goesOn = if let header, let old { header.continues(old) } else { false }
    var closed: [Exchange]?
    if !goesOn {
      closed = close()
      var next = Story(header: header, after: story, at: site, pace: pace)
      next.shareRoom(among: places)
      story = next
    }
    if missing > 0 { story?.take(Record(time: 0, .lost(missing))) }
    return closed
  }

  /// Takes in a record that is not to be told.
  mutating func skip(_ record: Record) { read?.take(record) }

  /// Takes in a record. Returns the exchanges that close with it.
  package mutating func take(_ record: Record) -> [Exchange] {
    read?.take(record)
    story?.take(record)
    return story?.closeIdle() ?? []
  }

  /// Takes in what was done with a packet that was read from a diversion's device.
  mutating func take(_ fate: Interception.Fate, of octets: [UInt8]) {
    story?.take(fate, of: octets)
  }

  /// Takes in that all there is was received up to this time, nanoseconds since the epoch.
  package mutating func pass(to time: UInt64) -> [Exchange] {
    story?.pass(to: time)
    return story?.closeIdle() ?? []
  }

  /// No exchange that is still to come began before this, nanoseconds since the epoch; nil where none is to come.
  package var horizon: UInt64? {
    mutating get { story?.horizon }
  }

  /// Nothing more comes. Returns what is left.
  package mutating func end() -> [Exchange] {
    let closed = close()
    story = nil
    return closed
  }

  /// What is left of the section, which is over.
  private mutating func close() -> [Exchange] {
    let closed = story?.finish() ?? []
    if let story { ended.add(story.counts) }
    return closed
  }
}
