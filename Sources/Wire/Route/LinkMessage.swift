/// A network interface (`struct ifinfomsg` of <linux/rtnetlink.h>, `IFLA_…` of <linux/if_link.h>).
package struct LinkMessage: Sendable, Equatable {
  /// The number the kernel knows it by; unique in its namespace.
  package var index: UInt32
  /// Its name: at most 15 octets.
  package var name: String
  /// `ARPHRD_…`: 1 is Ethernet, 772 loopback, 65534 a TUN device.
  package var hardwareType: UInt16
  /// Its flag bits.
  package var flags: Flags
  /// Largest packet it sends, in octets without the link-layer header.
  package var mtu: UInt32?
  /// Whether it can carry packets.
  package var state: OperationalState
  /// What made it ("veth", "tun", "bridge"…); nil for a physical interface and for `lo`.
  package var kind: String?
  /// Index of the bridge, bond or VRF it belongs to.
  package var master: UInt32?
  /// Index of the interface it stands on or is paired with: in the namespace `linkNamespace` if
  /// that is given, in its own otherwise.
  package var link: UInt32?
  /// The kernel's local number of the namespace of `link`.
  package var linkNamespace: Int32?
  /// Its own link-layer address, where it has one.
  package var address: HardwareAddress?
  /// Whether the cable is in, so to speak.
  package var carrier: Bool?
  /// Whether an XDP program looks at what comes in by it, before any hook.
  package var hasXDP: Bool
  /// Whether a bridge sends frames back out of it that came in by it; nil for what is no bridge's port.
  package var isHairpin: Bool?
  /// Whether a bridge keeps what comes in by it from other ports that are isolated; nil for what is no bridge's port.
  package var isIsolated: Bool?
  /// Whether a bridge sends broadcasts out of it; nil for what is no bridge's port.
  package var floodsBroadcasts: Bool?
  /// Whether a bridge sends to groups by it of which it knows no members; nil for what is no bridge's port.
  package var floodsGroups: Bool?
  /// What spanning tree lets it do for its bridge; nil for what is no bridge's port.
  package var portState: BridgePortState?
  /// Whether a bridge takes from it only what it knows to be behind it (802.1X); nil for what is no bridge's port.
  package var isLocked: Bool?
  /// Whether one of them is the driver's or the card's own: it sees frames before the kernel has a packet.
  package var hasNativeXDP: Bool
  /// The number of the program, where there is one.
  package var xdpProgram: UInt32?
  /// What a TUN or TAP device is like; nil for every other kind.
  package var tun: TunAttributes?
  /// Where its packets go, where it is a tunnel over IP.
  package var tunnel: TunnelAttributes?
  /// What somebody has written down about it (`ip link set alias`).
  package var alias: String?

  /// `IFF_…` of <linux/if.h>.
  package struct Flags: OptionSet, Sendable, Hashable {
    /// The number on the wire.
    package var rawValue: UInt32
    /// The set with these bits.
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// `IFF_UP`.
    package static let up = Flags(rawValue: 0x1)
    /// `IFF_BROADCAST`.
    package static let broadcast = Flags(rawValue: 0x2)
    /// `IFF_LOOPBACK`.
    package static let loopback = Flags(rawValue: 0x8)
    /// `IFF_RUNNING`.
    package static let running = Flags(rawValue: 0x40)
    /// `IFF_NOARP`.
    package static let noARP = Flags(rawValue: 0x80)
    /// `IFF_MULTICAST`.
    package static let multicast = Flags(rawValue: 0x1000)
    /// `IFF_LOWER_UP`.
    package static let lowerUp = Flags(rawValue: 0x1_0000)
  }

  /// Whether its frames have an Ethernet header (`ARPHRD_ETHER`).
  package var isEthernet: Bool { hardwareType == 1 }

  /// `IF_OPER_…`: RFC 2863 section 3.1.14.
  package struct OperationalState: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The number on the wire.
    package var rawValue: UInt8
    /// The value with this number.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `IF_OPER_UNKNOWN`.
    package static let unknown = OperationalState(rawValue: 0)
    /// `IF_OPER_DOWN`.
    package static let down = OperationalState(rawValue: 2)
    /// `IF_OPER_UP`.
    package static let up = OperationalState(rawValue: 6)

    /// The name ip(8) prints, or the number.
    package var description: String {
      let names = ["UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"]
      return Int(rawValue) < names.count ? names[Int(rawValue)] : "\(rawValue)"
    }
  }

  /// `BR_STATE_…` of <linux/if_bridge.h>: IEEE 802.1D-2004 section 7.4.
  package struct BridgePortState: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The number on the wire.
    package var rawValue: UInt8
    /// The value with this number.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `BR_STATE_FORWARDING`.
    package static let forwarding = BridgePortState(rawValue: 3)

    /// The name bridge(8) prints, or the number.
    package var description: String {
      let names = ["disabled", "listening", "learning", "forwarding", "blocking"]
      return Int(rawValue) < names.count ? names[Int(rawValue)] : "\(rawValue)"
    }
  }

  /// `IFLA_TUN_…`: what was asked for when the device was made.
  package struct TunAttributes: Sendable, Equatable {
    /// Whether it carries Ethernet frames (TAP) and not packets (TUN).
    package var isTap: Bool
    /// Whether it may be opened several times (`IFF_MULTI_QUEUE`); who attaches must say so too.
    package var isMultiQueue: Bool
    /// Whether each packet has flags and a protocol before it (not `IFF_NO_PI`).
    package var hasPacketInformation: Bool
    /// Whether each packet has a `virtio_net_hdr` before it (`IFF_VNET_HDR`).
    package var hasVirtioHeader: Bool
    /// Whether it stays when nobody has it open.
    package var isPersistent: Bool

    /// A value with these fields.
    package init(
      isTap: Bool, isMultiQueue: Bool, hasPacketInformation: Bool = false,
      hasVirtioHeader: Bool = false, isPersistent: Bool
    ) {
      self.isTap = isTap
      self.isMultiQueue = isMultiQueue
      self.hasPacketInformation = hasPacketInformation
      self.hasVirtioHeader = hasVirtioHeader
      self.isPersistent = isPersistent
    }
  }

  /// Octets of the fixed header that attributes stand behind (`struct ifinfomsg`).
  package static let headerLength = 16
  enum Attribute {
    static let address: UInt16 = 1
    static let name: UInt16 = 3
    static let mtu: UInt16 = 4
    static let link: UInt16 = 5
    static let master: UInt16 = 10
    static let state: UInt16 = 16
    static let info: UInt16 = 18
    static let alias: UInt16 = 20
    static let namespaceDescriptor: UInt16 = 28
    static let carrier: UInt16 = 33
    static let linkNamespace: UInt16 = 37
    static let xdp: UInt16 = 43
    /// What is read of an interface.
    static let ofLinks = [
      address, name, mtu, link, master, state, info, alias, carrier, linkNamespace, xdp,
    ]
    static let xdpAttached: UInt16 = 2
    static let xdpProgram: UInt16 = 4
    static let xdpDriverProgram: UInt16 = 5
    static let xdpGenericProgram: UInt16 = 6
    static let xdpCardProgram: UInt16 = 7
    static let infoKind: UInt16 = 1
    static let infoData: UInt16 = 2
    static let infoPortKind: UInt16 = 4
    static let infoPortData: UInt16 = 5
    static let bridgePortState: UInt16 = 1
    static let bridgePortHairpin: UInt16 = 4
    static let bridgePortGroups: UInt16 = 27
    static let bridgePortBroadcasts: UInt16 = 30
    static let bridgePortIsolated: UInt16 = 33
    static let bridgePortLocked: UInt16 = 39
    static let vethPeer: UInt16 = 1
    static let tunType: UInt16 = 3
    static let tunPacketInformation: UInt16 = 4
    static let tunVirtioHeader: UInt16 = 5
    static let tunPersistent: UInt16 = 6
    static let tunMultiQueue: UInt16 = 7
  }

  /// The interface in an `RTM_NEWLINK` or `RTM_DELLINK`.
  package init(parsing message: NetlinkMessage) throws(WireError) {
    try message.need(RouteMessageType.newLink...RouteMessageType.deleteLink, "link")
    var reader = ByteReader(message.payload.span)
    try reader.skip(2)
    hardwareType = try reader.littleEndian()
    index = try reader.littleEndian()
    flags = Flags(rawValue: try reader.littleEndian())
    try reader.skip(4)
    let attributes = try RouteAttributes(
      message, after: Self.headerLength, only: Attribute.ofLinks)
    name = attributes.string(Attribute.name) ?? ""
    mtu = try attributes.number(Attribute.mtu)
    state = OperationalState(rawValue: try attributes.number(Attribute.state) ?? 0)
    master = try attributes.number(Attribute.master)
    link = try attributes.number(Attribute.link)
    linkNamespace = try attributes.number(Attribute.linkNamespace)
    address = attributes.hardware(Attribute.address)
    alias = attributes.string(Attribute.alias)
    carrier = try attributes.number(Attribute.carrier, as: UInt8.self).map { $0 != 0 }
    // XDP_ATTACHED_NONE is 0.
    let xdp = try attributes.nested(Attribute.xdp)
    let mode = try xdp?.number(Attribute.xdpAttached, as: UInt8.self) ?? 0
    hasXDP = mode != 0
    // XDP_ATTACHED_SKB is 2: the kernel's own, which sees packets.
    hasNativeXDP = mode != 0 && mode != 2
    xdpProgram = nil
    for attribute in [
      Attribute.xdpProgram, Attribute.xdpDriverProgram, Attribute.xdpCardProgram,
      Attribute.xdpGenericProgram,
    ] where xdpProgram == nil {
      xdpProgram = try xdp?.number(attribute)
    }
    let info = try attributes.nested(Attribute.info)
    kind = info?.string(Attribute.infoKind)
    isHairpin = nil
    isIsolated = nil
    isLocked = nil
    floodsBroadcasts = nil
    floodsGroups = nil
    portState = nil
    if info?.string(Attribute.infoPortKind) == "bridge",
      let data = try info?.nested(Attribute.infoPortData)
    {
      isHairpin = try data.number(Attribute.bridgePortHairpin, as: UInt8.self).map { $0 != 0 }
      floodsBroadcasts = try data.number(Attribute.bridgePortBroadcasts, as: UInt8.self)
        .map { $0 != 0 }
      floodsGroups = try data.number(Attribute.bridgePortGroups, as: UInt8.self).map { $0 != 0 }
      isIsolated = try data.number(Attribute.bridgePortIsolated, as: UInt8.self).map { $0 != 0 }
      isLocked = try data.number(Attribute.bridgePortLocked, as: UInt8.self).map { $0 != 0 }
      portState = try data.number(Attribute.bridgePortState, as: UInt8.self)
        .map { BridgePortState(rawValue: $0) }
    }
    tunnel = try info?.nested(Attribute.infoData).flatMap { [kind] in
      TunnelAttributes(kind: kind, $0)
    }
    tun = nil
    // The meaning of IFLA_INFO_DATA depends on the kind.
    if kind == "tun", let data = try info?.nested(Attribute.infoData) {
      tun = TunAttributes(
        isTap: try data.number(Attribute.tunType, as: UInt8.self) == 2,
        isMultiQueue: try data.number(Attribute.tunMultiQueue, as: UInt8.self) == 1,
        hasPacketInformation: try data.number(Attribute.tunPacketInformation, as: UInt8.self) == 1,
        hasVirtioHeader: try data.number(Attribute.tunVirtioHeader, as: UInt8.self) == 1,
        isPersistent: try data.number(Attribute.tunPersistent, as: UInt8.self) == 1)
    }
  }
}

