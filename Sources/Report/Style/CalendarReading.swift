internal import Wire

/// Times as people write them on a command line. Those without an offset are in UTC, as all times that are told.
package enum CalendarReading {
  /// How a time is written.
  package static let forms =
    "2026-03-01, 14:30[:05], '2026-03-01 14:30', RFC 3339, @SECONDS, 5m or 1h30m for so long ago, now, today, "
    + "yesterday"

  /// Nanoseconds since the epoch; nil for what is no time. `now` is the time that it is, by which days that are not
  /// named and times ago are found.
  package static func nanoseconds(_ text: String, now: UInt64) -> UInt64? {
    let today = now / day * day
    switch text {
    case "now": return now
    case "today": return today
    case "yesterday": return today.earlier(by: day)
    default: break
    }
    if text.hasPrefix("@") { return decimal(text.dropFirst()) }
    if let ago = ago(text) { return now.earlier(by: ago) }
    return moment(text, today: today, now: now)
  }

  private static let second: UInt64 = 1_000_000_000
  private static let day = 86400 * second

  /// Seconds with a fraction, as nanoseconds.
  private static func decimal(_ text: Substring) -> UInt64? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = number(parts[0]) else { return nil }
    guard parts.count == 2 else { return UInt64(whole).multiplied(clamped: second) }
    guard let digits = number(parts[1].prefix(9)), parts[1].allSatisfy(isDigit) else { return nil }
    let scale = (parts[1].count..<max(9, parts[1].count)).reduce(UInt64(1)) { scale, _ in scale * 10
    }
    return UInt64(whole).multiplied(clamped: second).adding(clamped: UInt64(digits) * scale)
  }

  // MARK: So long ago

  private static let units: [(names: [Substring], seconds: UInt64)] = [
    (["s", "sec", "secs", "second", "seconds"], 1),
    (["m", "min", "mins", "minute", "minutes"], 60),
    (["h", "hr", "hour", "hours"], 3600), (["d", "day", "days"], 86400),
    (["w", "week", "weeks"], 7 * 86400),
  ]

  /// "5m", "-5m", "1h30m", "5 min ago", in nanoseconds.
  private static func ago(_ text: String) -> UInt64? {
    var rest = text.hasPrefix("-") ? text.dropFirst() : text[...]
    if rest.hasSuffix(" ago") { rest = rest.dropLast(4) }
    var sum: UInt64 = 0
    var isFirst = true
    while !rest.isEmpty {
      let digits = rest.prefix(while: isDigit)
      rest = rest.dropFirst(digits.count).drop { $0 == " " }
      let word = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(word.count).drop { $0 == " " }
      guard let count = number(digits), let unit = units.first(where: { $0.names.contains(word) })
      else { return nil }
      sum = sum.adding(
        clamped: UInt64(count).multiplied(clamped: unit.seconds).multiplied(clamped: second))
      isFirst = false
    }
    return isFirst ? nil : sum
  }

  // MARK: Dates and times of day

  private static func moment(_ text: String, today: UInt64, now: UInt64) -> UInt64? {
    var rest = text[...]
    var (zone, hasZone) = (Int64(0), false)
    for suffix in ["Z", "z", " UTC"] where rest.hasSuffix(suffix) && !hasZone {
      rest = rest.dropLast(suffix.count)
      hasZone = true
    }
    var midnight: UInt64?
    let parts = rest.split(maxSplits: 1, omittingEmptySubsequences: false) {
      $0 == "T" || $0 == "t" || $0 == " "
    }
    if parts[0].contains("-"), !parts[0].contains(":") {
      guard let date = date(parts[0]) else { return nil }
      midnight = date
      guard parts.count == 2 else { return hasZone ? nil : date }
      rest = parts[1]
    } else if parts.count > 1 {
      return nil
    }
    if !hasZone, let sign = rest.lastIndex(where: { $0 == "+" || $0 == "-" }) {
      guard let offset = offset(rest[rest.index(after: sign)...]) else { return nil }
      zone = rest[sign] == "+" ? offset : -offset
      rest = rest[..<sign]
    }
    guard let time = timeOfDay(rest) else { return nil }
    let local = (midnight ?? today).adding(clamped: time)
    let moment = zone > 0 ? local.earlier(by: UInt64(zone)) : local.later(by: UInt64(-zone))
    // What is still to come today was yesterday's.
    return midnight == nil && moment > now ? moment.earlier(by: day) : moment
  }

  /// "14:30", "14:30:05.25", in nanoseconds.
  private static func timeOfDay(_ text: Substring) -> UInt64? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard 2...3 ~= parts.count, let hour = number(parts[0]), hour < 24,
      let minute = number(parts[1]), minute < 60, parts[0].count <= 2, parts[1].count == 2
    else { return nil }
    let seconds = parts.count == 3 ? decimal(parts[2]) : 0
    guard let seconds, seconds <= 60 * second else { return nil }
    return UInt64(hour * 3600 + minute * 60) * second + seconds
  }

  /// "02:00", "0200", in nanoseconds.
  private static func offset(_ text: Substring) -> Int64? {
    let digits = text.filter { $0 != ":" }
    guard digits.count == 4, let hour = number(digits.prefix(2)[...]), hour < 24,
      let minute = number(digits.suffix(2)[...]), minute < 60
    else { return nil }
    return Int64(hour * 3600 + minute * 60) * Int64(second)
  }

  /// Midnight of "2026-03-01", nanoseconds since the epoch. Howard Hinnant, days_from_civil, as in `CalendarText`.
  private static func date(_ text: Substring) -> UInt64? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let year = number(parts[0]), 1970...2500 ~= year,
      let month = number(parts[1]), 1...12 ~= month, let day = number(parts[2]), 1...31 ~= day
    else { return nil }
    let shifted = month <= 2 ? year - 1 : year
    let yearOfEra = shifted % 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let days = shifted / 400 * 146_097 + dayOfEra - 719_468
    let midnight = UInt64(days) * Self.day
    // The 31st of a month that has none is another day.
    let again = CalendarText.text(midnight / second).prefix(10).split(separator: "-").last
    return again.flatMap { Int($0) } == day ? midnight : nil
  }

  private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }

  private static func number(_ text: Substring) -> Int? {
    !text.isEmpty && text.count <= 12 && text.allSatisfy(isDigit) ? Int(text) : nil
  }
}
