internal import Wire

/// One packet at one point, from an NFLOG message or the first trace message of a chain.
struct Sighting {
  var point: ObservationPoint
  /// When that was read.
  var time: UInt64
  /// When the kernel stamped the packet, nanoseconds since the epoch, at hooks where it does.
  var stamp: UInt64? = nil
  /// How far the machine's clock was ahead of the session's then, in nanoseconds.
  var clockStep: Int64 = 0
  var inDevice: String?
  var outDevice: String?
  /// Ports of a bridge, where the bridge passes packets to this hook.
  var inPort: String? = nil
  var outPort: String? = nil
  var packet: Packet
  var identity: PacketIdentity?
  /// nil where the kernel did not tell it.
  var mark: UInt32?
}