// Requests. An interface is named by its index, or by its name where it has none yet.
extension LinkMessage {
  /// The fixed header with these fields.
  private static func header(index: UInt32 = 0, flags: Flags = [], change: Flags = []) -> [UInt8] {
    var bytes: [UInt8] = [0, 0, 0, 0]
    bytes.append(littleEndian: index)
    bytes.append(littleEndian: flags.rawValue)
    bytes.append(littleEndian: change.rawValue)
    return bytes
  }

  private static func change(_ index: UInt32, _ attribute: NetlinkAttribute) -> NetlinkMessage {
    NetlinkMessage(
      type: RouteMessageType.newLink, payload: header(index: index) + [attribute].bytes)
  }

  /// Asks for the interface of this name.
  package static func question(name: String) -> NetlinkMessage {
    NetlinkMessage(
      type: RouteMessageType.getLink,
      payload: header() + [NetlinkAttribute(Attribute.name, string: name)].bytes)
  }

  /// Asks for the interface of this index.
  package static func question(index: UInt32) -> NetlinkMessage {
    NetlinkMessage(type: RouteMessageType.getLink, payload: header(index: index))
  }

  /// Writes down something about an interface.
  package static func setting(alias: String, of index: UInt32) -> NetlinkMessage {
    change(index, NetlinkAttribute(Attribute.alias, Array(alias.utf8)))
  }

