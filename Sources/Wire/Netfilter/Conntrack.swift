// Conntrack messages: <linux/netfilter/nfnetlink_conntrack.h>, enum ctattr_type.

/// One direction of a connection as conntrack keeps it.
public struct ConntrackTuple: Sendable, Hashable {
  /// Who sends in this direction.
  public var source: IPAddress
  /// Who receives in this direction, of the same family as `source`.
  public var destination: IPAddress
  /// The transport protocol.
  public var proto: IPProtocol
  /// The sender's port, in TCP, UDP and their like.
  public var sourcePort: UInt16?
  /// The receiver's port, in TCP, UDP and their like.
  public var destinationPort: UInt16?
  /// The identifier of an ICMP echo.
  public var icmpID: UInt16?
  /// The ICMP type; in the reply direction, the answer's.
  public var icmpType: UInt8?
  /// The ICMP code.
  public var icmpCode: UInt8?

  /// A tuple of these fields.
  public init(
    source: IPAddress, destination: IPAddress, proto: IPProtocol, sourcePort: UInt16? = nil,
    destinationPort: UInt16? = nil, icmpID: UInt16? = nil, icmpType: UInt8? = nil,
    icmpCode: UInt8? = nil
  ) {
    self.source = source
    self.destination = destination
    self.proto = proto
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.icmpID = icmpID
    self.icmpType = icmpType
    self.icmpCode = icmpCode
  }

  init?(_ attribute: NetlinkAttribute?) throws(WireError) {
    guard let attribute else { return nil }
    let parts = try attribute.nested()
    guard let ip = try parts[type: 1]?.nested(), let l4 = try parts[type: 2]?.nested(),
      let source = (ip[type: 1] ?? ip[type: 3]).flatMap({ IPAddress(bytes: $0.value) }),
      let destination = (ip[type: 2] ?? ip[type: 4]).flatMap({ IPAddress(bytes: $0.value) }),
      source.family == destination.family, let proto = l4[type: 1]?.value.first
    else { return nil }
    self.init(
      source: source, destination: destination, proto: IPProtocol(rawValue: proto),
      sourcePort: l4[type: 2]?.network(), destinationPort: l4[type: 3]?.network(),
      icmpID: (l4[type: 4] ?? l4[type: 7])?.network(),
      icmpType: (l4[type: 5] ?? l4[type: 8])?.value.first,
      icmpCode: (l4[type: 6] ?? l4[type: 9])?.value.first)
  }

  func attribute(_ type: UInt16) -> NetlinkAttribute {
    let v6 = source.family == 6
    let icmp: UInt16 = proto == .icmpv6 ? 7 : 4
    var l4 = [NetlinkAttribute(1, [proto.rawValue])]
    if let sourcePort { l4.append(NetlinkAttribute(2, network: sourcePort)) }
    if let destinationPort { l4.append(NetlinkAttribute(3, network: destinationPort)) }
    if let icmpID { l4.append(NetlinkAttribute(icmp, network: icmpID)) }
    if let icmpType { l4.append(NetlinkAttribute(icmp + 1, [icmpType])) }
    if let icmpCode { l4.append(NetlinkAttribute(icmp + 2, [icmpCode])) }
    return NetlinkAttribute(
      type,
      nested: [
        NetlinkAttribute(
          1,
          nested: [
            NetlinkAttribute(v6 ? 3 : 1, source.bytes),
            NetlinkAttribute(v6 ? 4 : 2, destination.bytes),
          ]),
        NetlinkAttribute(2, nested: l4),
      ])
  }
}

/// What conntrack said of a connection.
public struct ConntrackMessage: Sendable, Equatable {
  /// What happened to the connection.
  public enum Event: String, Sendable {
    case new, update, destroy
  }

