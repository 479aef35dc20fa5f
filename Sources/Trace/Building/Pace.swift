/// How soon packets are told.
package enum Pace: Sendable {
  /// An exchange is told as a whole, when nothing was heard of it for a second.
  case whole
  /// A packet is told when it has come to its end, with its answer if that comes at once.
  case live

  /// Nanoseconds between looks at what has come to rest.
  var lookout: UInt64 { self == .live ? 20_000_000 : Story.idle / 10 }

  /// Nanoseconds for which more may be heard of a packet that has come to its end, and be it an answer to it.
  static let rest: UInt64 = 30_000_000

  /// Nanoseconds by which a record may be older than the moment at which all is read that there is: a recorder keeps
  /// some before it writes them.
  package var latency: UInt64 { self == .live ? 80_000_000 : 500_000_000 }
}
