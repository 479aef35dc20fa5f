public import Wire

/// One packet at one observation point.
public struct Hop: Sendable, Equatable {
  /// Where.
  public var point: ObservationPoint
  /// Nanoseconds since the journey began, as nftrace received the messages.
  public var time: UInt64
  /// Names of the interfaces, where the hook has them.
  public var inDevice: String?
  /// The one it is to leave by.
  public var outDevice: String?
  /// The bridge's port it came in by, where a bridge passes what it carries to IP hooks.
  public var inPort: String?
  /// The bridge's port it is to leave by, in the same case.
  public var outPort: String?
  /// The packet as seen here.
  public var packet: Packet
  /// How many fragments of it were seen here: 1 of what was whole, or of which the others were not
  /// looked at.
  public var fragments = 1
  /// Whether these are all there were of it.
  public var hasAllFragments = true
  /// The packet mark; 0 is none.
  public var mark: UInt32
  /// What conntrack made of the packet, as known when it left this point.
  public var connectionState: Connection.State?
  /// What is different from the hop before.
  public var changes: [Change]
  /// Rules of the user's own tables, evaluated since the hop before.
  public var rules: [RuleStep]
  /// Whether the packet was really here: false at the place where a rule ended its journey.
  public var passed: Bool

  /// A hop of these fields.
  public init(
    point: ObservationPoint, time: UInt64, inDevice: String? = nil, outDevice: String? = nil,
    packet: Packet, mark: UInt32 = 0, changes: [Change] = [], rules: [RuleStep] = [],
    passed: Bool = true
  ) {
    self.point = point
    self.time = time
    self.inDevice = inDevice
    self.outDevice = outDevice
    self.packet = packet
    self.mark = mark
    self.changes = changes
    self.rules = rules
    self.passed = passed
  }
}
