package import Trace
internal import Wire

/// What routing goes by, for a recording: rules of policy routing, routes of all tables, and the settings of forwarding and
/// of the reverse path filter. It hears of changes: the groups `RTNLGRP_IPV4_ROUTE`, `…_RULE`,
/// `…_NETCONF` and those of IPv6 of rtnetlink(7). It belongs to the network namespace its thread was in when it was opened.
package struct RoutingWatch: ~Copyable {
  private var routes: RouteSocket
  private var changes: NetlinkConversation
  /// When something was changed that was not read yet, in nanoseconds since the epoch.
  private var changed: UInt64? = Clock.realtime
  /// The moment of the monotonic clock before which it is not read again.
  private var notBefore: UInt64 = 0
  /// What was told last, as a hash; nil where that does not hold any more, and it was said so.
  private var told: Int?
  /// Whether there are more routes than are recorded.
  private var areTooMany = false

  private static let groups: UInt32 = 1 << 6 | 1 << 7 | 1 << 10 | 1 << 18 | 1 << 23 | 1 << 24
  private static let attempt = "listen to changes of routing"
  /// Routes and interfaces that are recorded at most: of a router that has the Internet's routes, nobody reads them all.
  private static let (mostRoutes, mostDevices) = (4096, 256)
  /// How many times as long as it took nothing is read again, and nanoseconds for which nothing is for each octet that was
  /// told: routes may change all the time, and a recording is for packets.
  private static let (rest, restOfOctet): (UInt64, UInt64) = (20, 61_035)

  /// Begins to listen.
  package init() throws(KernelError) {
    let routes = try RouteSocket()
    let changes = try NetlinkConversation(
      with: .route, groups: Self.groups, attempt: Self.attempt)
    self.routes = routes
    self.changes = changes
  }

  /// For poll(2): readable when something was changed.
  package var fileDescriptor: Int32 { changes.descriptor }

  /// The moment of the monotonic clock at which there is something to read; nil where nothing was changed.
  package var due: UInt64? { changed == nil || areTooMany ? nil : notBefore }

  /// What there is, if it is another than when this was asked last, with the time of the change; nothing, as long as it is
  /// too soon to read it again. Does not wait.
  package mutating func news() -> [Record]? {
    notice()
    let start = Clock.monotonic
    guard let time = changed, !areTooMany else { return nil }
    if start < notBefore {
      guard told != nil else { return nil }
      told = nil
      return Self.nothing.map { Record(time: time, .netlink($0)) }
    }
    changed = nil
    let records = read().map { Record(time: time, $0.content) }
    let (hash, octets) = Self.measure(records)
    let now = Clock.monotonic
    notBefore = now + max((now - start) * Self.rest, UInt64(octets) * Self.restOfOctet)
    defer { told = hash }
    return hash == told ? nil : records
  }

  /// Lists of rules and routes in which there is nothing.
  private static let nothing = [RouteMessageType.getRule, RouteMessageType.getRoute].flatMap {
    type in [2, 10].map { RouteMessageType.dump(type, family: $0) }
  }

  /// A hash of what records say of routing, and how many octets that takes.
  private static func measure(_ records: [Record]) -> (hash: Int, octets: Int) {
    var (hasher, octets) = (Hasher(), 0)
    for record in records {
      switch record.content {
      case .netlink(let message):
        hasher.combine(message.payload)
        octets += message.payload.count
      case .note(.sysctls(let values)):
        hasher.combine(values)
        octets += values.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
      default: break
      }
    }
    return (hasher.finalize(), octets)
  }

  /// Takes in that something was changed.
  private mutating func notice() {
    while true {
      do {
        if try changes.receive(attempt: Self.attempt, wait: false).isEmpty { return }
        changed = changed ?? Clock.realtime
      } catch {
        // There was no room for all of them.
        changed = changed ?? Clock.realtime
        return
      }
    }
  }

  private mutating func read() -> [Record] {
    let ip: [UInt8] = [2, 10]
    var count = 0
    let most = Self.mostRoutes
    let rules = routes.records(of: RouteMessageType.getRule, families: ip)
    let listed = routes.records(of: RouteMessageType.getRoute, families: ip) { message in
      // What is this host's own is known by its addresses.
      guard let route = try? RouteMessage(parsing: message), route.table != RouteMessage.localTable
      else { return false }
      count += 1
      return count <= most
    }
    areTooMany = count > most
    // Some of them would tell of a way that the packet did not take.
    let known = areTooMany ? listed.filter(\.isListRequest) : listed
    return rules + known + [settings()]
  }

  private mutating func settings() -> Record {
    let devices = ((try? routes.links()) ?? []).prefix(Self.mostDevices).map(\.name)
    var settings = [Sysctl.forwarding4, .forwarding6]
    for device in ["all"] + devices {
      for key in ["forwarding", "rp_filter", "src_valid_mark"] {
        settings += [Sysctl.interface(device, family: 4, key)].compactMap(\.self)
      }
    }
    var values: [String: String] = [:]
    for setting in settings { values["\(setting)"] = try? setting.read() }
    return Record(time: Clock.realtime, .note(.sysctls(values)))
  }
}

extension Record {
  fileprivate var isListRequest: Bool {
    if case .netlink(let message) = content { message.isDumpRequest } else { false }
  }
}