  /// Makes an interface of this kind: "dummy", "bridge".
  package static func creation(kind: String, name: String) -> NetlinkMessage {
    let attributes = [
      NetlinkAttribute(Attribute.name, string: name),
      NetlinkAttribute(
        Attribute.info, nested: [NetlinkAttribute(Attribute.infoKind, string: kind)]),
    ]
    return NetlinkMessage(type: RouteMessageType.newLink, payload: header() + attributes.bytes)
  }

  /// Makes a veth pair, either end in the namespace of a file descriptor if that is given. The
  /// kernel chooses the indexes unless both are given.
  package static func vethCreation(
    _ name: String, namespace: Int32? = nil, index: UInt32 = 0, peer: String,
    peerNamespace: Int32? = nil, peerIndex: UInt32 = 0
  ) -> NetlinkMessage {
    func end(_ name: String, _ namespace: Int32?) -> [NetlinkAttribute] {
      var attributes = [NetlinkAttribute(Attribute.name, string: name)]
      if let namespace {
        attributes.append(NetlinkAttribute(Attribute.namespaceDescriptor, host: namespace))
      }
      return attributes
    }
    // The peer is described by a message inside the message: a header and its attributes.
    let other = NetlinkAttribute(
      Attribute.vethPeer, header(index: peerIndex) + end(peer, peerNamespace).bytes)
    let info = NetlinkAttribute(
      Attribute.info,
      nested: [
        NetlinkAttribute(Attribute.infoKind, string: "veth"),
        NetlinkAttribute(Attribute.infoData, nested: [other]),
      ])
    let attributes = end(name, namespace) + [info]
    return NetlinkMessage(
      type: RouteMessageType.newLink, payload: header(index: index) + attributes.bytes)
  }

