/// One captured packet.
package struct CapturedPacket: Sendable, Equatable {
  /// Which of its section's interfaces, counted from 0 in the order of the file.
  package var interface: Int
  /// Nanoseconds since 1970-01-01 00:00 UTC; 0 where the file has no time.
  package var time: UInt64
  /// The octets kept of it.
  package var data: [UInt8]
  /// Octets it had on the wire.
  package var originalLength: Int
  /// Which way it went, if the file says.
  package var direction: CaptureDirection?
  /// The comment. Several in a file are joined by line feeds.
  package var comment: String?

  /// A packet; without `originalLength` it is complete.
  package init(
    interface: Int, time: UInt64, data: [UInt8], originalLength: Int? = nil,
    direction: CaptureDirection? = nil, comment: String? = nil
  ) {
    self.interface = interface
    self.time = time
    self.data = data
    self.originalLength = originalLength ?? data.count
    self.direction = direction
    self.comment = comment
  }
}

/// A packet where it is, in octets of a file that are in memory.
package struct PacketInFile: Sendable, Equatable {
  /// Which of its section's interfaces.
  package var interface: Int
  /// Nanoseconds since 1970-01-01 00:00 UTC.
  package var time: UInt64
  /// Where its octets are.
  package var octets: Range<Int>
}