  /// IPS_… bits of <linux/netfilter/nf_conntrack_common.h>.
  public struct Status: OptionSet, Sendable, Hashable {
    /// The bits as the kernel gives them, unknown ones too.
    public let rawValue: UInt32
    /// The status of these bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// IPS_EXPECTED: another connection announced it.
    public static let expected = Status(rawValue: 1)
    /// IPS_SEEN_REPLY: packets went both ways.
    public static let seenReply = Status(rawValue: 2)
    /// IPS_ASSURED: not dropped early when the table is full.
    public static let assured = Status(rawValue: 4)
    /// IPS_CONFIRMED: its first packet got past the last hook.
    public static let confirmed = Status(rawValue: 8)
    /// IPS_SRC_NAT: the source is translated, in the original direction.
    public static let sourceNAT = Status(rawValue: 0x10)
    /// IPS_DST_NAT: the destination is translated, in the original direction.
    public static let destinationNAT = Status(rawValue: 0x20)
    /// IPS_DYING: removed from the table.
    public static let dying = Status(rawValue: 0x200)
    /// IPS_OFFLOAD: a flowtable of nf_tables takes its packets past the hooks.
    public static let offload = Status(rawValue: 0x4000)
    /// IPS_HW_OFFLOAD: the interface's hardware does.
    public static let hardwareOffload = Status(rawValue: 0x8000)
  }

  /// NFPROTO_IPV4 or NFPROTO_IPV6.
  public var family: UInt8
  /// What happened.
  public var event: Event
  /// The direction of the first packet, as it was before translation.
  public var original: ConntrackTuple
  /// The direction of the answers, as they are before their translation is undone.
  public var reply: ConntrackTuple
  /// What is known of the connection.
  public var status: Status
  /// The same number as in trace messages.
  public var id: UInt32?
  /// Seconds until it is forgotten.
  public var timeout: UInt32?
  /// The conntrack zone; nil for the default one, 0.
  public var zone: UInt16?

  /// A message of these fields, without timeout and zone.
  public init(
    family: UInt8, event: Event, original: ConntrackTuple, reply: ConntrackTuple, status: Status,
    id: UInt32?
  ) {
    self.family = family
    self.event = event
    self.original = original
    self.reply = reply
    self.status = status
    self.id = id
  }

  /// Whether `type` is one of conntrack's: IPCTNL_MSG_CT_NEW and _DELETE in subsystem 1.
  public static func isOne(_ type: UInt16) -> Bool { type == 0x0100 || type == 0x0102 }

  /// Decodes a conntrack event or dump entry. nil for one without both tuples. Throws when it is
  /// cut off.
  public init?(_ message: NetlinkMessage) throws(WireError) {
    let attributes = try NetlinkAttribute.all(in: message.payload, from: NetfilterHeader.length)
    guard let original = try ConntrackTuple(attributes[type: 1]),
      let reply = try ConntrackTuple(attributes[type: 2])
    else { return nil }
    family = try NetfilterHeader(message.payload).family
    self.original = original
    self.reply = reply
    // NLM_F_CREATE | NLM_F_EXCL mark the first message of a connection.
    event = message.type == 0x0102 ? .destroy : message.flags & 0x600 != 0 ? .new : .update
    status = Status(rawValue: attributes[type: 3]?.network() ?? 0)
    id = attributes[type: 12]?.network()
    timeout = attributes[type: 7]?.network()
    zone = attributes[type: 18]?.network()
  }

  /// The netlink message.
  public var message: NetlinkMessage {
    var attributes = [
      original.attribute(1), reply.attribute(2), NetlinkAttribute(3, network: status.rawValue),
    ]
    if let timeout { attributes.append(NetlinkAttribute(7, network: timeout)) }
    if let id { attributes.append(NetlinkAttribute(12, network: id)) }
    if let zone { attributes.append(NetlinkAttribute(18, network: zone)) }
    return NetlinkMessage(
      type: event == .destroy ? 0x0102 : 0x0100, flags: event == .new ? 0x600 : 0,
      payload: NetfilterHeader(family: family).bytes + attributes.bytes)
  }
}
