/// A packet that the kernel threw away, and why: what the tracepoint skb:kfree_skb says
/// (<trace/events/skb.h> and <net/dropreason-core.h> of the kernel).
package struct DropEvent: Sendable, Equatable {
  /// When, in nanoseconds since the epoch.
  package var time: UInt64
  /// The number of the reason, `enum skb_drop_reason` of the running kernel; nil where the kernel
  /// gives none (before Linux 5.17).
  package var reasonNumber: UInt32?
  /// Its name without `SKB_DROP_REASON_`: "NETFILTER_DROP"; nil for a number that has no name.
  package var reasonName: String?
  /// The place in the kernel, as "nft_do_chain+0x3e8", with the module in brackets behind a blank if
  /// it is in one; nil where that could not be told.
  package var location: String?
  /// Index of the interface the packet was at; 0 for none.
  package var device: UInt32
  /// Inode number of the network namespace the packet was in; 0 where the kernel did not know any
  /// more, for packets neither at an interface nor of a socket.
  package var namespace: UInt32
  /// By what name that namespace can be found, where it is not the one that is watched.
  package var place: String?
  /// Whether rules there know what was sent before, so that they may take what was asked for and nothing else; nil
  /// where that is not known.
  package var rulesRemember: Bool?
  /// The beginning of the packet, from its network header on, 128 octets at most.
  package var packet: [UInt8]

  /// An event of these values.
  package init(
    time: UInt64, reasonNumber: UInt32?, reasonName: String?, location: String?, device: UInt32,
    namespace: UInt32, packet: [UInt8]
  ) {
    self.time = time
    self.reasonNumber = reasonNumber
    self.reasonName = reasonName
    self.location = location
    self.device = device
    self.namespace = namespace
    self.packet = packet
  }

  /// The reason as people write it: its name, otherwise its number; nil where the kernel gives none.
  package var reason: String? { reasonName ?? reasonNumber.map { "reason \($0)" } }

  // MARK: As a message

  /// The type of `message`. No subsystem of nfnetlink has the number 255: in a session file, drops
  /// stand among the netlink messages without being taken for one of the kernel's.
  package static let messageType: UInt16 = 0xff01

  /// nftrace's own attributes, each an integer in host order, a text, or octets.
  private enum Attribute {
    static let time: UInt16 = 1
    static let reasonNumber: UInt16 = 2
    static let reasonName: UInt16 = 3
    static let location: UInt16 = 4
    static let device: UInt16 = 5
    static let namespace: UInt16 = 6
    static let packet: UInt16 = 7
    static let place: UInt16 = 8
    static let connections: UInt16 = 9
  }

  /// The event from netlink attributes, as `bytes` gives them. Unknown attributes are skipped. Throws
  /// where they are cut short, and when there is no packet.
  package init(parsing bytes: [UInt8]) throws(WireError) {
    let attributes = try NetlinkAttribute.all(in: bytes)
    guard let packet = attributes[type: Attribute.packet]?.value else {
      throw WireError("drop event without a packet", at: bytes.count)
    }
    self.packet = packet
    time = attributes[type: Attribute.time]?.host() ?? 0
    reasonNumber = attributes[type: Attribute.reasonNumber]?.host()
    reasonName = attributes[type: Attribute.reasonName]?.string
    location = attributes[type: Attribute.location]?.string
    device = attributes[type: Attribute.device]?.host() ?? 0
    namespace = attributes[type: Attribute.namespace]?.host() ?? 0
    place = attributes[type: Attribute.place]?.string
    rulesRemember = attributes[type: Attribute.connections]?.host(UInt32.self).map { $0 != 0 }
  }

  /// The event in a message of type `messageType`.
  package init(parsing message: NetlinkMessage) throws(WireError) {
    guard message.type == Self.messageType else {
      throw WireError("netlink message of type \(message.type) is no drop event", at: 4)
    }
    try self.init(parsing: message.payload)
  }

  /// The event as netlink attributes.
  package var bytes: [UInt8] {
    var attributes = [NetlinkAttribute(Attribute.time, host: time)]
    if let reasonNumber {
      attributes.append(NetlinkAttribute(Attribute.reasonNumber, host: reasonNumber))
    }
    if let reasonName {
      attributes.append(NetlinkAttribute(Attribute.reasonName, string: reasonName))
    }
    if let location { attributes.append(NetlinkAttribute(Attribute.location, string: location)) }
    attributes += [
      NetlinkAttribute(Attribute.device, host: device),
      NetlinkAttribute(Attribute.namespace, host: namespace),
      NetlinkAttribute(Attribute.packet, packet),
    ]
    if let place { attributes.append(NetlinkAttribute(Attribute.place, string: place)) }
    if let rulesRemember {
      let number: UInt32 = rulesRemember ? 1 : 0
      attributes.append(NetlinkAttribute(Attribute.connections, host: number))
    }
    return attributes.bytes
  }

  /// The event as a message, to be kept with those of the kernel.
  package var message: NetlinkMessage {
    NetlinkMessage(type: Self.messageType, payload: bytes)
  }
}
