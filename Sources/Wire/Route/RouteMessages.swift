// What rtnetlink sends and takes, after its fixed headers: rtnetlink(7), <linux/rtnetlink.h>,
// <linux/if_link.h>, <linux/if_addr.h>, <linux/fib_rules.h>, <linux/neighbour.h>.
//
// A message is a fixed header that begins with the address family, padded to four octets, and
// attributes behind it. Numbers are in host order, addresses in network order.

/// Message types of rtnetlink (`RTM_…`).
public enum RouteMessageType {
  /// `RTM_NEWLINK`.
  public static let newLink: UInt16 = 16
  /// `RTM_DELLINK`.
  public static let deleteLink: UInt16 = 17
  /// `RTM_GETLINK`.
  public static let getLink: UInt16 = 18
  /// `RTM_NEWADDR`.
  public static let newAddress: UInt16 = 20
  /// `RTM_DELADDR`.
  public static let deleteAddress: UInt16 = 21
  /// `RTM_GETADDR`.
  public static let getAddress: UInt16 = 22
  /// `RTM_NEWROUTE`.
  public static let newRoute: UInt16 = 24
  /// `RTM_DELROUTE`.
  public static let deleteRoute: UInt16 = 25
  /// `RTM_GETROUTE`.
  public static let getRoute: UInt16 = 26
  /// `RTM_NEWNEIGH`.
  public static let newNeighbour: UInt16 = 28
  /// `RTM_DELNEIGH`.
  public static let deleteNeighbour: UInt16 = 29
  /// `RTM_GETNEIGH`.
  public static let getNeighbour: UInt16 = 30
  /// `RTM_NEWRULE`.
  public static let newRule: UInt16 = 32
  /// `RTM_DELRULE`.
  public static let deleteRule: UInt16 = 33
  /// `RTM_GETRULE`.
  public static let getRule: UInt16 = 34
  /// `RTM_NEWQDISC`.
  public static let newQdisc: UInt16 = 36
  /// `RTM_GETQDISC`.
  public static let getQdisc: UInt16 = 38

  /// Octets of the fixed header that a request of this type begins with: `ifinfomsg`, `ifaddrmsg`,
  /// `rtmsg` (and the rules' `fib_rule_hdr`), `ndmsg` or `tcmsg`. The kernel takes what is longer for
  /// a broken attribute, and complains in its log.
  public static func headerLength(of type: UInt16) -> Int {
    switch type {
    case getAddress: 8
    case getRoute, getNeighbour, getRule: 12
    case getQdisc: QdiscMessage.headerLength
    default: LinkMessage.headerLength
    }
  }

  /// What asks for all of a kind: `type` is an `RTM_GET…`, `family` an address family as netlink
  /// numbers them (0 all, 2 IPv4, 10 IPv6).
  public static func dump(_ type: UInt16, family: UInt8 = 0) -> NetlinkMessage {
    // Nothing but the family set.
    NetlinkMessage(
      type: type, flags: NetlinkMessage.dumpRequest,
      payload: [family] + Array(repeating: 0, count: headerLength(of: type) - 1))
  }
}

/// How far an address or a route reaches (`rtm_scope`, `ifa_scope`).
public struct RouteScope: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  /// The number on the wire.
  public var rawValue: UInt8
  /// The value with this number.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// `RT_SCOPE_UNIVERSE`.
  public static let universe = RouteScope(rawValue: 0)
  /// `RT_SCOPE_SITE`.
  public static let site = RouteScope(rawValue: 200)
  /// `RT_SCOPE_LINK`.
  public static let link = RouteScope(rawValue: 253)
  /// `RT_SCOPE_HOST`.
  public static let host = RouteScope(rawValue: 254)
  /// `RT_SCOPE_NOWHERE`.
  public static let nowhere = RouteScope(rawValue: 255)

  /// The name ip(8) prints, or the number.
  public var description: String {
    switch self {
    case .universe: "global"
    case .site: "site"
    case .link: "link"
    case .host: "host"
    case .nowhere: "nowhere"
    default: "\(rawValue)"
    }
  }
}

