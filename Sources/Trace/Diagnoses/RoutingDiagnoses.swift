internal import Wire

/// Causes that lie in the routing decision, or in forwarding: the packet was through with
/// PREROUTING and came to no other hook.
enum RoutingDiagnoses {
  static let all: [Diagnosis.Cause] = [
    badPacket, martianSource, martianDestination, localSource, forwardingDisabled,
    forwardingDisabled6, policyRuleOrRoute, noRoute, reversePathFilter, ttlExpired,
    fragmentationNeeded,
  ]

  /// Errnos of a route lookup, as KERNEL.md F explains them.
  private enum Errno {
    static let noRoute: Int32 = 101  // ENETUNREACH
    static let prohibited: Int32 = 13  // EACCES
    static let unreachable: Int32 = 113  // EHOSTUNREACH
    static let invalid: Int32 = 22  // EINVAL
  }

  /// Refused before PREROUTING: header checksum, length or version.
  static func badPacket(_ examined: Case) -> Finding? {
    guard examined.stage == .arrival else { return nil }
    let counters = [
      "IpInHdrErrors", "IpExtInCsumErrors", "IpExtInTruncatedPkts", "Ip6InHdrErrors",
      "Ip6InTruncatedPkts",
    ].filter { examined.delta($0) > 0 }
    let reasons = ["IP_CSUM", "IP_INHDR", "PKT_TOO_SMALL"]
    guard !counters.isEmpty || reasons.contains(examined.dropReason ?? "") else { return nil }
    return .error(
      "bad-packet", "the packet's IP header is damaged: the kernel refused it on arrival",
      evidence: counters.map { "\($0) went up by \(examined.delta($0))" } + examined.reasonEvidence)
  }

  /// Sources that no packet may have on a wire: 127/8, 0/8, multicast, broadcast.
  static func martianSource(_ examined: Case) -> Finding? {
    guard let source = routedPacket(examined)?.source, examined.route?.route == nil,
      source.isMulticast || source.isLoopback || isThisNetwork(source)
        || source == IPAddress("255.255.255.255")
    else { return nil }
    return .error(
      "martian-source",
      "no packet may come in with the source \(source): the kernel drops it unseen",
      evidence: examined.reasonEvidence)
  }

  static func martianDestination(_ examined: Case) -> Finding? {
    guard let hop = examined.routed, let destination = routedPacket(examined)?.destination,
      destination.isLoopback || isThisNetwork(destination), examined.route?.route == nil
    else { return nil }
    let setting = examined.setting(hop.inDevice ?? "", "route_localnet")
    let translated = examined.destinationChange
    let why = translated.map { "\($0.from) is translated to \(destination), and a" } ?? "a"
    return .error(
      "martian-destination",
      why + " packet for \(destination) may not come in from another machine",
      evidence: (setting.map { ["\($0.name) = \($0.value)"] } ?? []) + examined.reasonEvidence,
      remedy: translated != nil && destination.isLoopback
        ? setting.map { "sysctl -w \($0.name)=1" } : nil)
  }

  static func localSource(_ examined: Case) -> Finding? {
    guard let packet = routedPacket(examined), let hop = examined.routed, examined.version == 4,
      examined.route?.errno == Errno.invalid, examined.wayBack?.route?.kind == .local
    else { return nil }
    let device = hop.inDevice ?? "?"
    let setting = examined.setting(device, "accept_local")
    return .error(
      "local-source",
      "the source \(packet.source) is an address of this host itself: a packet with it may not "
        + "come in from \(device)",
      evidence: (setting.map { ["\($0.name) = \($0.value)"] } ?? [])
        + ["a route lookup of \(packet.source) says local"] + examined.reasonEvidence)
  }

