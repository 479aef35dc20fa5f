package import Wire

/// Messages that are known to be missing. The kernel says how many it had no room for; the numbers
/// of log messages show how many of these are missing from what is read, for whatever reason. What
/// the numbers show is part of what the kernel says, where it says it.
package struct LossCount: Sendable, Equatable {
  private var reported = 0
  private var gaps = 0
  /// The last number of each log group.
  private var last: [UInt16: UInt32] = [:]

  /// Nothing is missing.
  package init() {}

  /// How many.
  package var count: Int { max(reported, gaps) }

  /// How many of them are log messages, as far as their numbers show it.
  package var missingLogs: Int { gaps }

  /// Takes in what the kernel had no room for; nil where it did not say how many.
  package mutating func take(lost count: Int?) { reported = reported.adding(clamped: count ?? 1) }

  /// Takes in the number of a log message. Returns whether some are missing before it.
  @discardableResult
  package mutating func take(_ message: LogMessage) -> Bool {
    take(number: message.sequence, of: message.group)
  }

  /// Takes in the number of a log message of which nothing else is read. Octets that are none count for nothing.
  @discardableResult
  package mutating func take(logOctets payload: [UInt8]) -> Bool {
    guard let message = LogMessage.number(payload) else { return false }
    return take(message)
  }

  /// Takes in the number of a log message.
  @discardableResult
  mutating func take(_ message: LogMessage.Number) -> Bool {
    take(number: message.number, of: message.group)
  }

  /// Takes in what the numbers of more log messages have shown in another count, which began as this one.
  mutating func takeNumbers(of other: LossCount) { (gaps, last) = (other.gaps, other.last) }

  private mutating func take(number: UInt32?, of group: UInt16) -> Bool {
    guard let sequence = number else { return false }
    defer { last[group] = sequence }
    // The numbers begin with 0 again where the recorder did.
    guard let last = last[group], sequence != last &+ 1, sequence != 0 else { return false }
    gaps = gaps.adding(clamped: Int(sequence &- last &- 1))
    return true
  }
}
