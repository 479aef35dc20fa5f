import Report
import Testing

/// Times as people write them on a command line.
struct CalendarReadingTests {
  /// 2026-03-01 12:00:05.25 UTC, a Sunday.
  private static let now: UInt64 = 1_772_366_405_250_000_000

  @Test(
    arguments: [
      ("now", "2026-03-01T12:00:05.250000000Z"), ("today", "2026-03-01T00:00:00.000000000Z"),
      ("yesterday", "2026-02-28T00:00:00.000000000Z"),
      ("5m", "2026-03-01T11:55:05.250000000Z"), ("-5m", "2026-03-01T11:55:05.250000000Z"),
      ("5 min ago", "2026-03-01T11:55:05.250000000Z"),
      ("1h30m", "2026-03-01T10:30:05.250000000Z"), ("2d", "2026-02-27T12:00:05.250000000Z"),
      ("1week", "2026-02-22T12:00:05.250000000Z"),
      ("11:59", "2026-03-01T11:59:00.000000000Z"),
      ("12:00:05.25", "2026-03-01T12:00:05.250000000Z"),
      // What is still to come today was yesterday's.
      ("23:50", "2026-02-28T23:50:00.000000000Z"),
      ("2024-02-29", "2024-02-29T00:00:00.000000000Z"),
      ("2026-02-28 14:30", "2026-02-28T14:30:00.000000000Z"),
      ("2026-02-28T14:30:05Z", "2026-02-28T14:30:05.000000000Z"),
      ("2026-02-28 14:30:05 UTC", "2026-02-28T14:30:05.000000000Z"),
      ("2026-02-28T14:30:05.000000001+02:00", "2026-02-28T12:30:05.000000001Z"),
      ("2026-02-28T14:30:05-0130", "2026-02-28T16:00:05.000000000Z"),
      ("@1772366405", "2026-03-01T12:00:05.000000000Z"),
      ("@1772366405.5", "2026-03-01T12:00:05.500000000Z"),
    ])
  func times(_ text: String, _ time: String) {
    #expect(
      CalendarReading.nanoseconds(text, now: Self.now).map(CalendarText.iso) == time, "\(text)")
  }

  @Test(
    arguments: [
      "", "5", "m", "5x", "5m3", "24:00", "12:60", "12:5", "1:00:61", "2026-02-30", "2026-13-01",
      "2026-00-01", "26-02-01", "2026-02-28T", "2026-02-28Z", "12:00+25:00", "12:00+1", "@", "@x",
      "@1.x", "tomorrow", "12", "-", "5m ago ago", "12:00 13:00", "2026-02-28T12:00 PM",
      "99999999999999h", "@99999999999999",
    ])
  func noTimes(_ text: String) {
    #expect(CalendarReading.nanoseconds(text, now: Self.now) == nil, "\(text)")
  }

  /// What is written is read.
  @Test(arguments: [0, 951_782_399, 951_782_400, 1_772_366_405, 4_107_542_400] as [UInt64])
  func thereAndBack(_ seconds: UInt64) {
    let time = seconds * 1_000_000_000 + 123_456_789
    #expect(CalendarReading.nanoseconds(CalendarText.iso(time), now: Self.now) == time)
    #expect(
      CalendarReading.nanoseconds(CalendarText.text(seconds), now: Self.now) == time - 123_456_789)
  }
}
