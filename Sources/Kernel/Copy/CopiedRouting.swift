internal import Glibc
internal import Wire

/// The routes of all tables but `local`, and the rules of policy routing, as the kernel lists them.
struct CopiedRouting: Sendable {
  private var nexthops: [NetlinkMessage] = []
  private var routes: [NetlinkMessage] = []
  private var rules: [NetlinkMessage] = []
  /// What is not the same in the copy.
  private(set) var differences: [CopyDifference] = []

  /// `NHA_ID`.
  private static let nexthopID: UInt16 = 1

  private enum Attribute {
    static let interface: UInt16 = 4
    static let gateway: UInt16 = 5
    static let multipath: UInt16 = 9
    static let cacheInformation: UInt16 = 12
    static let table: UInt16 = 15
    static let via: UInt16 = 18
    static let nexthop: UInt16 = 30
  }

  private static let versions = [UInt8(AF_INET), UInt8(AF_INET6)]

  /// Reads them, in the network namespace of the calling thread.
  static func read() throws(KernelError) -> CopiedRouting {
    var socket = try RouteSocket()
    var copied = CopiedRouting()
    // Since Linux 5.3.
    copied.nexthops = (try? socket.dump(RouteMessageType.getNexthop)) ?? []
    for family in versions {
      copied.routes += try socket.dump(RouteMessageType.getRoute, family: family).filter {
        $0.payload.first == family && isWanted($0)
      }
      copied.rules += try socket.dump(RouteMessageType.getRule, family: family).filter {
        $0.payload.first == family
      }
    }
    return copied
  }

  /// Routes of the table `local` come with the addresses; RTM_F_CLONED are those that the kernel has learned.
  private static func isWanted(_ message: NetlinkMessage) -> Bool {
    guard message.payload.count >= 12 else { return false }
    let flags = message.payload[8..<12].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let table = message.payload[4]
    return table != 255 && flags & 0x200 == 0
  }

  /// Makes them in the network namespace of the calling thread, in the place of what is there.
  mutating func make() throws(KernelError) {
    var socket = try RouteSocket()
    try removeRoutes(&socket)
    // Groups of next hops are behind their members, and what leads to a gateway behind the route that leads to it.
    make(routes.filter { !Self.hasNexthop($0) }.map(Self.made), &socket)
    make(nexthops.map(Self.madeNexthop), &socket)
    make(routes.filter(Self.hasNexthop).map(Self.made), &socket)
    try makeRules(&socket)
  }

  /// Makes what is listed so, each behind what it needs.
  private mutating func make(_ messages: [NetlinkMessage], _ socket: inout RouteSocket) {
    var waiting = messages
    while !waiting.isEmpty {
      var refused: [(message: NetlinkMessage, errno: Int32)] = []
      for message in waiting {
        do {
          try socket.request(
            message, flags: [.create, .append], attempt: "copy \(Self.words(message))")
        } catch  where error.errno == EEXIST {
          continue
        } catch {
          refused.append((message, error.errno))
        }
      }
      if refused.count == waiting.count {
        for (message, errno) in refused {
          differences.append(.refused(Self.words(message), errno: errno))
        }
        break
      }
      waiting = refused.map(\.message)
    }
  }

  private static func hasNexthop(_ route: NetlinkMessage) -> Bool {
    (try? NetlinkAttribute.all(in: route.payload, from: 12))?[type: Attribute.nexthop] != nil
  }