  /// An interface of Ethernet as the kernel would list it.
  package static func listing(
    index: UInt32, flags: Flags, _ attributes: [NetlinkAttribute]
  ) -> NetlinkMessage {
    var payload = header(index: index, flags: flags)
    payload[2] = 1
    return NetlinkMessage(type: RouteMessageType.newLink, payload: payload + attributes.bytes)
  }

  /// Makes an interface of this number that has these attributes, its name among them.
  package static func creation(index: UInt32, _ attributes: [NetlinkAttribute]) -> NetlinkMessage {
    NetlinkMessage(
      type: RouteMessageType.newLink, payload: header(index: index) + attributes.bytes)
  }

  /// Sets one of its attributes, as the kernel lists it.
  package static func setting(_ attribute: NetlinkAttribute, of index: UInt32) -> NetlinkMessage {
    change(index, attribute)
  }

  /// Has it ask nobody for a neighbour's address (`IFF_NOARP`).
  package static func settingNoARP(of index: UInt32) -> NetlinkMessage {
    NetlinkMessage(
      type: RouteMessageType.newLink, payload: header(index: index, flags: .noARP, change: .noARP))
  }

  /// Sets it up or down.
  package static func setting(up: Bool, of index: UInt32) -> NetlinkMessage {
    NetlinkMessage(
      type: RouteMessageType.newLink,
      payload: header(index: index, flags: up ? .up : [], change: .up))
  }

  /// Sets its MTU, in octets.
  package static func setting(mtu: UInt32, of index: UInt32) -> NetlinkMessage {
    change(index, NetlinkAttribute(Attribute.mtu, host: mtu))
  }

  /// Sets its link-layer address.
  package static func setting(address: HardwareAddress, of index: UInt32) -> NetlinkMessage {
    change(index, NetlinkAttribute(Attribute.address, address.bytes))
  }

  /// Makes it a port of the bridge with index `master`; 0 releases it.
  package static func setting(master: UInt32, of index: UInt32) -> NetlinkMessage {
    change(index, NetlinkAttribute(Attribute.master, host: master))
  }

  /// Moves it to the namespace of a file descriptor of the sender.
  package static func setting(namespace: Int32, of index: UInt32) -> NetlinkMessage {
    change(index, NetlinkAttribute(Attribute.namespaceDescriptor, host: namespace))
  }

  /// Removes the interface of this name. By name and not by index, because an index may have been
  /// given to another interface by the time this is sent.
  package static func deletion(name: String) -> NetlinkMessage {
    NetlinkMessage(
      type: RouteMessageType.deleteLink,
      payload: header() + [NetlinkAttribute(Attribute.name, string: name)].bytes)
  }

  /// Removes the interface with this index.
  package static func deletion(index: UInt32) -> NetlinkMessage {
    NetlinkMessage(type: RouteMessageType.deleteLink, payload: header(index: index))
  }
}
