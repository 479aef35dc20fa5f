internal import Wire

/// The clock that the times of a session go by. It was the machine's when nftrace began, and goes on evenly
/// while that is set; the kernel's stamps of packets are the machine's.
struct SessionClock: Sendable, Equatable {
  /// How far the machine's clock is ahead, in nanoseconds, and how far it was before it was set last.
  private(set) var step: Int64 = 0
  private var before: Int64 = 0

  /// What is read longer after it happened, in nanoseconds, is no stamp of a packet on its way: kernels
  /// before Linux 5.18 have the time since boot in some.
  private static let oldest: UInt64 = 600_000_000_000
  /// A probe that is told late counts as of its end, before which it was not stamped.
  private static let latest: UInt64 = 5_000_000_000

  /// How far the machine's clock is ahead for it is another machine's than the one that the times go by, in nanoseconds.
  let ahead: Int64
  /// How much further the kernel's stamps are, and how far that may be wrong.
  private let stamps: Int64
  let doubt: Int64

  /// A clock of which the machine's is ahead by so many nanoseconds from the beginning.
  init(ahead: Int64 = 0, stamps: Int64 = 0, doubt: Int64 = 0) {
    (self.ahead, self.stamps, self.doubt) = (ahead, stamps, doubt)
  }

  /// The machine's clock was set: it is ahead by so many nanoseconds now.
  mutating func set(_ step: Int64) { (before, self.step) = (self.step, step) }

  /// A stamp by this clock, of a message that was read at this time; nil for what cannot be one. A message
  /// may have been stamped before the clock was set.
  func time(stamped stamp: UInt64, read: UInt64) -> UInt64? {
    [step, before].lazy.map { stamp.moved(by: 0 &- $0 &- ahead &- stamps) }
      .first { $0.since(read) <= Self.latest && read.since($0) <= Self.oldest }
  }
}

extension UInt64 {
  /// The time so many nanoseconds later, or earlier where the number is less than 0.
  package func moved(by step: Int64) -> UInt64 {
    step < 0 ? earlier(by: step.magnitude) : later(by: step.magnitude)
  }
}
