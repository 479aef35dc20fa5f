import Testing

@testable import Wire

/// Messages as Linux 6.18 sent them, from namespaces set up with ip(8). The link messages are
/// shortened to the attributes that are decoded.
private enum Recorded {
  static let loopback =
    "580000001000020001000000b117000000000403010000004900010000000000070003006c6f00000500100000000000"
    + "080004000000010005002100010000000a00010000000000000000000a0002000000000000000000"
  static let veth =
    "700000001000020001000000b117000000000100020000004310010000000000070003006531000005001000060000000"
    + "8000400dc05000005002100010000000a00010022ce3cf3937900000a000200ffffffffffff00001000120009000100"
    + "76657468000000000800050003000000"
  static let tun =
    "8c0000001000020001000000162000000000feff0200000090100000000000000900030074756e30000000000500"
    + "10000200000008000400dc0500000500210000000000480012000800010074756e003c0002000500030001000000"
    + "05000400000000000500050000000000050006000100000005000700010000000800080000000000080009000000"
    + "0000"
  static let withXDP =
    "440000001000020001000000b11700000000010002000000431001000000000007000300653100001c002b00"
    + "08000600fa280000050002000200000008000400fa280000"
  static let clsact =
    "9800000024000200070000004f68000000000000030000000000fffff1ffffff010000000b000100636c7361"
    + "637400000400020005000c000000000030000700140001005e06000000000000130000000000000018000300"
    + "00000000000000001300000000000000000000002c0003005e06000000000000130000001300000000000000"
    + "0000000000000000000000000000000000000000"
  static let address4 =
    "580000001400020001000000b11700000218800003000000080001000a010203080002000a010203080004000a0102ff"
    + "0900030065303a7800000000080008008000000014000600ffffffffffffffff8712010087120100"
  static let address6 =
    "480000001400020001000000b11700000a4082000300000014000100fd00001600000000000000000000001514000600"
    + "ffffffffffffffff87120100871201000800080082000000"
  static let blackhole =
    "340000001800020001000000b117000002100000640300060000000008000f0064000000080001000a09000008000600"
    + "07000000"
  static let defaultRoute =
    "340000001800020001000000b117000002000000fe0300010000000008000f00fe000000080005000a01020108000400"
    + "03000000"
  static let viaIPv6 =
    "4c0000001800020001000000b117000002100000fe0300010000000008000f00fe000000080001000a07000016001200"
    + "0a00fd00001600000000000000000000000100000800040003000000"
  static let multipath =
    "500000001800020001000000b117000002100000fe0300010000000008000f00fe000000080001000a08000024000900"
    + "1000000103000000080005000a0102041000000003000000080005000a010205"
  static let rule =
    "6c0000002000020001000000b117000002001000640000010200000008000f006400000008000e00ffffffff0500"
    + "1500000000000700030065300000080006003700000008000a001000000008001000ff0000000800180050005a00"
    + "0500160006000000080002000a020000"
  static let gotoRule =
    "4c0000002000020001000000b117000002100000000000020000000008000f000000000008000e00ffffffff05001500"
    + "00000000080006003c00000008000400fe7f0000080001000a030000"
  static let multicastRule =
    "3c0000002000020001000000b117000080000000fd0000010000000008000f00fd00000008000e00ffffffff05001500"
    + "0200000008000600ff7f0000"
  static let neighbour =
    "4c0000001c00020001000000b1170000020000000300000080000001080001000a0102090a0002000200000000090000"
    + "08000400000000001400030000000000000000000000000000000000"

  static func message(_ hex: String) throws -> NetlinkMessage {
    var bytes: [UInt8] = []
    var digits = Substring(hex)
    while digits.count >= 2 {
      bytes.append(UInt8(digits.prefix(2), radix: 16)!)
      digits = digits.dropFirst(2)
    }
    return try #require(try NetlinkMessage.all(in: bytes).first)
  }
}

