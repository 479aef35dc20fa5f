/// Records of a session that were thrown away because it grew too large.
public struct DroppedRecords: Sendable, Codable, Equatable {
  /// How many.
  public var records: Int
  /// Their octets in the session file.
  public var octets: Int

  /// So many records of so many octets.
  public init(records: Int = 0, octets: Int = 0) {
    self.records = records
    self.octets = octets
  }
}
