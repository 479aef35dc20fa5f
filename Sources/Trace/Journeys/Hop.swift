package import Wire

/// One packet at one observation point.
///
/// What it has is behind one reference: hops are looked at and handed on for each message, and there is much in one.
package struct Hop: Sendable, Equatable {
  /// One element, which copies of the hop share until one of them is changed. What is in it is looked at through a
  /// span: the array's own subscript would make a copy of all.
  private var fields: [Fields]

  private struct Fields: Sendable, Equatable {
    var point: ObservationPoint
    var time: UInt64
    var clock = Clock.reading
    var stamp: UInt64?
    var inDevice: String?
    var outDevice: String?
    var inPort: String?
    var outPort: String?
    var packet: Packet
    var fragments = 1
    var hasAllFragments = true
    var mark: UInt32
    var passed: [PassedChain]?
  }

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
    packet: Packet, mark: UInt32 = 0, stamp: UInt64? = nil, inPort: String? = nil,
    outPort: String? = nil
  ) {
    fields = [
      Fields(
        point: point, time: time, stamp: stamp, inDevice: inDevice, outDevice: outDevice,
        inPort: inPort, outPort: outPort, packet: packet, mark: mark)
    ]
  }
}

extension Hop {
  /// Where.
  package var point: ObservationPoint {
    _read { yield fields.span[0].point }
    _modify { yield &fields[0].point }
  }

  /// Nanoseconds since the journey began: as `clock` says.
  package var time: UInt64 {
    _read { yield fields.span[0].time }
    _modify { yield &fields[0].time }
  }

  /// What `time` is.
  package var clock: Clock {
    _read { yield fields.span[0].clock }
    _modify { yield &fields[0].clock }
  }

  /// The kernel's stamp of the packet here, nanoseconds since the epoch, where it has one.
  package var stamp: UInt64? {
    _read { yield fields.span[0].stamp }
    _modify { yield &fields[0].stamp }
  }

  /// Names of the interfaces, where the hook has them.
  package var inDevice: String? {
    _read { yield fields.span[0].inDevice }
    _modify { yield &fields[0].inDevice }
  }

  /// The one it is to leave by.
  package var outDevice: String? {
    _read { yield fields.span[0].outDevice }
    _modify { yield &fields[0].outDevice }
  }

  /// The bridge's port it came in by, where a bridge passes what it carries to IP hooks.
  package var inPort: String? {
    _read { yield fields.span[0].inPort }
    _modify { yield &fields[0].inPort }
  }

  /// The bridge's port it is to leave by, in the same case.
  package var outPort: String? {
    _read { yield fields.span[0].outPort }
    _modify { yield &fields[0].outPort }
  }

  /// The packet as seen here.
  package var packet: Packet {
    _read { yield fields.span[0].packet }
    _modify { yield &fields[0].packet }
  }

  /// How many fragments of it were seen here: 1 of what was whole, or of which the others were not
  /// looked at.
  package var fragments: Int {
    _read { yield fields.span[0].fragments }
    _modify { yield &fields[0].fragments }
  }

  /// Whether these are all there were of it.
  package var hasAllFragments: Bool {
    _read { yield fields.span[0].hasAllFragments }
    _modify { yield &fields[0].hasAllFragments }
  }

  /// The packet mark; 0 is none.
  package var mark: UInt32 {
    _read { yield fields.span[0].mark }
    _modify { yield &fields[0].mark }
  }

  /// The base chains that the packet has passed here, and not at the hop before; nil where nobody listed them.
  package var passed: [PassedChain]? {
    _read { yield fields.span[0].passed }
    _modify { yield &fields[0].passed }
  }
}

extension Hop {
  /// It was there then, in nanoseconds since the journey began, as this clock says.
  mutating func set(time: UInt64, by clock: Clock) {
    (fields[0].time, fields[0].clock) = (time, clock)
  }

  /// It is of a journey that began then, in nanoseconds since the epoch; its time was counted from there as well.
  mutating func count(from start: UInt64) { fields[0].time = fields[0].time.since(start) }

  /// What people call where it was: the hook, and where a chain or the kernel's own code stands there the position as
  /// well, "nat-PREROUTING"; so it is where nobody listed chains.
  package var name: String {
    let isKernels = ["conntrack", "defrag"].contains(point.table)
    guard let passed, passed.isEmpty, !isKernels, point.table != nil else {
      return Escape.name(point.label)
    }
    return point.hook.rawValue.uppercased()
  }
}