  static func forwardingDisabled(_ examined: Case) -> Finding? {
    guard let hop = examined.routed, routedPacket(examined) != nil, examined.version == 4,
      examined.route?.errno == Errno.unreachable, examined.plainRoute?.route != nil,
      let device = hop.inDevice
    else { return nil }
    let isOff = examined.sysctl("net.ipv4.ip_forward") == "0"
    let setting = examined.setting(device, "forwarding")
    guard isOff || setting?.value == "0" else { return nil }
    let name = isOff ? "net.ipv4.ip_forward" : setting!.name
    return .error(
      "forwarding-disabled",
      isOff
        ? "this host does not forward IPv4 packets: net.ipv4.ip_forward is 0"
        : "packets that come in by \(device) are not forwarded: \(name) is 0",
      evidence: ["\(name) = 0", "IpInAddrErrors went up by \(examined.delta("IpInAddrErrors"))"]
        + examined.reasonEvidence, remedy: "sysctl -w \(name)=1")
  }

  /// IPv6 lookups do not model forwarding: the setting says it.
  static func forwardingDisabled6(_ examined: Case) -> Finding? {
    guard let packet = routedPacket(examined), examined.version == 6,
      examined.sysctl("net.ipv6.conf.all.forwarding") == "0", examined.route?.errno == nil,
      examined.route?.route?.kind != .local, !packet.destination.isMulticast
    else { return nil }
    let name = "net.ipv6.conf.all.forwarding"
    return .error(
      "forwarding-disabled", "this host does not forward IPv6 packets: \(name) is 0",
      evidence: ["\(name) = 0"] + examined.reasonEvidence, remedy: "sysctl -w \(name)=1")
  }

  /// A blackhole, unreachable or prohibit route, or a rule of policy routing that says the same.
  static func policyRuleOrRoute(_ examined: Case) -> Finding? {
    guard let packet = routedPacket(examined), let errno = examined.route?.errno else { return nil }
    let (id, kind, word): (String, RouteMessage.Kind, String)
    switch errno {
    case Errno.prohibited: (id, kind, word) = ("prohibit-route", .prohibit, "prohibits")
    case Errno.unreachable
    where examined.plainRoute?.errno == errno || hasRule(examined, .unreachable):
      (id, kind, word) = ("unreachable-route", .unreachable, "declares unreachable")
    case Errno.invalid where examined.plainRoute?.errno == errno || hasRule(examined, .blackhole):
      (id, kind, word) = ("blackhole-route", .blackhole, "discards")
    default: return nil
    }
    let policy = PolicyRouting(examined)
    if let rule = policy.refusal {
      return .error(
        id, "rule \(rule.priority) of policy routing \(word) packets for \(packet.destination)",
        evidence: ["ip rule: \(PolicyRouting.text(rule))"] + examined.reasonEvidence,
        remedy: "ip \(examined.version == 6 ? "-6 " : "")rule del \(PolicyRouting.words(rule))")
    }
    let route = policy.route(of: kind)
    let table = route.map { " (table \(PolicyRouting.name(ofTable: $0.table)))" } ?? ""
    let target = route.map { PolicyRouting.text($0.destination) } ?? "\(packet.destination)"
    return .error(
      id, "the route to \(target)\(table) \(word) what goes there",
      evidence: [
        route.map { "ip route: " + PolicyRouting.text($0) }
          ?? "the route lookup is refused with errno \(errno)"
      ] + examined.reasonEvidence,
      remedy: route.map(PolicyRouting.deletion))
  }

  private static func hasRule(_ examined: Case, _ action: RuleMessage.Action) -> Bool {
    PolicyRouting(examined).refusal?.action == action
  }

