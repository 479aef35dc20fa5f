// NFLOG packet messages: <linux/netfilter/nfnetlink_log.h>, nfnetlink subsystem 4 (ULOG).

/// One packet seen at one rule, as NFLOG reports it.
package struct LogMessage: Sendable, Equatable {
  /// NFPROTO_… of the hook; IPv4 or IPv6 also for rules of an inet table.
  package var family: UInt8
  /// The NFLOG group.
  package var group: UInt16
  /// The hook number, in the terms of `family`.
  package var hookNumber: UInt8
  /// EtherType of the packet: 0x0800, 0x86dd, 0x0806…
  package var hardwareProtocol: UInt16
  /// The rule's log prefix.
  package var prefix: String
  /// Index of the input interface; nil where the hook has none.
  package var inDevice: UInt32?
  /// Index of the output interface; nil where the hook has none.
  package var outDevice: UInt32?
  /// Index of the bridge port it came in through.
  package var physicalInDevice: UInt32?
  /// Index of the bridge port it leaves through.
  package var physicalOutDevice: UInt32?
  /// The packet mark; the kernel leaves it out when it is 0.
  package var mark: UInt32
  /// The kernel's timestamp in nanoseconds since the epoch, at hooks that have one.
  package var timestamp: UInt64?
  /// User id of the local socket's owner, if any.
  package var uid: UInt32?
  /// Group id of the same.
  package var gid: UInt32?
  /// Counts the messages of this log instance, from 0; gaps are losses.
  package var sequence: UInt32?
  /// ARPHRD_… of the input device.
  package var hardwareType: UInt16?
  /// Source hardware address of what came in.
  package var hardwareAddress: [UInt8]?
  /// The packet, from the network header on (egress of Ethernet: from the link header on).
  package var payload: [UInt8]

  /// NFULNL_MSG_PACKET in subsystem 4.
  package static let type: UInt16 = UInt16(NetfilterSubsystem.log) << 8

  /// The hook, if the kernel named one this program knows.
  package var hook: Hook? { Hook(number: Int(hookNumber), family: family) }

  /// enum nfulnl_attr_type.
  private enum Attribute {
    static let packetHeader: UInt16 = 1
    static let mark: UInt16 = 2
    static let timestamp: UInt16 = 3
    static let inDevice: UInt16 = 4
    static let outDevice: UInt16 = 5
    static let physicalInDevice: UInt16 = 6
    static let physicalOutDevice: UInt16 = 7
    static let hardwareAddress: UInt16 = 8
    static let payload: UInt16 = 9
    static let prefix: UInt16 = 10
    static let uid: UInt16 = 11
    static let sequence: UInt16 = 12
    static let gid: UInt16 = 14
    static let hardwareType: UInt16 = 15
  }

  /// Decodes the payload of a netlink message of type 0x0400, or a LINKTYPE_NFLOG record: the two
  /// are the same octets. Throws when it is cut off or has no packet header.
  package init(_ payload: [UInt8]) throws(WireError) {
    var packet = 0..<0
    try self.init(payload, packetAt: &packet)
    self.payload = Array(payload[packet])
  }

  /// The same, but its packet is left where it is: `packet` is where among the octets.
  package init(_ payload: [UInt8], packetAt packet: inout Range<Int>) throws(WireError) {
    packet = 0..<0
    let header = try NetfilterHeader(payload)
    family = header.family
    group = header.resource
    hookNumber = 0
    hardwareProtocol = 0
    prefix = ""
    mark = 0
    self.payload = []
    var seenHeader = false
    var reader = ByteReader(payload.span)
    try reader.skip(NetfilterHeader.length)
    while let attribute = try reader.attribute() {
      var value = try reader.value(of: attribute)
      switch attribute.type {
      case Attribute.packetHeader:
        guard attribute.count >= 4 else {
          throw WireError("NFLOG packet header of \(attribute.count) octets", at: 4)
        }
        hardwareProtocol = try value.u16()
        hookNumber = try value.u8()
        seenHeader = true
      case Attribute.mark: mark = value.network() ?? 0
      case Attribute.timestamp:
        guard attribute.count == 16 else { break }
        let seconds = try value.u64()
        let micros = try value.u64()
        // No kernel sends what does not fit, but a file may hold it.
        let (nanoseconds, tooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if !tooLarge, micros < 1_000_000 {
          let (sum, overflow) = nanoseconds.addingReportingOverflow(micros * 1000)
          timestamp = overflow ? nil : sum
        }
      case Attribute.inDevice: inDevice = value.network()
      case Attribute.outDevice: outDevice = value.network()
      case Attribute.physicalInDevice: physicalInDevice = value.network()
      case Attribute.physicalOutDevice: physicalOutDevice = value.network()
      case Attribute.hardwareAddress:
        guard attribute.count >= 4 else { break }
        let length = Int(try value.u16())
        try value.skip(2)
        hardwareAddress = try value.take(min(length, value.remaining))
      case Attribute.payload: packet = value.offset..<value.offset + value.remaining
      case Attribute.prefix: prefix = value.string()
      case Attribute.uid: uid = value.network()
      case Attribute.sequence: sequence = value.network()
      case Attribute.gid: gid = value.network()
      case Attribute.hardwareType: hardwareType = value.network()
      default: break
      }
    }
    guard seenHeader else { throw WireError("no NFLOG packet header", at: payload.count) }
  }

  /// The group and the number of a message.
  package typealias Number = (group: UInt16, number: UInt32?)

  /// The group and the number of a message, of which nothing else is read; nil for what is none.
  package static func number(_ payload: [UInt8]) -> Number? {
    number(payload, in: payload.startIndex..<payload.endIndex)
  }

  /// The same of a message that is a part of some octets.
  package static func number(_ octets: [UInt8], in part: Range<Int>) -> Number? {
    var whole = ByteReader(octets.span)
    guard (try? whole.skip(part.lowerBound)) != nil, var reader = try? whole.slice(part.count),
      (try? reader.skip(2)) != nil, let group = try? reader.u16()
    else { return nil }
    var number: UInt32?
    while let attribute = try? reader.attribute(), var value = try? reader.value(of: attribute) {
      if attribute.type == Attribute.sequence { number = value.network() }
    }
    return (group, number)
  }

  /// Where the packet of a message is that is a part of some octets: from the network header on; nil for what is none, and
  /// where that cannot be told.
  package static func packet(_ octets: [UInt8], in part: Range<Int>) -> Range<Int>? {
    var whole = ByteReader(octets.span)
    guard (try? whole.skip(part.lowerBound)) != nil, var reader = try? whole.slice(part.count),
      let family = try? reader.u8(), (try? reader.skip(3)) != nil
    else { return nil }
    var isSent = false
    var link: UInt16?
    var packet: Range<Int>?
    while let attribute = try? reader.attribute(), var value = try? reader.value(of: attribute) {
      switch attribute.type {
      case Attribute.packetHeader:
        link = try? value.u16()
        isSent = family == NFProto.netdev && (try? value.u8()) == 1
      case Attribute.payload: packet = value.offset..<value.offset + value.remaining
      default: break
      }
    }
    guard let link, let packet else { return nil }
    // At egress of Ethernet, its header comes first.
    if isSent, packet.count > 34,
      UInt16(octets[packet.lowerBound + 12]) << 8 | UInt16(octets[packet.lowerBound + 13]) == link
    {
      return packet.lowerBound + 14..<packet.upperBound
    }
    return packet
  }

  /// A message of these fields; what is nil is left out of `bytes`.
  package init(
    family: UInt8, group: UInt16 = 0, hookNumber: UInt8, hardwareProtocol: UInt16 = 0x0800,
    prefix: String, inDevice: UInt32? = nil, outDevice: UInt32? = nil, mark: UInt32 = 0,
    sequence: UInt32? = nil, payload: [UInt8]
  ) {
    self.family = family
    self.group = group
    self.hookNumber = hookNumber
    self.hardwareProtocol = hardwareProtocol
    self.prefix = prefix
    self.inDevice = inDevice
    self.outDevice = outDevice
    self.mark = mark
    self.sequence = sequence
    self.payload = payload
  }

  /// A time in nanoseconds since the epoch as the attribute has it: struct nfulnl_msg_packet_timestamp.
  package static func timestampOctets(_ time: UInt64) -> [UInt8] {
    var value: [UInt8] = []
    value.append(bigEndian: time / 1_000_000_000)
    value.append(bigEndian: time % 1_000_000_000 / 1000)
    return value
  }

  /// The payload of the netlink message.
  package var bytes: [UInt8] {
    var attributes: [NetlinkAttribute] = [
      NetlinkAttribute(
        Attribute.packetHeader,
        [
          UInt8(hardwareProtocol >> 8), UInt8(truncatingIfNeeded: hardwareProtocol), hookNumber, 0,
        ]),
      NetlinkAttribute(Attribute.prefix, string: prefix),
    ]
    if let inDevice { attributes.append(NetlinkAttribute(Attribute.inDevice, network: inDevice)) }
    if let outDevice {
      attributes.append(NetlinkAttribute(Attribute.outDevice, network: outDevice))
    }
    if let physicalInDevice {
      attributes.append(NetlinkAttribute(Attribute.physicalInDevice, network: physicalInDevice))
    }
    if let physicalOutDevice {
      attributes.append(NetlinkAttribute(Attribute.physicalOutDevice, network: physicalOutDevice))
    }
    if mark != 0 { attributes.append(NetlinkAttribute(Attribute.mark, network: mark)) }
    if let timestamp {
      attributes.append(
        NetlinkAttribute(Attribute.timestamp, Self.timestampOctets(timestamp)))
    }
    if let uid { attributes.append(NetlinkAttribute(Attribute.uid, network: uid)) }
    if let gid { attributes.append(NetlinkAttribute(Attribute.gid, network: gid)) }
    if let sequence { attributes.append(NetlinkAttribute(Attribute.sequence, network: sequence)) }
    if let hardwareType {
      attributes.append(NetlinkAttribute(Attribute.hardwareType, network: hardwareType))
    }
    if let hardwareAddress {
      var value: [UInt8] = []
      value.append(bigEndian: UInt16(clamping: hardwareAddress.count))
      value += [0, 0] + hardwareAddress
      while value.count < 12 { value.append(0) }
      attributes.append(NetlinkAttribute(Attribute.hardwareAddress, value))
    }
    attributes.append(NetlinkAttribute(Attribute.payload, payload))
    return NetfilterHeader(family: family, resource: group).bytes + attributes.bytes
  }
}
