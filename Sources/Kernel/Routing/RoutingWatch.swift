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
  /// Whether there are more routes than are recorded.
  private var areTooMany = false

  private static let groups: UInt32 = 1 << 6 | 1 << 7 | 1 << 10 | 1 << 18 | 1 << 23 | 1 << 24
  private static let attempt = "listen to changes of routing"
  /// Routes and interfaces that are recorded at most: of a router that has the Internet's routes, nobody reads them all.
  private static let (mostRoutes, mostDevices) = (4096, 256)
  /// How many times as long as it took nothing is read again: routes may change all the time.
  private static let rest: UInt64 = 20

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

  /// What there is, if it may be another than when this was asked last, with the time of the change; does not wait.
  package mutating func news() -> [Record]? {
    notice()
    let start = Clock.monotonic
    guard let time = changed, !areTooMany, start >= notBefore else { return nil }
    changed = nil
    let records = read().map { Record(time: time, $0.content) }
    let now = Clock.monotonic
    notBefore = now + (now - start) * Self.rest
    return records
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