struct RouteMessagesTests {
  /// The kernel writes a line into its log for each request whose header is longer.
  @Test func headersOfRequests() {
    typealias Types = RouteMessageType
    #expect(Types.headerLength(of: Types.getLink) == 16)
    #expect(Types.headerLength(of: Types.getAddress) == 8)
    #expect(Types.headerLength(of: Types.getQdisc) == 20)
    for type in [Types.getRoute, Types.getNeighbour, Types.getRule] {
      #expect(Types.headerLength(of: type) == 12)
    }
  }

  @Test func links() throws {
    let lo = try LinkMessage(parsing: Recorded.message(Recorded.loopback))
    #expect(lo.name == "lo" && lo.index == 1 && lo.hardwareType == 772 && lo.kind == nil)
    #expect(lo.flags == [.up, .running, .loopback, .lowerUp] && lo.state == .unknown)
    let veth = try LinkMessage(parsing: Recorded.message(Recorded.veth))
    #expect(veth.name == "e1" && veth.kind == "veth" && veth.link == 3 && veth.mtu == 1500)
    #expect(veth.state == .up && "\(veth.state)" == "UP" && veth.carrier == true)
    #expect(veth.address.map { "\($0)" } == "22:ce:3c:f3:93:79")
    #expect(veth.tun == nil && !veth.hasXDP)
    #expect(try LinkMessage(parsing: Recorded.message(Recorded.withXDP)).hasXDP)
  }

