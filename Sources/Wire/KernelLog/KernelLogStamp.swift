/// Reads what stands before a message in the text of dmesg and of syslog: times, the host's name,
/// "kernel:". What follows is the message, whatever it is.
struct KernelLogStamp {
  private var cursor: TextCursor
  private(set) var nanoseconds: UInt64?
  private(set) var isExact = false

  init(_ line: ArraySlice<UInt8>) { cursor = TextCursor(line) }

  /// The message, once all before it is read.
  var rest: ArraySlice<UInt8> { cursor.rest }

  mutating func read() {
    level()
    while bracket() {}
    if date() {
      host()
    } else {
      // journalctl -o short-monotonic: the host stands behind the bracket.
      if nanoseconds != nil { host() }
      return
    }
    cursor.skipSpaces()
    while bracket() {}
  }

  /// "<4>" of dmesg -r, "kern  :warn  : " of dmesg -x.
  private mutating func level() {
    let start = cursor
    if cursor.skip("<") {
      if cursor.number() == nil || !cursor.skip(">") { cursor = start }
      return
    }
    for _ in 0..<2 {
      let word = cursor.upTo(":")
      guard let word, !word.isEmpty, word.count <= 8,
        word.allSatisfy({ 0x61...0x7a ~= $0 || 0x30...0x39 ~= $0 || $0 == UInt8(ascii: " ") })
      else {
        cursor = start
        return
      }
    }
    cursor.skipSpaces()
  }

  /// "[  123.456789] ", also with the time since the line before, "[T123] ",
  /// "[Sat Nov 21 03:00:00 2026] ", and what dmesg -H has there, which tells no time by itself.
  private mutating func bracket() -> Bool {
    let start = cursor
    guard cursor.skip("["), let content = cursor.upTo("]") else {
      cursor = start
      return false
    }
    var inside = TextCursor(content)
    inside.skipSpaces()
    if let seconds = inside.number(), inside.skip("."), let fraction = inside.fraction() {
      nanoseconds = seconds.multiplied(by: 1_000_000_000)?.plus(fraction)
      isExact = true
    } else if let date = Self.calendarTime(content) {
      keep(date, fraction: nil)
    } else if !Self.isWithoutTime(content) {
      cursor = start
      return false
    }
    cursor.skipSpaces()
    return true
  }

  private static func isWithoutTime(_ content: ArraySlice<UInt8>) -> Bool {
    var inside = TextCursor(content)
    inside.skipSpaces()
    if inside.skip("T") || inside.skip("C") || inside.skip("+") { return inside.number() != nil }
    return month(&inside) != nil && inside.number() != nil
  }

  /// asctime(3): "Sat Nov 21 03:00:00 2026".
  private static func calendarTime(_ content: ArraySlice<UInt8>) -> UInt64? {
    var inside = TextCursor(content)
    _ = inside.word()
    inside.skipSpaces()
    guard let month = month(&inside) else { return nil }
    inside.skipSpaces()
    guard let day = inside.number(), inside.skip(" "), let time = clock(&inside),
      inside.skip(" "), let year = inside.number()
    else { return nil }
    return seconds(year: year, month: month, day: day)?.plus(time)
  }

  private mutating func keep(_ seconds: UInt64, fraction: UInt64?) {
    // What tells parts of a second is not given up for what does not.
    guard !isExact else { return }
    nanoseconds = seconds.multiplied(by: 1_000_000_000)?.plus(fraction ?? 0)
    isExact = fraction != nil
  }

  /// A date and the space behind it.
  private mutating func date() -> Bool {
    let start = cursor
    if iso() || syslog() || unix() {
      cursor.skipSpaces()
      return true
    }
    cursor = start
    return false
  }

