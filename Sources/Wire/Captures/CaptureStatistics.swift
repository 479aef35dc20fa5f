/// What an interface counted up to some time.
package struct CaptureStatistics: Sendable, Equatable {
  /// Which of its section's interfaces, counted from 0 in the order of the file.
  package var interface: Int
  /// When it was counted: nanoseconds since 1970-01-01 00:00 UTC.
  package var time: UInt64
  /// Packets received since the capture began (isb_ifrecv).
  package var received: UInt64?
  /// Packets lost for want of room since the capture began (isb_ifdrop).
  package var dropped: UInt64?
  /// The comment. Several in a file are joined by line feeds.
  package var comment: String?

  /// Statistics; what is nil is not written.
  package init(
    interface: Int, time: UInt64, received: UInt64? = nil, dropped: UInt64? = nil,
    comment: String? = nil
  ) {
    self.interface = interface
    self.time = time
    self.received = received
    self.dropped = dropped
    self.comment = comment
  }
}