  /// What makes a next hop; of the others the kernel says how it fares, or what it knows. NHA_ID, NHA_GROUP, NHA_GROUP_TYPE,
  /// NHA_BLACKHOLE, NHA_OIF, NHA_GATEWAY, NHA_ENCAP_TYPE, NHA_ENCAP, NHA_FDB, NHA_RES_GROUP.
  private static let making: Set<UInt16> = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12]
  private static let resilience: UInt16 = 12
  /// NHA_RES_GROUP_BUCKETS, …_IDLE_TIMER, …_UNBALANCED_TIMER.
  private static let makingResilience: Set<UInt16> = [1, 2, 3]

  /// The message that makes a next hop (`struct nhmsg`) which the kernel lists so: its scope is the kernel's to say, and of its
  /// flags RTNH_F_ONLINK is what somebody asked for.
  private static func madeNexthop(_ message: NetlinkMessage) -> NetlinkMessage {
    var payload = message.payload
    if payload.count >= 8 {
      payload.replaceSubrange(1..<8, with: [0, payload[2], 0, payload[4] & 4, 0, 0, 0])
    }
    if let attributes = try? NetlinkAttribute.all(in: payload, from: 8) {
      let kept = attributes.filter { making.contains($0.type) }.map { attribute in
        guard attribute.type == resilience, let parts = try? attribute.nested() else {
          return attribute
        }
        return NetlinkAttribute(
          resilience, nested: parts.filter { makingResilience.contains($0.type) })
      }
      payload = Array(payload[..<8]) + kept.bytes
    }
    return NetlinkMessage(type: RouteMessageType.newNexthop, payload: payload)
  }

  /// What the kernel made by itself: of IPv6, for interfaces that are up.
  private func removeRoutes(_ socket: inout RouteSocket) throws(KernelError) {
    for family in Self.versions {
      for message in try socket.dump(RouteMessageType.getRoute, family: family)
      where message.payload.first == family && Self.isWanted(message) {
        let copy = NetlinkMessage(
          type: RouteMessageType.deleteRoute, payload: Self.made(message).payload)
        try? socket.request(copy, attempt: "remove a route")
      }
    }
  }

  private func makeRules(_ socket: inout RouteSocket) throws(KernelError) {
    for family in Self.versions {
      let wanted = rules.filter { $0.payload.first == family }
      let there = try socket.dump(RouteMessageType.getRule, family: family).filter {
        $0.payload.first == family
      }
      // Mostly they are the three that every namespace has.
      if there.map(\.payload) == wanted.map(\.payload) { continue }
      for message in there {
        let copy = NetlinkMessage(type: RouteMessageType.deleteRule, payload: message.payload)
        try? socket.request(copy, attempt: "remove a routing rule")
      }
      for message in wanted {
        let copy = NetlinkMessage(type: RouteMessageType.newRule, payload: message.payload)
        try socket.request(copy, flags: .create, attempt: "add a routing rule")
      }
    }
  }

  /// The message that makes a route which the kernel lists so.
  private static func made(_ message: NetlinkMessage) -> NetlinkMessage {
    var payload = message.payload
    let attributes = (try? NetlinkAttribute.all(in: payload, from: 12)) ?? []
    // Of its flags RTNH_F_ONLINK is what somebody asked for.
    let flags = payload[8] & 4
    payload.replaceSubrange(8..<12, with: [flags, 0, 0, 0])
    let hasNexthop = attributes[type: Attribute.nexthop] != nil
    let kept: [NetlinkAttribute] = attributes.compactMap { attribute in
      switch attribute.type {
      case Attribute.cacheInformation: return nil
      case Attribute.interface, Attribute.gateway, Attribute.multipath, Attribute.via:
        if hasNexthop { return nil }
        return attribute.type == Attribute.multipath
          ? NetlinkAttribute(Attribute.multipath, hops(attribute.value)) : attribute
      default: return attribute
      }
    }
    return NetlinkMessage(
      type: RouteMessageType.newRoute, payload: Array(payload[..<12]) + kept.bytes)
  }

  /// The next hops of a route (`struct rtnexthop`), without what the kernel says of them.
  private static func hops(_ octets: [UInt8]) -> [UInt8] {
    var octets = octets
    var at = 0
    while at + 8 <= octets.count {
      octets[at + 2] &= 4
      let length = Int(octets[at]) | Int(octets[at + 1]) << 8
      guard length >= 8 else { break }
      at += (length + 3) & ~3
    }
    return octets
  }

  private static func words(_ message: NetlinkMessage) -> String {
    if message.type == RouteMessageType.newNexthop {
      let attributes = try? NetlinkAttribute.all(in: message.payload, from: 8)
      let id = attributes?[type: nexthopID]?.host(UInt32.self)
      return "next hop" + (id.map { " \($0)" } ?? "")
    }
    return (try? RouteMessage(parsing: message)).map { "route to \($0.destination)" } ?? "route"
  }
}
