/// A route, or the kernel's answer to a route lookup (`struct rtmsg` of <linux/rtnetlink.h>).
package struct RouteMessage: Sendable, Hashable {
  /// Where it leads; length 0 is the default route.
  package var destination: Prefix
  /// Sources it is for; length 0 is all of them. IPv6 only.
  package var source: Prefix
  /// Type of service it is for; 0 is any.
  package var tos: UInt8
  /// Routing table: 254 main, 255 local.
  package var table: UInt32
  /// What becomes of a packet that takes it.
  package var kind: Kind
  /// How far it reaches.
  package var scope: RouteScope
  /// Who made it (`rtm_protocol`).
  package var origin: Origin
  /// `RTNH_F_…` and `RTM_F_…` bits.
  package var flags: Flags
  /// The next hop; nil when the destination is on the link. Its family may differ from the
  /// destination's (`RTA_VIA`).
  package var gateway: IPAddress?
  /// Index of the interface it leaves through.
  package var outputInterface: UInt32?
  /// Index of the interface a lookup was made for.
  package var inputInterface: UInt32?
  /// Source address for packets of this host.
  package var preferredSource: IPAddress?
  /// Among routes for one destination the lowest metric wins.
  package var metric: UInt32?
  /// Path MTU in octets, where the route sets one (`RTAX_MTU`).
  package var mtu: UInt32?
  /// The ways to choose from, for a multipath route.
  package var nextHops: [NextHop]
  /// The next hop object it uses (`ip nexthop`, RTA_NH_ID); nil for none.
  package var nextHopObject: UInt32?

  /// One way of a multipath route (`struct rtnexthop`).
  package struct NextHop: Sendable, Hashable {
    /// Index of the interface it leaves through.
    package var interface: UInt32
    /// The next hop; nil when the destination is on the link.
    package var gateway: IPAddress?
    /// Share of the traffic, from 1 up.
    package var weight: Int
    /// `RTNH_F_…` bits.
    package var flags: UInt8

    /// A value with these fields.
    package init(interface: UInt32, gateway: IPAddress? = nil, weight: Int = 1, flags: UInt8 = 0) {
      self.interface = interface
      self.gateway = gateway
      self.weight = weight
      self.flags = flags
    }
  }

  /// What becomes of a packet that takes it (`RTN_…`).
  package struct Kind: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The number on the wire.
    package var rawValue: UInt8
    /// The value with this number.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `RTN_UNSPEC`.
    package static let unspecified = Kind(rawValue: 0)
    /// `RTN_UNICAST`.
    package static let unicast = Kind(rawValue: 1)
    /// `RTN_LOCAL`.
    package static let local = Kind(rawValue: 2)
    /// `RTN_BROADCAST`.
    package static let broadcast = Kind(rawValue: 3)
    /// `RTN_ANYCAST`.
    package static let anycast = Kind(rawValue: 4)
    /// `RTN_MULTICAST`.
    package static let multicast = Kind(rawValue: 5)
    /// `RTN_BLACKHOLE`.
    package static let blackhole = Kind(rawValue: 6)
    /// `RTN_UNREACHABLE`.
    package static let unreachable = Kind(rawValue: 7)
    /// `RTN_PROHIBIT`.
    package static let prohibit = Kind(rawValue: 8)
    /// `RTN_THROW`.
    package static let `throw` = Kind(rawValue: 9)
    /// `RTN_NAT`.
    package static let nat = Kind(rawValue: 10)

    /// The name ip(8) prints, or the number.
    package var description: String {
      let names = [
        "unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole",
        "unreachable", "prohibit", "throw", "nat",
      ]
      return Int(rawValue) < names.count ? names[Int(rawValue)] : "\(rawValue)"
    }
  }

  /// Who made a route (`RTPROT_…`).
  package struct Origin: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The number on the wire.
    package var rawValue: UInt8
    /// The value with this number.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `RTPROT_UNSPEC`.
    package static let unspecified = Origin(rawValue: 0)
    /// `RTPROT_REDIRECT`.
    package static let redirect = Origin(rawValue: 1)
    /// `RTPROT_KERNEL`.
    package static let kernel = Origin(rawValue: 2)
    /// `RTPROT_BOOT`.
    package static let boot = Origin(rawValue: 3)
    /// `RTPROT_STATIC`.
    package static let `static` = Origin(rawValue: 4)
    /// `RTPROT_RA`.
    package static let routerAdvertisement = Origin(rawValue: 9)
    /// `RTPROT_DHCP`.
    package static let dhcp = Origin(rawValue: 16)

    /// The name ip(8) prints, or the number.
    package var description: String {
      switch self {
      case .unspecified: "unspec"
      case .redirect: "redirect"
      case .kernel: "kernel"
      case .boot: "boot"
      case .static: "static"
      case .routerAdvertisement: "ra"
      case .dhcp: "dhcp"
      default: "\(rawValue)"
      }
    }
  }

  /// `RTNH_F_…` (a next hop's) and `RTM_F_…` (a message's) bits share one field.
  package struct Flags: OptionSet, Sendable, Hashable {
    /// The number on the wire.
    package var rawValue: UInt32
    /// The set with these bits.
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The next hop's interface is gone.
    package static let dead = Flags(rawValue: 0x1)
    /// The gateway need not be in a subnet of the interface.
    package static let onLink = Flags(rawValue: 0x4)
    /// It stands in no table: the kernel learned it, of one destination, from an ICMP redirect or an ICMP error that
    /// says how long packets may be (`RTM_F_CLONED`).
    package static let learned = Flags(rawValue: 0x200)
    /// In a lookup: answer with the table that had the route.
    package static let lookupTable = Flags(rawValue: 0x1000)
    /// In a lookup: answer with the route as it stands in the table.
    package static let fibMatch = Flags(rawValue: 0x2000)
  }

  /// Table `RT_TABLE_MAIN`.
  package static let mainTable: UInt32 = 254
  /// Table `RT_TABLE_LOCAL`.
  package static let localTable: UInt32 = 255

  /// A value with these fields.
  package init(
    to destination: Prefix, via gateway: IPAddress? = nil, interface: UInt32? = nil,
    kind: Kind = .unicast, table: UInt32 = Self.mainTable, scope: RouteScope? = nil,
    origin: Origin = .static, preferredSource: IPAddress? = nil, metric: UInt32? = nil,
    mtu: UInt32? = nil, flags: Flags = [], nextHops: [NextHop] = []
  ) {
    self.destination = destination
    source = Prefix(destination.address.family == 4 ? .v4(0) : .v6(0), length: 0)!
    tos = 0
    self.table = table
    self.kind = kind
    // As ip(8) has it: what needs no gateway ends on the link. IPv6 knows no scopes.
    let onLink = kind == .unicast && gateway == nil && nextHops.isEmpty
    self.scope = scope ?? (destination.address.family == 4 && onLink ? .link : .universe)
    self.origin = origin
    self.flags = flags
    self.gateway = gateway
    outputInterface = interface
    self.preferredSource = preferredSource
    self.metric = metric
    self.mtu = mtu
    self.nextHops = nextHops
  }

  private static let headerLength = 12
  enum Attribute {
    static let destination: UInt16 = 1
    static let source: UInt16 = 2
    static let inputInterface: UInt16 = 3
    static let outputInterface: UInt16 = 4
    static let gateway: UInt16 = 5
    static let metric: UInt16 = 6
    static let preferredSource: UInt16 = 7
    static let metrics: UInt16 = 8
    static let multipath: UInt16 = 9
    static let table: UInt16 = 15
    static let mark: UInt16 = 16
    static let via: UInt16 = 18
    static let uid: UInt16 = 25
    static let ipProtocol: UInt16 = 27
    static let sourcePort: UInt16 = 28
    static let destinationPort: UInt16 = 29
    static let nextHopObject: UInt16 = 30
    static let metricsMTU: UInt16 = 2
  }

  /// The route in an `RTM_NEWROUTE` or `RTM_DELROUTE`; throws for families other than IP.
  package init(parsing message: NetlinkMessage) throws(WireError) {
    try message.need(RouteMessageType.newRoute...RouteMessageType.deleteRoute, "route")
    var reader = ByteReader(message.payload.span)
    let family = try reader.u8()
    let destinationLength = try reader.u8()
    let sourceLength = try reader.u8()
    tos = try reader.u8()
    let shortTable = try reader.u8()
    origin = Origin(rawValue: try reader.u8())
    scope = RouteScope(rawValue: try reader.u8())
    kind = Kind(rawValue: try reader.u8())
    flags = Flags(rawValue: try reader.littleEndian())
    let attributes = try RouteAttributes(message, after: Self.headerLength)
    destination = try attributes.prefix(
      Attribute.destination, family: family, length: destinationLength)
    source = try attributes.prefix(Attribute.source, family: family, length: sourceLength)
    table = try attributes.number(Attribute.table) ?? UInt32(shortTable)
    gateway = try Self.gateway(attributes)
    outputInterface = try attributes.number(Attribute.outputInterface)
    inputInterface = try attributes.number(Attribute.inputInterface)
    preferredSource = try attributes.address(Attribute.preferredSource)
    metric = try attributes.number(Attribute.metric)
    mtu = try attributes.nested(Attribute.metrics)?.number(Attribute.metricsMTU)
    nextHops = try Self.nextHops(attributes.all[type: Attribute.multipath]?.value ?? [])
    nextHopObject = try attributes.number(Attribute.nextHopObject)
  }

  /// Where the route in a message leads, its host bits cleared, found without decoding the rest: a
  /// table may have a million. nil for families other than IP and for what is damaged.
  package static func destination(of message: NetlinkMessage) -> Prefix? {
    var reader = ByteReader(message.payload.span)
    do throws(WireError) {
      let family = try reader.u8()
      let length = Int(try reader.u8())
      try reader.skip(headerLength - 2)
      guard length > 0 else {
        return Prefix(try AddressFamily.unspecified(family), length: 0)
      }
      while !reader.isAtEnd {
        let size: UInt16 = try reader.littleEndian()
        let type: UInt16 = try reader.littleEndian()
        guard type == Attribute.destination else {
          try reader.skip((Int(size) + 3) & ~3 - 4)
          continue
        }
        switch family {
        case AddressFamily.v4: return Prefix(.v4(try reader.u32()), length: length)?.network
        case AddressFamily.v6: return Prefix(.v6(try reader.u128()), length: length)?.network
        default: return nil
        }
      }
      return nil
    } catch {
      return nil
    }
  }

  private static func gateway(_ attributes: RouteAttributes) throws(WireError) -> IPAddress? {
    if let gateway = try attributes.address(Attribute.gateway) { return gateway }
    guard let via = attributes.all[type: Attribute.via]?.value else { return nil }
    // struct rtvia: the family in two octets, then the address.
    guard via.count >= 2, let address = IPAddress(bytes: via[2...]) else {
      throw WireError("gateway (RTA_VIA) of \(via.count) octets", at: attributes.start)
    }
    return address
  }

  private static func nextHops(_ bytes: [UInt8]) throws(WireError) -> [NextHop] {
    var reader = ByteReader(bytes.span)
    var hops: [NextHop] = []
    while !reader.isAtEnd {
      let start = reader.offset
      let length: UInt16 = try reader.littleEndian()
      let flags = try reader.u8()
      let weight = Int(try reader.u8()) + 1
      let interface: UInt32 = try reader.littleEndian()
      guard length >= 8 else { throw WireError("next hop of \(length) octets", at: start) }
      let rest = try reader.take(Int(length) - 8)
      try reader.skip(min(reader.remaining, (4 - Int(length) % 4) % 4))
      let attributes = RouteAttributes(all: try NetlinkAttribute.all(in: rest), start: start)
      hops.append(
        NextHop(
          interface: interface, gateway: try gateway(attributes), weight: weight, flags: flags))
    }
    return hops
  }

  /// The route as an `RTM_NEWROUTE`.
  package var message: NetlinkMessage {
    let family = AddressFamily.of(destination.address)
    var payload: [UInt8] = [
      family, UInt8(destination.length), UInt8(source.length), tos,
      // Tables that do not fit the octet stand in the attribute alone (RT_TABLE_COMPAT).
      table < 256 ? UInt8(table) : 252, origin.rawValue, scope.rawValue, kind.rawValue,
    ]
    payload.append(littleEndian: flags.rawValue)
    var attributes = [NetlinkAttribute(Attribute.table, host: table)]
    if destination.length > 0 {
      attributes.append(.init(Attribute.destination, destination.address.bytes))
    }
    if source.length > 0 { attributes.append(.init(Attribute.source, source.address.bytes)) }
    if let gateway { attributes.append(Self.attribute(gateway: gateway, family: family)) }
    if let outputInterface {
      attributes.append(.init(Attribute.outputInterface, host: outputInterface))
    }
    if let inputInterface {
      attributes.append(.init(Attribute.inputInterface, host: inputInterface))
    }
    if let preferredSource {
      attributes.append(.init(Attribute.preferredSource, preferredSource.bytes))
    }
    if let metric { attributes.append(.init(Attribute.metric, host: metric)) }
    if let mtu {
      attributes.append(.init(Attribute.metrics, nested: [.init(Attribute.metricsMTU, host: mtu)]))
    }
    if !nextHops.isEmpty {
      attributes.append(
        .init(Attribute.multipath, nextHops.flatMap { Self.bytes(of: $0, family: family) }))
    }
    if let nextHopObject {
      attributes.append(.init(Attribute.nextHopObject, host: nextHopObject))
    }
    return NetlinkMessage(type: RouteMessageType.newRoute, payload: payload + attributes.bytes)
  }

  private static func attribute(gateway: IPAddress, family: UInt8) -> NetlinkAttribute {
    let own = AddressFamily.of(gateway)
    return own == family
      ? NetlinkAttribute(Attribute.gateway, gateway.bytes)
      : NetlinkAttribute(Attribute.via, [own, 0] + gateway.bytes)
  }

  private static func bytes(of hop: NextHop, family: UInt8) -> [UInt8] {
    let attributes = hop.gateway.map { [attribute(gateway: $0, family: family)].bytes } ?? []
    var bytes: [UInt8] = []
    bytes.append(littleEndian: UInt16(8 + attributes.count))
    bytes += [hop.flags, UInt8(truncatingIfNeeded: hop.weight - 1)]
    bytes.append(littleEndian: hop.interface)
    return bytes + attributes
  }

  /// The `RTM_DELROUTE` that takes it away.
  package var deletion: NetlinkMessage { message.typed(RouteMessageType.deleteRoute) }
}
