/// How a recording ended, as its last block says it.
package struct RecordingEnd: Sendable, Equatable {
  /// What ended it before somebody asked for that; nil otherwise.
  package var reason: String?
  /// Messages recorded, in this file, those before it and those that were dropped.
  package var events: Int
  /// Packets that they are about; nil where nobody counted them.
  package var packets: Int?
  /// Messages the kernel had to throw away.
  package var lost: Int
  /// Messages that could not be written.
  package var unwritten: Int
  /// What was thrown away to keep to a size.
  package var dropped: DroppedRecords
  /// Seconds since the epoch when it ended.
  package var ended: UInt64

  /// An end of these fields.
  package init(
    reason: String? = nil, events: Int, packets: Int? = nil, lost: Int, unwritten: Int = 0,
    dropped: DroppedRecords = DroppedRecords(), ended: UInt64
  ) {
    self.reason = reason
    self.events = events
    self.packets = packets
    self.lost = lost
    self.unwritten = unwritten
    self.dropped = dropped
    self.ended = ended
  }
}

extension RecordingEnd: JSONObject {
  static var blank: RecordingEnd {
    RecordingEnd(events: 0, lost: 0, ended: 0)
  }

  mutating func members(_ json: inout JSONMembers) {
    json.member("dropped", &dropped)
    json.member("ended", &ended)
    json.member("events", &events)
    json.member("lost", &lost)
    json.member("packets", &packets)
    json.member("reason", &reason)
    json.member("unwritten", &unwritten)
  }
}
