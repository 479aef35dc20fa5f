internal import Wire

/// What routing went by up to a moment of a recording: packets of before are told later.
struct PastRouting: Sendable {
  /// Nanoseconds since the epoch.
  let end: UInt64
  let policy: [RoutingRule]
  let routes: RoutingTables
  let sysctls: [String: String]

  /// Whether a message begins what a recorder lists of routing whenever something of it has changed.
  static func begins(_ message: NetlinkMessage) -> Bool {
    Listing(requestedBy: message).map { $0.kind == .policy && $0.family == NFProto.ipv4 } ?? false
  }
}

extension Snapshot {
  /// States of routing that are kept, and nanoseconds for which they are: no exchange is told later.
  private static let (mostPast, longestPast) = (16, UInt64(20_000_000_000))

  /// Keeps what routing goes by up to this moment.
  mutating func keepRouting(until now: UInt64) {
    if !routes.isEmpty {
      pastRouting.append(
        PastRouting(end: now, policy: policy, routes: routes, sysctls: sysctls))
    }
    if pastRouting.count > Self.mostPast { pastRouting.removeFirst() }
    pastRouting.removeAll { now.since($0.end) > Self.longestPast }
  }

  /// The same host as a packet of this time found it.
  func routing(at time: UInt64) -> Snapshot {
    guard let past = pastRouting.first(where: { $0.end > time }) else { return self }
    var snapshot = self
    (snapshot.policy, snapshot.routes, snapshot.sysctls) = (past.policy, past.routes, past.sysctls)
    return snapshot
  }
}
