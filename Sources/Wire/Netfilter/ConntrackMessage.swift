// Conntrack messages: <linux/netfilter/nfnetlink_conntrack.h>, enum ctattr_type.

/// What conntrack said of a connection.
package struct ConntrackMessage: Sendable, Equatable {
  /// What happened to the connection.
  package enum Event: String, Sendable {
    case new, update, destroy
  }

  /// IPS_… bits of <linux/netfilter/nf_conntrack_common.h>.
  package struct Status: OptionSet, Sendable, Hashable {
    /// The bits as the kernel gives them, unknown ones too.
    package let rawValue: UInt32
    /// The status of these bits.
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    /// IPS_EXPECTED: another connection announced it.
    package static let expected = Status(rawValue: 1)
    /// IPS_SEEN_REPLY: packets went both ways.
    package static let seenReply = Status(rawValue: 2)
    /// IPS_CONFIRMED: its first packet got past the last hook.
    package static let confirmed = Status(rawValue: 8)
    /// IPS_SRC_NAT: the source is translated, in the original direction.
    package static let sourceNAT = Status(rawValue: 0x10)
    /// IPS_DST_NAT: the destination is translated, in the original direction.
    package static let destinationNAT = Status(rawValue: 0x20)
    /// IPS_OFFLOAD: a flowtable of nf_tables takes its packets past the hooks.
    package static let offload = Status(rawValue: 0x4000)
    /// IPS_HW_OFFLOAD: the interface's hardware does.
    package static let hardwareOffload = Status(rawValue: 0x8000)
  }

  /// NFPROTO_IPV4 or NFPROTO_IPV6.
  package var family: UInt8
  /// What happened.
  package var event: Event
  /// The direction of the first packet, as it was before translation.
  package var original: ConntrackTuple
  /// The direction of the answers, as they are before their translation is undone.
  package var reply: ConntrackTuple
  /// What is known of the connection.
  package var status: Status
  /// The same number as in trace messages.
  package var id: UInt32?
  /// Seconds until it is forgotten.
  package var timeout: UInt32?
  /// Whether a SYN proxy of this host has a part in it.
  package var isProxied = false
  /// The conntrack zone; nil for the default one, 0.
  package var zone: UInt16?

  /// A message of these fields, without timeout and zone.
  package init(
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

  /// IPCTNL_MSG_CT_NEW in subsystem 1.
  private static let newType: UInt16 = 0x0100
  /// IPCTNL_MSG_CT_DELETE in subsystem 1.
  private static let deleteType: UInt16 = 0x0102

  /// Whether `type` is one of conntrack's.
  package static func isOne(_ type: UInt16) -> Bool { type == newType || type == deleteType }

  /// enum ctattr_type.
  private enum Attribute {
    static let original: UInt16 = 1
    static let reply: UInt16 = 2
    static let status: UInt16 = 3
    static let timeout: UInt16 = 7
    static let id: UInt16 = 12
    static let zone: UInt16 = 18
    static let proxy: UInt16 = 24
  }

  /// Decodes a conntrack event or dump entry. nil for one without both tuples. Throws when it is
  /// cut off.
  package init?(_ message: NetlinkMessage) throws(WireError) {
    let attributes = try NetlinkAttribute.all(in: message.payload, from: NetfilterHeader.length)
    guard let original = try ConntrackTuple(attributes[type: Attribute.original]),
      let reply = try ConntrackTuple(attributes[type: Attribute.reply])
    else { return nil }
    family = try NetfilterHeader(message.payload).family
    self.original = original
    self.reply = reply
    // NLM_F_CREATE | NLM_F_EXCL mark the first message of a connection.
    event = message.type == Self.deleteType ? .destroy : message.flags & 0x600 != 0 ? .new : .update
    status = Status(rawValue: attributes[type: Attribute.status]?.network() ?? 0)
    id = attributes[type: Attribute.id]?.network()
    timeout = attributes[type: Attribute.timeout]?.network()
    zone = attributes[type: Attribute.zone]?.network()
    isProxied = attributes[type: Attribute.proxy] != nil
  }

  /// The netlink message.
  package var message: NetlinkMessage {
    var attributes = [
      original.attribute(Attribute.original), reply.attribute(Attribute.reply),
      NetlinkAttribute(Attribute.status, network: status.rawValue),
    ]
    if let timeout { attributes.append(NetlinkAttribute(Attribute.timeout, network: timeout)) }
    if let id { attributes.append(NetlinkAttribute(Attribute.id, network: id)) }
    if let zone { attributes.append(NetlinkAttribute(Attribute.zone, network: zone)) }
    if isProxied { attributes.append(NetlinkAttribute(Attribute.proxy, nested: [])) }
    return NetlinkMessage(
      type: event == .destroy ? Self.deleteType : Self.newType, flags: event == .new ? 0x600 : 0,
      payload: NetfilterHeader(family: family).bytes + attributes.bytes)
  }
}
