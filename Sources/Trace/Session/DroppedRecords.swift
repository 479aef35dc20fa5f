/// Records of a session that were thrown away because it grew too large.
package struct DroppedRecords: Sendable, Equatable {
  /// How many.
  package var records: Int
  /// Their octets in the session file.
  package var octets: Int

  /// So many records of so many octets.
  package init(records: Int = 0, octets: Int = 0) {
    self.records = records
    self.octets = octets
  }
}

extension DroppedRecords: JSONObject {
  static var blank: DroppedRecords {
    DroppedRecords()
  }

  mutating func members(_ json: inout JSONMembers) {
    json.member("octets", &octets)
    json.member("records", &records)
  }
}
