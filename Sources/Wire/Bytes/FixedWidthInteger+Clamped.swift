// Arithmetic for numbers that others wrote: times, counts and lengths in files, messages and logs. Any
// of them may be the greatest there is, and of two times neither need be the later one.

extension FixedWidthInteger {
  /// The sum, or the end of the type's range that it goes beyond.
  @inlinable package func adding(clamped other: Self) -> Self {
    let (sum, overflow) = addingReportingOverflow(other)
    return !overflow ? sum : other < 0 ? .min : .max
  }

  /// The difference, or the end of the type's range that it goes beyond: 0 where a number without a
  /// sign has something larger taken away.
  @inlinable package func subtracting(clamped other: Self) -> Self {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return !overflow ? difference : other < 0 ? .max : .min
  }

  /// The product, or the end of the type's range that it goes beyond.
  @inlinable package func multiplied(clamped other: Self) -> Self {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return !overflow ? product : (self < 0) == (other < 0) ? .max : .min
  }

  /// The whole number nearest to `number`, or the end of the type's range that it is beyond; 0 for what
  /// is no number.
  @inlinable package init(nearest number: Double) {
    let whole = number.rounded()
    self = Self(exactly: whole) ?? (whole > 0 ? .max : whole < 0 ? .min : 0)
  }
}

/// Times, in nanoseconds.
extension UInt64 {
  /// Nanoseconds from `start` to this time; 0 where `start` is the later one.
  @inlinable package func since(_ start: UInt64) -> UInt64 { subtracting(clamped: start) }

  /// The time so many nanoseconds later, or the last one there is.
  @inlinable package func later(by nanoseconds: UInt64) -> UInt64 { adding(clamped: nanoseconds) }

  /// The time so many nanoseconds earlier, or the first one there is.
  @inlinable package func earlier(by nanoseconds: UInt64) -> UInt64 {
    subtracting(clamped: nanoseconds)
  }
}
