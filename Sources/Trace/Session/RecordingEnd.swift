/// How a recording ended, as its last block says it.
public struct RecordingEnd: Sendable, Codable, Equatable {
  /// What ended it before somebody asked for that; nil otherwise.
  public var reason: String?
  /// Messages recorded, in this file, those before it and those that were dropped.
  public var events: Int
  /// Messages the kernel had to throw away.
  public var lost: Int
  /// Messages that could not be written.
  public var unwritten: Int
  /// What was thrown away to keep to a size.
  public var dropped: DroppedRecords
  /// Seconds since the epoch when it ended.
  public var ended: UInt64

  /// An end of these fields.
  public init(
    reason: String? = nil, events: Int, lost: Int, unwritten: Int = 0,
    dropped: DroppedRecords = DroppedRecords(), ended: UInt64
  ) {
    self.reason = reason
    self.events = events
    self.lost = lost
    self.unwritten = unwritten
    self.dropped = dropped
    self.ended = ended
  }
}
