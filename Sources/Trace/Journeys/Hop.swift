package import Wire

/// One packet at one observation point.
package struct Hop: Sendable, Equatable {
  /// Where.
  package var point: ObservationPoint
  /// Nanoseconds since the journey began: as `clock` says.
  package var time: UInt64
  /// What `time` is.
  package var clock = Clock.reading
  /// The kernel's stamp of the packet here, nanoseconds since the epoch, where it has one.
  package var stamp: UInt64?
  /// Names of the interfaces, where the hook has them.
  package var inDevice: String?
  /// The one it is to leave by.
  package var outDevice: String?
  /// The bridge's port it came in by, where a bridge passes what it carries to IP hooks.
  package var inPort: String?
  /// The bridge's port it is to leave by, in the same case.
  package var outPort: String?
  /// The packet as seen here.
  package var packet: Packet
  /// How many fragments of it were seen here: 1 of what was whole, or of which the others were not
  /// looked at.
  package var fragments = 1
  /// Whether these are all there were of it.
  package var hasAllFragments = true
  /// The packet mark; 0 is none.
  package var mark: UInt32

  /// The base chains that the packet has passed here, and not at the hop before; nil where nobody listed them.
  package var passed: [PassedChain]?

  /// What is known of the time of a hop. The raw value is the name in JSON.
  package enum Clock: String, Sendable {
    /// The kernel looked at its clock here.
    case kernel
    /// The kernel does not say: it was here by then, for a later stamp, or nftrace that read of it, says so.
    case reading
  }

  /// A hop of these fields.
  package init(
    point: ObservationPoint, time: UInt64, inDevice: String? = nil, outDevice: String? = nil,
    packet: Packet, mark: UInt32 = 0
  ) {
    self.point = point
    self.time = time
    self.inDevice = inDevice
    self.outDevice = outDevice
    self.packet = packet
    self.mark = mark
  }
}
