import Report
import Testing

struct CalendarTextTests {
  @Test(
    arguments: [
      (0, "1970-01-01 00:00:00 UTC"), (951_782_399, "2000-02-28 23:59:59 UTC"),
      (951_782_400, "2000-02-29 00:00:00 UTC"), (951_868_800, "2000-03-01 00:00:00 UTC"),
      (1_772_366_405, "2026-03-01 12:00:05 UTC"), (4_107_542_400, "2100-03-01 00:00:00 UTC"),
      (4_107_456_000, "2100-02-28 00:00:00 UTC"),
    ] as [(UInt64, String)])
  func dates(_ seconds: UInt64, _ text: String) {
    #expect(CalendarText.text(seconds) == text)
  }

  @Test func namesOfFiles() {
    #expect(CalendarText.stamp(1_772_366_405) == "20260301T120005")
  }

  @Test func timesOfDay() {
    #expect(CalendarText.ofDay(1_772_366_405_000_123_999) == "12:00:05.000123")
    #expect(CalendarText.ofDay(0) == "00:00:00.000000")
  }
}