  static func noRoute(_ examined: Case) -> Finding? {
    guard let packet = routedPacket(examined), examined.route?.errno == Errno.noRoute else {
      return nil
    }
    let policy = PolicyRouting(examined)
    let thrown = policy.route(of: .throw)
    let down = examined.environment.links.values.filter {
      !$0.flags.contains(.loopback) && !($0.flags.contains(.up) && $0.flags.contains(.lowerUp))
        && $0.kind != "tun"
    }.map(\.name).sorted()
    var evidence = ["a route lookup of \(packet.destination) finds nothing"]
    if let thrown {
      evidence.append("table \(PolicyRouting.name(ofTable: thrown.table)) throws it")
    }
    evidence += down.map { "\($0) is down, and routes through it are not used" }
    return .error(
      "no-route", "there is no route to \(packet.destination)",
      evidence: evidence + examined.reasonEvidence,
      remedy: thrown.map(PolicyRouting.deletion))
  }

  static func reversePathFilter(_ examined: Case) -> Finding? {
    guard let packet = routedPacket(examined), let hop = examined.routed, examined.version == 4,
      let device = hop.inDevice, examined.route?.errno == Errno.invalid
    else { return nil }
    let all = examined.setting("all", "rp_filter")
    let own = examined.setting(device, "rp_filter")
    let mode = max(Int(all?.value ?? "0") ?? 0, Int(own?.value ?? "0") ?? 0)
    guard mode > 0 else { return nil }
    let back = examined.wayBack?.route
    let backDevice = examined.environment.name(back?.outputInterface)
    guard mode == 2 ? back == nil : backDevice != device else { return nil }
    let why =
      backDevice.map { "the way back to \(packet.source) is \($0), not \(device)" }
      ?? "there is no way back to \(packet.source)"
    let evidence =
      [all, own].compactMap { $0 }.map { "\($0.name) = \($0.value)" }
      + ["TcpExtIPReversePathFilter went up by \(examined.delta("TcpExtIPReversePathFilter"))"]
    return .error(
      "reverse-path-filter",
      "the reverse path filter dropped the \(examined.isReply ? "answer" : "packet"): \(why)",
      evidence: evidence + examined.reasonEvidence,
      remedy: examined.isReply && back != nil
        ? "sysctl -w \((own ?? all)!.name)=2" : "ip route add \(packet.source)/32 dev \(device)")
  }

  static func ttlExpired(_ examined: Case) -> Finding? {
    guard let packet = routedPacket(examined), packet.ttl <= 1,
      examined.route?.route?.kind != .local
    else { return nil }
    let name = examined.version == 4 ? "TTL" : "hop limit"
    return .error(
      "ttl-expired",
      "its \(name) was \(packet.ttl) on arrival, and forwarding takes 1: send it with a larger one",
      evidence: evidence(examined) + examined.reasonEvidence)
  }

  static func fragmentationNeeded(_ examined: Case) -> Finding? {
    guard let packet = routedPacket(examined), let route = examined.route?.route,
      packet.dontFragment
    else { return nil }
    let device = examined.environment.name(route.outputInterface)
    let linkMTU = examined.environment.link(device)?.mtu.map { Int($0) }
    let mtu = [route.mtu.map { Int($0) }, linkMTU].compactMap { $0 }.min()
    guard let mtu, packet.length > mtu else { return nil }
    return .error(
      "fragmentation-needed",
      "it has \(packet.length) octets, \(device ?? "the route") takes \(mtu), and it may not be "
        + "fragmented: send at most \(mtu)",
      evidence: ["the MTU of \(device ?? "the route") is \(mtu)"] + evidence(examined)
        + examined.reasonEvidence)
  }

  private static func evidence(_ examined: Case) -> [String] {
    guard let error = examined.error, let icmp = error.icmp else { return [] }
    return ["ICMP type \(icmp.type) code \(icmp.code) came back from \(error.source)"]
  }

  /// The packet as it was when it stopped in the routing decision; nil if it did not.
  private static func routedPacket(_ examined: Case) -> Packet? {
    examined.stage == .routing ? examined.routed?.packet : nil
  }

  /// 0.0.0.0/8, "this network" of RFC 1122, or ::.
  private static func isThisNetwork(_ address: IPAddress) -> Bool {
    if case .v4(let value) = address { value >> 24 == 0 } else { address.isUnspecified }
  }
}