  /// Of `tc -s qdisc`: "clsact ffff: dev e0 … (dropped 19, …)".
  @Test func qdiscs() throws {
    #expect(
      try QdiscMessage(parsing: Recorded.message(Recorded.clsact))
        == QdiscMessage(interface: 3, kind: "clsact", handle: 0xffff_0000, drops: 19))
  }

  @Test func addresses() throws {
    let four = try AddressMessage(parsing: Recorded.message(Recorded.address4))
    #expect(
      four
        == AddressMessage(
          interface: 3, local: Prefix("10.1.2.3/24")!, broadcast: IPAddress("10.1.2.255"),
          label: "e0:x", flags: 0x80))
    #expect(try AddressMessage(parsing: four.message) == four)
    let six = try AddressMessage(parsing: Recorded.message(Recorded.address6))
    #expect(six.local == Prefix("fd00:16::15/64") && six.label == nil && six.peer == nil)
    #expect(six.flags & AddressMessage.noDuplicateDetection != 0)
    #expect(try AddressMessage(parsing: six.message) == six)
    let pair = AddressMessage(
      interface: 7, local: Prefix("10.0.0.1/32")!, peer: IPAddress("10.0.0.2"), scope: .link)
    #expect(try AddressMessage(parsing: pair.message) == pair)
    #expect(pair.deletion.type == 21 && pair.deletion.payload == pair.message.payload)
  }

  @Test func routes() throws {
    let blackhole = try RouteMessage(parsing: Recorded.message(Recorded.blackhole))
    #expect(blackhole.kind == .blackhole && blackhole.table == 100 && blackhole.metric == 7)
    #expect(blackhole.destination == Prefix("10.9.0.0/16") && blackhole.origin == .boot)
    let way = try RouteMessage(parsing: Recorded.message(Recorded.defaultRoute))
    #expect(way.destination == Prefix("0.0.0.0/0") && way.gateway == IPAddress("10.1.2.1"))
    #expect(way.outputInterface == 3 && way.table == RouteMessage.mainTable)
    let via = try RouteMessage(parsing: Recorded.message(Recorded.viaIPv6))
    #expect(via.gateway == IPAddress("fd00:16::1"))
    let multipath = try RouteMessage(parsing: Recorded.message(Recorded.multipath))
    #expect(
      multipath.nextHops == [
        .init(interface: 3, gateway: IPAddress("10.1.2.4"), weight: 2),
        .init(interface: 3, gateway: IPAddress("10.1.2.5")),
      ])
    for route in [blackhole, way, via, multipath] {
      #expect(try RouteMessage(parsing: route.message) == route)
      #expect(try RouteMessage(parsing: route.deletion) == route)
    }
  }

  @Test func routesWithEverything() throws {
    var route = RouteMessage(
      to: Prefix("2001:db8::/32")!, via: IPAddress("fe80::1"), interface: 4, table: 70_000,
      origin: .init(rawValue: 77), preferredSource: IPAddress("2001:db8::1"), metric: 1024,
      mtu: 1300, flags: [.onLink])
    route.source = Prefix("2001:db8:1::/48")!
    #expect(try RouteMessage(parsing: route.message) == route)
    #expect("\(route.origin)" == "77" && "\(route.kind)" == "unicast")
    #expect("\(RouteMessage.Kind(rawValue: 200))" == "200")
    #expect(RouteMessage(to: Prefix("10.0.0.0/8")!, interface: 2).scope == .link)
    #expect(RouteMessage(to: Prefix("10.0.0.0/8")!, kind: .blackhole).scope == .universe)
  }

  @Test func lookups() throws {
    let message = RouteLookup(
      to: .v4(0x0a01_0203), from: .v4(0x0a02_0304), inputInterface: 5, mark: 16, ipProtocol: 17,
      destinationPort: 53, fibMatch: true
    ).message
    #expect(message.type == 26)
    #expect(message.payload[0..<12].elementsEqual([2, 32, 32, 0, 0, 0, 0, 0, 0, 0x30, 0, 0]))
    let attributes = try NetlinkAttribute.all(in: message.payload, from: 12)
    #expect(attributes.map(\.type) == [1, 2, 3, 25, 16, 27, 29])
    #expect(attributes[type: 29]?.value == [0, 53])
  }

  @Test func rules() throws {
    let rule = try RoutingRule(parsing: Recorded.message(Recorded.rule))
    #expect(rule.priority == 55 && rule.isInverted && rule.source == Prefix("10.2.0.0/16"))
    #expect(rule.mark == 0x10 && rule.mask == 0xff && rule.inputInterface == "e0")
    #expect(rule.ipProtocol == 6 && rule.destinationPorts == 80...90 && rule.sourcePorts == nil)
    #expect(rule.table == 100 && rule.action == .lookup && rule.suppressPrefixLength == nil)
    #expect(try RoutingRule(parsing: rule.message) == rule)
    #expect(try RoutingRule(parsing: rule.deletion) == rule)
    let jump = try RoutingRule(parsing: Recorded.message(Recorded.gotoRule))
    #expect(jump.action == .goto && jump.target == 32766 && jump.destination != nil)
    #expect(try RoutingRule(parsing: jump.message) == jump)
    var all = RoutingRule(
      family: 6, priority: 9, outputInterface: "eth0", table: 300, action: .init(rawValue: 99))
    all.sourcePorts = 1...2
    all.users = 0...1000
    all.suppressPrefixLength = 0
    #expect(try RoutingRule(parsing: all.message) == all)
    #expect("\(all.action)" == "99")
    #expect(throws: WireError.self) {
      try RoutingRule(parsing: Recorded.message(Recorded.multicastRule))
    }
  }

  @Test func neighbours() throws {
    let neighbour = try NeighbourMessage(parsing: Recorded.message(Recorded.neighbour))
    #expect(
      neighbour
        == NeighbourMessage(
          interface: 3, address: .v4(0x0a01_0209), hardwareAddress: .init([2, 0, 0, 0, 0, 9])))
    #expect(try NeighbourMessage(parsing: neighbour.message) == neighbour)
    #expect("\(NeighbourMessage.State([.failed, .noARP]))" == "FAILED,NOARP")
    #expect("\(NeighbourMessage.State(rawValue: 0x104))" == "STALE,0x100")
    #expect("\(NeighbourMessage.State([]))" == "NONE")
  }

  @Test func tunAttributes() throws {
    let recorded = try LinkMessage(parsing: Recorded.message(Recorded.tun))
    #expect(recorded.kind == "tun" && recorded.hardwareType == 65534 && recorded.address == nil)
    #expect(recorded.tun == .init(isTap: false, isMultiQueue: true, isPersistent: true))
    func link(_ data: [NetlinkAttribute]) throws -> LinkMessage {
      var message = LinkMessage.creation(kind: "tun", name: "tun0")
      let info = NetlinkAttribute(
        18, nested: [.init(1, string: "tun"), .init(2, nested: data)])
      message.payload = Array(message.payload[..<16]) + [info].bytes
      return try LinkMessage(parsing: message)
    }
    let tun = try link([.init(3, [1]), .init(6, [1]), .init(7, [0])]).tun
    #expect(tun == .init(isTap: false, isMultiQueue: false, isPersistent: true))
    let other = try link([.init(3, [1]), .init(4, [1]), .init(5, [1]), .init(6, [0])]).tun
    #expect(
      other
        == .init(
          isTap: false, isMultiQueue: false, hasPacketInformation: true, hasVirtioHeader: true,
          isPersistent: false))
    #expect(try link([.init(3, [2]), .init(6, [0]), .init(7, [1])]).tun?.isTap == true)
  }

  @Test func vethCreationNestsThePeer() throws {
    let message = LinkMessage.vethCreation("a", peer: "b", peerNamespace: 9)
    let link = try LinkMessage(parsing: message)
    #expect(link.name == "a" && link.kind == "veth")
    let info = try NetlinkAttribute.all(in: message.payload, from: 16)[type: 18]?.nested()
    let peer = try #require(try info?[type: 2]?.nested()[type: 1])
    let attributes = try NetlinkAttribute.all(in: peer.value, from: 16)
    #expect(attributes[type: 3]?.string == "b" && attributes[type: 28]?.host() == Int32(9))
  }

  /// Every truncation decodes to something or throws; it never traps.
  @Test(arguments: [
    Recorded.loopback, Recorded.veth, Recorded.address4, Recorded.address6, Recorded.blackhole,
    Recorded.viaIPv6, Recorded.multipath, Recorded.rule, Recorded.gotoRule, Recorded.neighbour,
    Recorded.withXDP, Recorded.clsact,
  ])
  func truncations(_ hex: String) throws {
    let whole = try Recorded.message(hex)
    for length in 0..<whole.payload.count {
      var cut = whole
      cut.payload = Array(whole.payload[..<length])
      let decoded = Result { try decode(cut) }
      // Without its fixed header there is nothing to decode.
      if length < 8 { #expect(throws: WireError.self) { try decoded.get() } }
    }
    for type: UInt16 in 16...38 {
      var other = whole
      other.type = type
      _ = try? decode(other)
    }
  }

  private func decode(_ message: NetlinkMessage) throws {
    switch message.type {
    case 16, 17: _ = try LinkMessage(parsing: message)
    case 20, 21: _ = try AddressMessage(parsing: message)
    case 24, 25: _ = try RouteMessage(parsing: message)
    case 28, 29: _ = try NeighbourMessage(parsing: message)
    case 32, 33: _ = try RoutingRule(parsing: message)
    case 36: _ = try QdiscMessage(parsing: message)
    default: throw WireError("type \(message.type)", at: 0)
    }
  }

  @Test func messagesOfAnotherTypeAreRefused() throws {
    let message = try Recorded.message(Recorded.neighbour)
    #expect(throws: WireError.self) { try LinkMessage(parsing: message) }
    #expect(throws: WireError.self) { try AddressMessage(parsing: message) }
    #expect(throws: WireError.self) { try RouteMessage(parsing: message) }
    #expect(throws: WireError.self) { try RoutingRule(parsing: message) }
  }
}
