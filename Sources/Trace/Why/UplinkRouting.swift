internal import Wire

/// Sends answers back by the uplink that their questions came by.
struct UplinkRouting {
  private let asked: IPAddress
  private let isOwn: Bool
  private let client: IPAddress
  private let uplink: String
  private let snapshot: Snapshot

  /// For what a client asks this address by this uplink. `isOwn` is whether this host itself answers.
  init(
    asked: IPAddress, isOwn: Bool, by client: IPAddress, _ uplink: String, _ snapshot: Snapshot
  ) {
    self.asked = asked
    self.isOwn = isOwn
    self.client = client
    self.uplink = uplink
    self.snapshot = snapshot
  }

  private var version: Int { client.family }
  private var ip: Command { version == 6 ? "ip -6" : "ip" }

  /// The commands; nil where nothing is known of a gateway behind the uplink.
  var remedy: Command? {
    get throws(Word.Unspeakable) {
      guard let (known, hop) = way else { return nil }
      let table = known ?? freeTable
      var steps: [Command] = []
      if known == nil {
        let gateway: Command = hop.map { "via \($0) " } ?? ""
        steps.append(
          "\(ip) route add default \(gateway)dev \(try Word.device(uplink)) table \(table)")
      }
      if isOwn, isThere(table) { return nil }
      if isOwn {
        steps.append("\(ip) rule add from \(asked) lookup \(table)")
        return steps.joined(separator: " && ")
      }
      let mark = freeMark
      steps.append("\(ip) rule add fwmark \(mark) lookup \(table)")
      return (try marking(mark) + steps).joined(separator: " && ")
    }
  }

  /// The table that has a default route by this uplink and no other's, if there is one, and the gateway there: the only
  /// router behind the uplink, where no route has one.
  private var way: (table: UInt32?, gateway: IPAddress?)? {
    guard let link = snapshot.link(uplink) else { return nil }
    let routes = snapshot.routes.routes(to: client).filter {
      $0.kind == .unicast && $0.outputInterface == link.index && $0.destination.length <= 1
    }
    if let route = routes.first(where: { $0.table != 254 }) { return (route.table, route.gateway) }
    if let route = routes.first { return (nil, route.gateway) }
    if link.flags.contains(.noARP) { return (nil, nil) }
    return snapshot.onlyRouter(behind: link, version: version).map { (nil, $0) }
  }

  /// Whether what has the address is led to the table already.
  private func isThere(_ table: UInt32) -> Bool {
    snapshot.policy.contains {
      $0.source == Prefix(asked) && $0.table == table && $0.action == .lookup
        && $0.destination == nil && $0.mark == nil && !$0.isInverted
    }
  }

  private var freeTable: UInt32 {
    let used = Set(snapshot.policy.map(\.table))
    return (100...252).first { !used.contains($0) } ?? 252
  }

  private var freeMark: UInt32 {
    let used = Set(snapshot.policy.compactMap(\.mark))
    return (1...255).first { !used.contains($0) } ?? 255
  }

  /// Rules that mark connections which began at the uplink, and what answers them.
  private func marking(_ mark: UInt32) throws(Word.Unspeakable) -> [Command] {
    guard snapshot.usesNFT else {
      let device = try Word.device(uplink, for: "iptables")
      let program: Command =
        "\(version == 4 ? "iptables" as Command : "ip6tables") -t mangle -A PREROUTING"
      return [
        "\(program) -i \(device) -m conntrack --ctstate NEW -j CONNMARK --set-mark \(mark)",
        "\(program) ! -i \(device) -m connmark --mark \(mark) -j MARK --set-mark \(mark)",
      ]
    }
    let device = try Word.nftDevice(uplink)
    let rule: Command = "nft add rule inet uplinks answers"
    let came: Command = "iifname \(device) ct state new ct mark set \(mark)"
    let goes: Command = "iifname != \(device) ct mark \(mark) meta mark set \(mark)"
    return [
      "nft add table inet uplinks",
      "nft add chain inet uplinks answers '{ type filter hook prerouting priority mangle; }'",
      "\(rule) \(came.quoted)", "\(rule) \(goes.quoted)",
    ]
  }
}
