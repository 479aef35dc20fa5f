/// How times are told. The raw value is the word of the command line.
package enum TimeStyle: String, Sendable, CaseIterable {
  /// Microseconds since the packet came in.
  case relative
  /// The time of day, with microseconds, in UTC.
  case clock
  /// As RFC 3339 has it, with nanoseconds, in UTC.
  case iso

  /// The columns that a time takes in a timeline, with the mark of a bound before it.
  var columns: Int {
    switch self {
    case .relative: 8
    case .clock: 16
    case .iso: 31
    }
  }

  /// What stands above them.
  func title(_ style: TextStyle) -> String {
    TextLayout.padded(from: columns, self == .relative ? style.micro : "UTC")
  }

  /// A time, nanoseconds since the epoch, where it is told by itself; nil where times are relative.
  func text(_ time: UInt64) -> String? {
    switch self {
    case .relative: nil
    case .clock: CalendarText.ofDay(time)
    case .iso: CalendarText.iso(time)
    }
  }
}
