public import Wire

/// Messages that are known to be missing. The kernel says how many it had no room for; the numbers
/// of log messages show how many of these are missing from what is read, for whatever reason. What
/// the numbers show is part of what the kernel says, where it says it.
public struct LossCount: Sendable, Equatable {
  private var reported = 0
  private var gaps = 0
  /// The last number of each log group.
  private var last: [UInt16: UInt32] = [:]

  /// Nothing is missing.
  public init() {}

  /// How many.
  public var count: Int { max(reported, gaps) }

  /// Takes in what the kernel had no room for; nil where it did not say how many.
  public mutating func take(lost count: Int?) { reported += count ?? 1 }

  /// Takes in the number of a log message.
  public mutating func take(_ message: LogMessage) {
    guard let sequence = message.sequence else { return }
    // The numbers begin with 0 again where the recorder did.
    if let last = last[message.group], sequence != last &+ 1, sequence != 0 {
      gaps += Int(sequence &- last &- 1)
    }
    last[message.group] = sequence
  }
}
