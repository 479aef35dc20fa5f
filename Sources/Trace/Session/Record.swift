package import Wire

/// One thing the kernel said, or one packet that passed the TUN device, as it was.
package struct Record: Sendable, Equatable {
  /// Nanoseconds since the epoch, when nftrace received it: by a clock that goes on evenly, see
  /// `Note.clockSet`.
  package var time: UInt64
  /// What it was.
  package var content: Content
  /// The network namespace it is of, by its place among those of the session: 0 is the first.
  package var place = 0

  /// What there is to record.
  package enum Content: Sendable, Equatable {
    /// An NFLOG message: the payload of its netlink message.
    case log([UInt8])
    /// A line of the kernel log that one of nftrace's rules made.
    indirect case line(LogLine)
    /// Any other netlink message.
    case netlink(NetlinkMessage)
    /// An IP packet written to the TUN device, or sent otherwise.
    case sent([UInt8])
    /// An IP packet that the kernel sent through the TUN device.
    case received([UInt8])
    /// Messages the kernel had to throw away here: how many, where it said so.
    case lost(Int?)
    /// What nftrace found out by other means.
    indirect case note(Note)
  }

  /// A record of something at this time.
  package init(time: UInt64, _ content: Content, at place: Int = 0) {
    self.time = time
    self.content = content
    self.place = place
  }
}