/// A link-layer address: six octets on Ethernet, none on a TUN device.
public struct HardwareAddress: Sendable, Hashable, CustomStringConvertible {
  /// The octets as they go over the wire.
  public var bytes: [UInt8]

  /// A value with these fields.
  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Octets in hexadecimal with colons between: "02:00:00:00:00:09".
  public var description: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }
}

/// Address families as netlink numbers them (`AF_INET`, `AF_INET6`).
enum AddressFamily {
  static let v4: UInt8 = 2
  static let v6: UInt8 = 10

  /// The number of an address's own family.
  static func of(_ address: IPAddress) -> UInt8 { address.family == 4 ? v4 : v6 }

  /// All zeros in that family; throws for families without IP addresses.
  static func unspecified(_ family: UInt8) throws(WireError) -> IPAddress {
    switch family {
    case v4: return .v4(0)
    case v6: return .v6(0)
    default: throw WireError("address family \(family) is neither IPv4 nor IPv6", at: 0)
    }
  }
}

/// The attributes behind a fixed header, read strictly: an attribute that is missing is nil, one
/// of the wrong size throws.
struct RouteAttributes {
  let all: [NetlinkAttribute]
  /// Where they begin in the payload, in octets: the place an error names.
  let start: Int

  init(_ message: NetlinkMessage, after header: Int) throws(WireError) {
    self.init(all: try NetlinkAttribute.all(in: message.payload, from: header), start: header)
  }

  init(all: [NetlinkAttribute], start: Int) {
    self.all = all
    self.start = start
  }

  func number<T: FixedWidthInteger>(_ type: UInt16, as _: T.Type = T.self) throws(WireError) -> T? {
    guard let attribute = all[type: type] else { return nil }
    guard let value: T = attribute.host() else {
      throw wrongSize(attribute, "\(T.bitWidth / 8)")
    }
    return value
  }

  func address(_ type: UInt16) throws(WireError) -> IPAddress? {
    guard let attribute = all[type: type] else { return nil }
    guard let value = IPAddress(bytes: attribute.value) else {
      throw wrongSize(attribute, "4 or 16")
    }
    return value
  }

  func string(_ type: UInt16) -> String? { all[type: type]?.string }

  func hardware(_ type: UInt16) -> HardwareAddress? {
    guard let value = all[type: type]?.value, !value.isEmpty else { return nil }
    return HardwareAddress(value)
  }

  func nested(_ type: UInt16) throws(WireError) -> RouteAttributes? {
    guard let attribute = all[type: type] else { return nil }
    return RouteAttributes(all: try attribute.nested(), start: start)
  }

  /// A prefix whose length stands in the header and whose address, if it has one, is here.
  func prefix(_ type: UInt16, family: UInt8, length: UInt8) throws(WireError) -> Prefix {
    let given = try address(type)
    let address = if let given { given } else { try AddressFamily.unspecified(family) }
    guard let prefix = Prefix(address, length: Int(length)) else {
      throw WireError("prefix length \(length) of \(address)", at: start)
    }
    return prefix
  }

  private func wrongSize(_ attribute: NetlinkAttribute, _ expected: String) -> WireError {
    WireError(
      "attribute \(attribute.type) has \(attribute.value.count) octets, not \(expected)", at: start)
  }
}

extension NetlinkMessage {
  /// Throws unless the message is one of these types.
  func need(_ types: ClosedRange<UInt16>, _ name: String) throws(WireError) {
    guard types.contains(type) else {
      throw WireError("netlink message type \(type) is no \(name)", at: 0)
    }
  }

  /// The same message under another type: how a deletion is made from an addition.
  func typed(_ type: UInt16) -> NetlinkMessage {
    var message = self
    message.type = type
    return message
  }
}

