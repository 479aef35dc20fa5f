/// A network interface (`struct ifinfomsg` of <linux/rtnetlink.h>, `IFLA_…` of <linux/if_link.h>).
public struct LinkMessage: Sendable, Equatable {
  /// The number the kernel knows it by; unique in its namespace.
  public var index: UInt32
  /// Its name: at most 15 octets.
  public var name: String
  /// `ARPHRD_…`: 1 is Ethernet, 772 loopback, 65534 a TUN device.
  public var hardwareType: UInt16
  /// Its flag bits.
  public var flags: Flags
  /// Largest packet it sends, in octets without the link-layer header.
  public var mtu: UInt32?
  /// Whether it can carry packets.
  public var state: OperationalState
  /// What made it ("veth", "tun", "bridge"…); nil for a physical interface and for `lo`.
  public var kind: String?
  /// Index of the bridge, bond or VRF it belongs to.
  public var master: UInt32?
  /// Index of the interface it stands on or is paired with: in the namespace `linkNamespace` if
  /// that is given, in its own otherwise.
  public var link: UInt32?
  /// The kernel's local number of the namespace of `link`.
  public var linkNamespace: Int32?
  /// Its own link-layer address, where it has one.
  public var address: HardwareAddress?
  /// Whether the cable is in, so to speak.
  public var carrier: Bool?
  /// Whether an XDP program looks at what comes in by it, before any hook.
  public var hasXDP: Bool
  /// What a TUN or TAP device is like; nil for every other kind.
  public var tun: TunAttributes?
  /// What somebody has written down about it (`ip link set alias`).
  public var alias: String?

  /// `IFF_…` of <linux/if.h>.
  public struct Flags: OptionSet, Sendable, Hashable {
    /// The number on the wire.
    public var rawValue: UInt32
    /// The set with these bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// `IFF_UP`.
    public static let up = Flags(rawValue: 0x1)
    /// `IFF_BROADCAST`.
    public static let broadcast = Flags(rawValue: 0x2)
    /// `IFF_LOOPBACK`.
    public static let loopback = Flags(rawValue: 0x8)
    /// `IFF_POINTOPOINT`.
    public static let pointToPoint = Flags(rawValue: 0x10)
    /// `IFF_RUNNING`.
    public static let running = Flags(rawValue: 0x40)
    /// `IFF_NOARP`.
    public static let noARP = Flags(rawValue: 0x80)
    /// `IFF_PROMISC`.
    public static let promiscuous = Flags(rawValue: 0x100)
    /// `IFF_MULTICAST`.
    public static let multicast = Flags(rawValue: 0x1000)
    /// `IFF_LOWER_UP`.
    public static let lowerUp = Flags(rawValue: 0x1_0000)
  }

  /// `IF_OPER_…`: RFC 2863 section 3.1.14.
  public struct OperationalState: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The number on the wire.
    public var rawValue: UInt8
    /// The value with this number.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `IF_OPER_UNKNOWN`.
    public static let unknown = OperationalState(rawValue: 0)
    /// `IF_OPER_NOTPRESENT`.
    public static let notPresent = OperationalState(rawValue: 1)
    /// `IF_OPER_DOWN`.
    public static let down = OperationalState(rawValue: 2)
    /// `IF_OPER_LOWERLAYERDOWN`.
    public static let lowerLayerDown = OperationalState(rawValue: 3)
    /// `IF_OPER_TESTING`.
    public static let testing = OperationalState(rawValue: 4)
    /// `IF_OPER_DORMANT`.
    public static let dormant = OperationalState(rawValue: 5)
    /// `IF_OPER_UP`.
    public static let up = OperationalState(rawValue: 6)

