internal import Wire

/// One packet at one point, from an NFLOG message or the first trace message of a chain.
struct Sighting {
  var point: ObservationPoint
  var time: UInt64
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