/// An address of an interface (`struct ifaddrmsg`).
public struct AddressMessage: Sendable, Hashable {
  /// Index of the interface it is on.
  public var interface: UInt32
  /// The address and the length of its subnet.
  public var local: Prefix
  /// The other end, where that is not the interface itself.
  public var peer: IPAddress?
  /// IPv4's broadcast address, where there is one.
  public var broadcast: IPAddress?
  /// The label ifconfig(8) shows; IPv4 only.
  public var label: String?
  /// Where it is valid.
  public var scope: RouteScope
  /// `IFA_F_…` bits.
  public var flags: UInt32

  /// `IFA_F_NODAD`: usable at once, without asking the link whether somebody else has it.
  public static let noDuplicateDetection: UInt32 = 0x02
  /// `IFA_F_TENTATIVE`: duplicate detection is not over, the address cannot be used yet.
  public static let tentative: UInt32 = 0x40
  /// `IFA_F_DADFAILED`: somebody else on the link has it.
  public static let duplicate: UInt32 = 0x08

  private static let headerLength = 8
  private enum Attribute {
    static let address: UInt16 = 1
    static let local: UInt16 = 2
    static let label: UInt16 = 3
    static let broadcast: UInt16 = 4
    static let flags: UInt16 = 8
  }

  /// A value with these fields.
  public init(
    interface: UInt32, local: Prefix, peer: IPAddress? = nil, broadcast: IPAddress? = nil,
    label: String? = nil, scope: RouteScope = .universe, flags: UInt32 = 0
  ) {
    self.interface = interface
    self.local = local
    self.peer = peer
    self.broadcast = broadcast
    self.label = label
    self.scope = scope
    self.flags = flags
  }

  /// The address in an `RTM_NEWADDR` or `RTM_DELADDR`; throws for families other than IP.
  public init(parsing message: NetlinkMessage) throws(WireError) {
    try message.need(RouteMessageType.newAddress...RouteMessageType.deleteAddress, "address")
    var reader = ByteReader(message.payload.span)
    let family = try reader.u8()
    let length = try reader.u8()
    let shortFlags = try reader.u8()
    scope = RouteScope(rawValue: try reader.u8())
    interface = try reader.littleEndian()
    let attributes = try RouteAttributes(message, after: Self.headerLength)
    // IFA_ADDRESS is the address itself on broadcast links and the peer on point-to-point ones,
    // where IFA_LOCAL has ours. IPv6 sends IFA_LOCAL only when there is a peer.
    let address = try attributes.address(Attribute.address)
    let own = try attributes.address(Attribute.local) ?? address
    guard let own, AddressFamily.of(own) == family, let local = Prefix(own, length: Int(length))
    else { throw WireError("interface address of family \(family)/\(length)", at: 0) }
    self.local = local
    peer = address == own ? nil : address
    broadcast = try attributes.address(Attribute.broadcast)
    label = attributes.string(Attribute.label)
    flags = try attributes.number(Attribute.flags) ?? UInt32(shortFlags)
  }

  /// The address as an `RTM_NEWADDR`.
  public var message: NetlinkMessage {
    var payload: [UInt8] = [
      AddressFamily.of(local.address), UInt8(local.length), UInt8(truncatingIfNeeded: flags),
      scope.rawValue,
    ]
    payload.append(littleEndian: interface)
    var attributes = [
      NetlinkAttribute(Attribute.local, local.address.bytes),
      NetlinkAttribute(Attribute.address, (peer ?? local.address).bytes),
    ]
    if let broadcast { attributes.append(.init(Attribute.broadcast, broadcast.bytes)) }
    if let label { attributes.append(.init(Attribute.label, string: label)) }
    attributes.append(.init(Attribute.flags, host: flags))
    return NetlinkMessage(type: RouteMessageType.newAddress, payload: payload + attributes.bytes)
  }

  /// The `RTM_DELADDR` that takes it away.
  public var deletion: NetlinkMessage { message.typed(RouteMessageType.deleteAddress) }
}
