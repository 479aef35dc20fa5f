internal import Wire

/// One packet at one point, from an NFLOG message or the first trace message of a chain.
struct Sighting {
  /// The hop that it will be. Its time is when that was read, nanoseconds since the epoch, until it is known of which
  /// journey it is.
  private var hop: Hop
  /// How far the machine's clock was ahead of the session's then, in nanoseconds.
  let clockStep: Int64
  let identity: PacketIdentity?
  /// Whether the kernel told the packet's mark.
  private let hasMark: Bool

  /// `time` is when it was read; `stamp` is when the kernel stamped the packet, nanoseconds since the epoch, at hooks where
  /// it does. The ports are those of a bridge, where the bridge passes packets to this hook. `mark` is nil where the kernel
  /// did not tell it.
  init(
    point: ObservationPoint, time: UInt64, stamp: UInt64? = nil, clockStep: Int64 = 0,
    inDevice: String?, outDevice: String?, inPort: String? = nil, outPort: String? = nil,
    packet: Packet, identity: PacketIdentity?, mark: UInt32?
  ) {
    hop = Hop(
      point: point, time: time, inDevice: inDevice, outDevice: outDevice, packet: packet,
      mark: mark ?? 0, stamp: stamp, inPort: inPort, outPort: outPort)
    self.clockStep = clockStep
    self.identity = identity
    hasMark = mark != nil
  }

  var point: ObservationPoint {
    _read { yield hop.point }
    _modify { yield &hop.point }
  }
  var time: UInt64 { hop.time }
  var inDevice: String? { hop.inDevice }
  var outDevice: String? { hop.outDevice }
  var packet: Packet { _read { yield hop.packet } }

  /// The hop it is of a journey that began then, in nanoseconds since the epoch. `mark` is the one that
  /// the packet had, which counts where the kernel told none.
  consuming func hop(since start: UInt64, mark known: UInt32 = 0) -> Hop {
    // Nobody else has it: it is changed where it is.
    hop.count(from: start)
    if !hasMark { hop.mark = known }
    return hop
  }
}
