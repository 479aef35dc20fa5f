/// Times as the calendar and the clock have them, in UTC.
package enum CalendarText {
  /// Seconds since the epoch as "2026-03-01 12:00:05 UTC".
  package static func text(_ seconds: UInt64) -> String {
    let date = date(day: Int(seconds / 86400))
    let second = Int(seconds % 86400)
    return "\(date.year)-\(two(date.month))-\(two(date.day)) "
      + "\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60)) UTC"
  }

  /// Seconds since the epoch as file names can have it: "20260301T120005", in UTC.
  package static func stamp(_ seconds: UInt64) -> String {
    let words = text(seconds).split(separator: " ")
    return "\(words[0].filter { $0 != "-" })T\(words[1].filter { $0 != ":" })"
  }

  /// Nanoseconds since the epoch as RFC 3339 has them: "2026-03-01T12:00:05.000123456Z".
  package static func iso(_ nanoseconds: UInt64) -> String {
    let words = text(nanoseconds / 1_000_000_000).split(separator: " ")
    let rest = "\(nanoseconds % 1_000_000_000)"
    return "\(words[0])T\(words[1])." + String(repeating: "0", count: 9 - rest.count) + rest + "Z"
  }

  /// Nanoseconds since the epoch as "12:00:05.000123", the time of day in UTC.
  package static func ofDay(_ nanoseconds: UInt64) -> String {
    let second = Int(nanoseconds / 1_000_000_000 % 86400)
    let micros = "\(nanoseconds / 1000 % 1_000_000)"
    let zeros = String(repeating: "0", count: 6 - micros.count)
    return "\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60)).\(zeros)\(micros)"
  }

  private static func two(_ number: Int) -> String { (number < 10 ? "0" : "") + "\(number)" }

  /// The date of a day since the epoch. Years are counted from March, so that leap days come last:
  /// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
  private static func date(day: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = day + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let part = (5 * dayOfYear + 2) / 153
    let month = part < 10 ? part + 3 : part - 9
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * part + 2) / 5 + 1
    )
  }
}
