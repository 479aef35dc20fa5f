/// How far a recorder has come: it writes this down now and then, and at its end.
package struct RecorderState: Sendable, Equatable {
  /// "nftrace-recorder/1".
  package var schema = "nftrace-recorder/1"
  /// The process, and what tells it from a later one with its number.
  package var process: Int32
  /// Clock ticks from boot to its start.
  package var start: UInt64
  /// The file it writes.
  package var session: String
  /// Largest size of the file and the one before it together, in octets.
  package var limit: Int
  /// Seconds since the epoch when it began.
  package var since: UInt64
  /// Messages recorded.
  package var events = 0
  /// Packets that they are about; nil of one that does not count them.
  package var packets: Int?
  /// Messages the kernel had to throw away.
  package var lost = 0
  /// What was thrown away to keep to the limit.
  package var dropped = DroppedRecords()
  /// How often the points were laid out anew because the user's chains changed.
  package var replans = 0
  /// How often nftrace's tables were gone or damaged, and installed again.
  package var repairs = 0
  /// Nanoseconds since the epoch when it had written all that it had received, as it was asked last; nil for one that
  /// cannot be asked.
  package var flushed: UInt64?
  /// Messages that could not be written; nil where none.
  package var unwritten: Int?
  /// Seconds since the epoch when it ended; nil while it works, and when it was killed.
  package var ended: UInt64?
  /// What ended it, if nobody asked for that.
  package var error: String?

  /// A recorder that begins.
  package init(process: Int32, start: UInt64, session: String, limit: Int, since: UInt64) {
    self.process = process
    self.start = start
    self.session = session
    self.limit = limit
    self.since = since
  }

  /// The state as JSON text.
  package var json: String { asJSON.line + "\n" }

  /// How far it has come, for the end of its file, as of that many seconds since the epoch.
  package func end(at time: UInt64) -> RecordingEnd {
    RecordingEnd(
      reason: error, events: events, packets: packets, lost: lost, unwritten: unwritten ?? 0,
      dropped: dropped,
      ended: time)
  }

  /// Takes in what its file says of its end, where it could not write that down here.
  package mutating func take(_ end: RecordingEnd) {
    error = end.reason
    events = end.events
    packets = end.packets
    lost = end.lost
    unwritten = end.unwritten > 0 ? end.unwritten : nil
    dropped = end.dropped
    ended = end.ended
  }

  /// The state in JSON text; nil when it is none.
  package init?(json: String) {
    guard let state = Self(text: json), state.schema == "nftrace-recorder/1" else { return nil }
    self = state
  }
}

extension RecorderState: JSONObject {
  static var blank: RecorderState {
    RecorderState(process: 0, start: 0, session: "", limit: 0, since: 0)
  }

  mutating func members(_ json: inout JSONMembers) {
    json.member("dropped", &dropped)
    json.member("ended", &ended)
    json.member("error", &error)
    json.member("events", &events)
    json.member("flushed", &flushed)
    json.member("limit", &limit)
    json.member("lost", &lost)
    json.member("packets", &packets)
    json.member("process", &process)
    json.member("repairs", &repairs)
    json.member("replans", &replans)
    json.member("schema", &schema)
    json.member("session", &session)
    json.member("since", &since)
    json.member("start", &start)
    json.member("unwritten", &unwritten)
  }
}