    /// The name ip(8) prints, or the number.
    public var description: String {
      let names = ["UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"]
      return Int(rawValue) < names.count ? names[Int(rawValue)] : "\(rawValue)"
    }
  }

  /// `IFLA_TUN_…`: what was asked for when the device was made.
  public struct TunAttributes: Sendable, Equatable {
    /// Whether it carries Ethernet frames (TAP) and not packets (TUN).
    public var isTap: Bool
    /// Whether it may be opened several times (`IFF_MULTI_QUEUE`); who attaches must say so too.
    public var isMultiQueue: Bool
    /// Whether each packet has flags and a protocol before it (not `IFF_NO_PI`).
    public var hasPacketInformation: Bool
    /// Whether each packet has a `virtio_net_hdr` before it (`IFF_VNET_HDR`).
    public var hasVirtioHeader: Bool
    /// Whether it stays when nobody has it open.
    public var isPersistent: Bool

    /// A value with these fields.
    public init(
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

  static let headerLength = 16
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
    static let xdpAttached: UInt16 = 2
    static let infoKind: UInt16 = 1
    static let infoData: UInt16 = 2
    static let vethPeer: UInt16 = 1
    static let tunType: UInt16 = 3
    static let tunPacketInformation: UInt16 = 4
    static let tunVirtioHeader: UInt16 = 5
    static let tunPersistent: UInt16 = 6
    static let tunMultiQueue: UInt16 = 7
  }

  /// The interface in an `RTM_NEWLINK` or `RTM_DELLINK`.
  public init(parsing message: NetlinkMessage) throws(WireError) {
    try message.need(RouteMessageType.newLink...RouteMessageType.deleteLink, "link")
    var reader = ByteReader(message.payload.span)
    try reader.skip(2)
    hardwareType = try reader.littleEndian()
    index = try reader.littleEndian()
    flags = Flags(rawValue: try reader.littleEndian())
    try reader.skip(4)
    let attributes = try RouteAttributes(message, after: Self.headerLength)
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
    let xdp = try attributes.nested(Attribute.xdp)?.number(Attribute.xdpAttached, as: UInt8.self)
    hasXDP = (xdp ?? 0) != 0
    let info = try attributes.nested(Attribute.info)
    kind = info?.string(Attribute.infoKind)
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
  public static func question(name: String) -> NetlinkMessage {
    NetlinkMessage(
      type: RouteMessageType.getLink,
      payload: header() + [NetlinkAttribute(Attribute.name, string: name)].bytes)
  }

  /// Asks for the interface of this index.
  public static func question(index: UInt32) -> NetlinkMessage {
    NetlinkMessage(type: RouteMessageType.getLink, payload: header(index: index))
  }

  /// Writes down something about an interface.
  public static func setting(alias: String, of index: UInt32) -> NetlinkMessage {
    change(index, NetlinkAttribute(Attribute.alias, Array(alias.utf8)))
  }

  /// Makes an interface of this kind: "dummy", "bridge".
  public static func creation(kind: String, name: String) -> NetlinkMessage {
    let attributes = [
      NetlinkAttribute(Attribute.name, string: name),
      NetlinkAttribute(
        Attribute.info, nested: [NetlinkAttribute(Attribute.infoKind, string: kind)]),
    ]
    return NetlinkMessage(type: RouteMessageType.newLink, payload: header() + attributes.bytes)
  }

  /// Makes a veth pair, either end in the namespace of a file descriptor if that is given. The
  /// kernel chooses the indexes unless both are given.
  public static func vethCreation(
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

  /// Sets it up or down.
  public static func setting(up: Bool, of index: UInt32) -> NetlinkMessage {
    NetlinkMessage(
      type: RouteMessageType.newLink,
      payload: header(index: index, flags: up ? .up : [], change: .up))
  }

  /// Sets its MTU, in octets.
  public static func setting(mtu: UInt32, of index: UInt32) -> NetlinkMessage {
    change(index, NetlinkAttribute(Attribute.mtu, host: mtu))
  }

  /// Sets its link-layer address.
  public static func setting(address: HardwareAddress, of index: UInt32) -> NetlinkMessage {
    change(index, NetlinkAttribute(Attribute.address, address.bytes))
  }

  /// Makes it a port of the bridge with index `master`; 0 releases it.
  public static func setting(master: UInt32, of index: UInt32) -> NetlinkMessage {
    change(index, NetlinkAttribute(Attribute.master, host: master))
  }

  /// Moves it to the namespace of a file descriptor of the sender.
  public static func setting(namespace: Int32, of index: UInt32) -> NetlinkMessage {
    change(index, NetlinkAttribute(Attribute.namespaceDescriptor, host: namespace))
  }

  /// Removes the interface of this name. By name and not by index, because an index may have been
  /// given to another interface by the time this is sent.
  public static func deletion(name: String) -> NetlinkMessage {
    NetlinkMessage(
      type: RouteMessageType.deleteLink,
      payload: header() + [NetlinkAttribute(Attribute.name, string: name)].bytes)
  }

  /// Removes the interface with this index.
  public static func deletion(index: UInt32) -> NetlinkMessage {
    NetlinkMessage(type: RouteMessageType.deleteLink, payload: header(index: index))
  }
}