  /// "2026-11-21T03:00:00,123456+00:00", "Sat 2026-11-21 03:00:00 UTC".
  private mutating func iso() -> Bool {
    let start = cursor
    if let letter = cursor.next, 0x41...0x5a ~= letter {
      _ = cursor.word()
      cursor.skipSpaces()
    }
    guard let year = cursor.number(), cursor.skip("-"), let month = cursor.number(),
      cursor.skip("-"), let day = cursor.number(), cursor.skip("T") || cursor.skip(" "),
      let date = Self.seconds(year: year, month: month, day: day),
      let time = Self.clock(&cursor)
    else {
      cursor = start
      return false
    }
    let fraction = cursor.skip(".") || cursor.skip(",") ? cursor.fraction() : nil
    var moment = date + time
    if cursor.skip("+") {
      moment -= min(moment, zone())
    } else if cursor.skip("-") {
      moment += zone()
    } else {
      _ = cursor.skip("Z") || cursor.skip(" UTC")
    }
    keep(moment, fraction: fraction)
    return true
  }

  /// "hh:mm" or "hhmm" in seconds.
  private mutating func zone() -> UInt64 {
    guard let first = cursor.number() else { return 0 }
    if cursor.skip(":") { return min(first, 24) * 3600 + min(cursor.number() ?? 0, 60) * 60 }
    return min(first / 100, 24) * 3600 + first % 100 * 60
  }

  /// "Nov 21 03:00:00", of no year: one is as good as another to tell times apart. 1972 has all days.
  private mutating func syslog() -> Bool {
    let start = cursor
    guard let month = Self.month(&cursor) else { return false }
    cursor.skipSpaces()
    guard let day = cursor.number(), cursor.skip(" "), let time = Self.clock(&cursor),
      let date = Self.seconds(year: 1972, month: month, day: day)
    else {
      cursor = start
      return false
    }
    keep(date + time, fraction: cursor.skip(".") ? cursor.fraction() : nil)
    return true
  }

  /// "1795230000.123456" of journalctl -o short-unix.
  private mutating func unix() -> Bool {
    let start = cursor
    guard let seconds = cursor.number(), seconds > 100_000_000, seconds < 1 << 33,
      cursor.skip("."), let fraction = cursor.fraction(), cursor.next == UInt8(ascii: " ")
    else {
      cursor = start
      return false
    }
    keep(seconds, fraction: fraction)
    return true
  }

  /// "host kernel: ". Where the time is dmesg's own there is none.
  private mutating func host() {
    let start = cursor
    if !cursor.skip("kernel: ") {
      _ = cursor.word()
      if !cursor.skip(" kernel: ") { cursor = start }
    }
  }

  // MARK: Parts of a date

  private static let months: [StaticString] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// "Nov" is 11.
  private static func month(_ cursor: inout TextCursor) -> UInt64? {
    for (index, name) in months.enumerated() where cursor.skip(name) { return UInt64(index + 1) }
    return nil
  }

  /// "03:00:00" in seconds.
  private static func clock(_ cursor: inout TextCursor) -> UInt64? {
    guard let hours = cursor.number(), hours < 25, cursor.skip(":"), let minutes = cursor.number(),
      minutes < 60, cursor.skip(":"), let seconds = cursor.number(), seconds < 62
    else { return nil }
    return hours * 3600 + minutes * 60 + seconds
  }

  /// Seconds from 1970-01-01 to the beginning of a day of the Gregorian calendar.
  private static func seconds(year: UInt64, month: UInt64, day: UInt64) -> UInt64? {
    guard 1970..<2500 ~= year, 1...12 ~= month, 1...31 ~= day else { return nil }
    // Years that begin with March have the leap day at their end.
    let shifted = month > 2 ? (year, month - 3) : (year - 1, month + 9)
    let days = shifted.0 * 365 + shifted.0 / 4 - shifted.0 / 100 + shifted.0 / 400
    // 719468 days lie between 0000-03-01 and 1970-01-01.
    return (days + (shifted.1 * 153 + 2) / 5 + day - 1 - 719_468) * 86400
  }
}

extension UInt64 {
  /// The product, if it fits.
  func multiplied(by other: UInt64) -> UInt64? {
    let (value, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? nil : value
  }

  /// The sum, if it fits.
  func plus(_ other: UInt64) -> UInt64? {
    let (value, overflow) = addingReportingOverflow(other)
    return overflow ? nil : value
  }
}
