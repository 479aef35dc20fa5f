/// A rule of policy routing: which table is asked for which packets, `ip rule` (`struct
/// fib_rule_hdr` of <linux/fib_rules.h>).
package struct RoutingRule: Sendable, Hashable {
  /// 4 or 6.
  package var family: Int
  /// Rules are asked in the order of this number, the lowest first. The kernel leaves 0 out.
  package var priority: UInt32
  /// Sources it is for; nil is all of them.
  package var source: Prefix?
  /// Destinations it is for; nil is all of them.
  package var destination: Prefix?
  /// Type of service (IPv4) or traffic class (IPv6) it is for; 0 is any.
  package var tos: UInt8
  /// Name of the interface a packet came in through; "lo" for those of this host.
  package var inputInterface: String?
  /// Name of the interface a packet is bound to.
  package var outputInterface: String?
  /// The packet mark it is for, after `mask`.
  package var mark: UInt32?
  /// The bits of the packet mark that count.
  package var mask: UInt32?
  /// Routing table to ask.
  package var table: UInt32
  /// What it does with a packet it is for.
  package var action: Action
  /// The priority to go on at, for `goto`.
  package var target: UInt32?
  /// Whether it is for all packets but those that match ("not").
  package var isInverted: Bool
  /// IP protocol number.
  package var ipProtocol: UInt8?
  /// Source ports it is for; nil is all of them.
  package var sourcePorts: ClosedRange<UInt16>?
  /// Destination ports it is for; nil is all of them.
  package var destinationPorts: ClosedRange<UInt16>?
  /// User ids of the sockets it is for.
  package var users: ClosedRange<UInt32>?
  /// Routes with a prefix of this length or shorter are passed over (`suppress_prefixlength`).
  package var suppressPrefixLength: UInt32?

  /// What a rule does (`FR_ACT_…`).
  package struct Action: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The number on the wire.
    package var rawValue: UInt8
    /// The value with this number.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `FR_ACT_TO_TBL`.
    package static let lookup = Action(rawValue: 1)
    /// `FR_ACT_GOTO`.
    package static let goto = Action(rawValue: 2)
    /// `FR_ACT_NOP`.
    package static let nothing = Action(rawValue: 3)
    /// `FR_ACT_BLACKHOLE`.
    package static let blackhole = Action(rawValue: 6)
    /// `FR_ACT_UNREACHABLE`.
    package static let unreachable = Action(rawValue: 7)
    /// `FR_ACT_PROHIBIT`.
    package static let prohibit = Action(rawValue: 8)

    /// The name ip(8) prints, or the number.
    package var description: String {
      switch self {
      case .lookup: "lookup"
      case .goto: "goto"
      case .nothing: "nop"
      case .blackhole: "blackhole"
      case .unreachable: "unreachable"
      case .prohibit: "prohibit"
      default: "\(rawValue)"
      }
    }
  }

  /// A value with these fields.
  package init(
    family: Int, priority: UInt32, from source: Prefix? = nil, to destination: Prefix? = nil,
    inputInterface: String? = nil, outputInterface: String? = nil, mark: UInt32? = nil,
    mask: UInt32? = nil, table: UInt32 = RouteMessage.mainTable, action: Action = .lookup,
    isInverted: Bool = false, ipProtocol: UInt8? = nil
  ) {
    self.family = family
    self.priority = priority
    self.source = source
    self.destination = destination
    tos = 0
    self.inputInterface = inputInterface
    self.outputInterface = outputInterface
    self.mark = mark
    self.mask = mask
    self.table = table
    self.action = action
    self.isInverted = isInverted
    self.ipProtocol = ipProtocol
  }

  private static let headerLength = 12
  private static let invertFlag: UInt32 = 0x2
  private enum Attribute {
    static let destination: UInt16 = 1
    static let source: UInt16 = 2
    static let inputInterface: UInt16 = 3
    static let target: UInt16 = 4
    static let priority: UInt16 = 6
    static let mark: UInt16 = 10
    static let suppressPrefixLength: UInt16 = 14
    static let table: UInt16 = 15
    static let mask: UInt16 = 16
    static let outputInterface: UInt16 = 17
    static let users: UInt16 = 20
    static let ipProtocol: UInt16 = 22
    static let sourcePorts: UInt16 = 23
    static let destinationPorts: UInt16 = 24
  }

  /// The rule in an `RTM_NEWRULE` or `RTM_DELRULE`; throws for families other than IP (multicast
  /// routing has rules of its own).
  package init(parsing message: NetlinkMessage) throws(WireError) {
    try message.need(RouteMessageType.newRule...RouteMessageType.deleteRule, "rule")
    var reader = ByteReader(message.payload.span)
    let number = try reader.u8()
    let destinationLength = try reader.u8()
    let sourceLength = try reader.u8()
    tos = try reader.u8()
    let shortTable = try reader.u8()
    try reader.skip(2)
    action = Action(rawValue: try reader.u8())
    let flags: UInt32 = try reader.littleEndian()
    isInverted = flags & Self.invertFlag != 0
    family = try AddressFamily.unspecified(number).family
    let attributes = try RouteAttributes(message, after: Self.headerLength)
    priority = try attributes.number(Attribute.priority) ?? 0
    source =
      try attributes.all[type: Attribute.source] == nil
      ? nil : attributes.prefix(Attribute.source, family: number, length: sourceLength)
    destination =
      try attributes.all[type: Attribute.destination] == nil
      ? nil : attributes.prefix(Attribute.destination, family: number, length: destinationLength)
    inputInterface = attributes.string(Attribute.inputInterface)
    outputInterface = attributes.string(Attribute.outputInterface)
    mark = try attributes.number(Attribute.mark)
    mask = try attributes.number(Attribute.mask)
    table = try attributes.number(Attribute.table) ?? UInt32(shortTable)
    target = try attributes.number(Attribute.target)
    ipProtocol = try attributes.number(Attribute.ipProtocol)
    sourcePorts = try Self.range(attributes, Attribute.sourcePorts)
    destinationPorts = try Self.range(attributes, Attribute.destinationPorts)
    users = try Self.range(attributes, Attribute.users)
    let suppressed: UInt32? = try attributes.number(Attribute.suppressPrefixLength)
    suppressPrefixLength = suppressed == .max ? nil : suppressed
  }

  /// Two numbers in host order, the first and the last (`struct fib_rule_port_range`).
  private static func range<T: FixedWidthInteger>(
    _ attributes: RouteAttributes, _ type: UInt16
  ) throws(WireError) -> ClosedRange<T>? {
    guard let value = attributes.all[type: type]?.value else { return nil }
    var reader = ByteReader(value.span)
    let first: T = try reader.littleEndian()
    let last: T = try reader.littleEndian()
    guard first <= last else { throw WireError("range \(first) to \(last)", at: attributes.start) }
    return first...last
  }

  private static func attribute<T: FixedWidthInteger>(
    _ type: UInt16, _ range: ClosedRange<T>
  ) -> NetlinkAttribute {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: range.lowerBound)
    bytes.append(littleEndian: range.upperBound)
    return NetlinkAttribute(type, bytes)
  }

  /// The rule as an `RTM_NEWRULE`.
  package var message: NetlinkMessage {
    var payload: [UInt8] = [
      family == 4 ? AddressFamily.v4 : AddressFamily.v6, UInt8(destination?.length ?? 0),
      UInt8(source?.length ?? 0), tos, table < 256 ? UInt8(table) : 252, 0, 0, action.rawValue,
    ]
    payload.append(littleEndian: isInverted ? Self.invertFlag : 0)
    var attributes = [
      NetlinkAttribute(Attribute.table, host: table),
      NetlinkAttribute(Attribute.priority, host: priority),
    ]
    if let destination {
      attributes.append(.init(Attribute.destination, destination.address.bytes))
    }
    if let source { attributes.append(.init(Attribute.source, source.address.bytes)) }
    if let inputInterface {
      attributes.append(.init(Attribute.inputInterface, string: inputInterface))
    }
    if let outputInterface {
      attributes.append(.init(Attribute.outputInterface, string: outputInterface))
    }
    if let mark { attributes.append(.init(Attribute.mark, host: mark)) }
    if let mask { attributes.append(.init(Attribute.mask, host: mask)) }
    if let target { attributes.append(.init(Attribute.target, host: target)) }
    if let ipProtocol { attributes.append(.init(Attribute.ipProtocol, host: ipProtocol)) }
    if let sourcePorts { attributes.append(Self.attribute(Attribute.sourcePorts, sourcePorts)) }
    if let destinationPorts {
      attributes.append(Self.attribute(Attribute.destinationPorts, destinationPorts))
    }
    if let users { attributes.append(Self.attribute(Attribute.users, users)) }
    if let suppressPrefixLength {
      attributes.append(.init(Attribute.suppressPrefixLength, host: suppressPrefixLength))
    }
    return NetlinkMessage(type: RouteMessageType.newRule, payload: payload + attributes.bytes)
  }

  /// The `RTM_DELRULE` that takes it away.
  package var deletion: NetlinkMessage { message.typed(RouteMessageType.deleteRule) }
}
