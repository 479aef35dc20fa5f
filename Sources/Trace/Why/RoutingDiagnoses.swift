internal import Wire

/// Causes that lie in the routing decision, or in forwarding: the packet was through with
/// PREROUTING and came to no other hook.
enum RoutingDiagnoses {
  static let all: [Diagnosis.Cause] = [
    martianSource, martianDestination, badPacket, localSource, forwardingDisabled,
    forwardingDisabled6, refusedByRule, refusedByRoute, noRoute, reversePathFilter, ttlExpired,
    fragmentationNeeded,
  ]

  /// Errnos of a route lookup, as KERNEL.md F explains them, and of sending.
  enum Errno {
    static let noRoute: Int32 = 101  // ENETUNREACH
    static let prohibited: Int32 = 13  // EACCES
    static let unreachable: Int32 = 113  // EHOSTUNREACH
    static let invalid: Int32 = 22  // EINVAL
    static let crossDevice: Int32 = 18  // EXDEV
    static let tooLong: Int32 = 90  // EMSGSIZE
  }

  /// What can be wrong with a header, and what tells it: counters and drop reasons. The general
  /// case comes last, for the others raise its counters, too.
  private static let damages: [(what: String, counters: [String], reason: String)] = [
    ("the checksum of its IP header is wrong", ["IpExtInCsumErrors"], "IP_CSUM"),
    (
      "it is shorter than its IP header says", ["IpExtInTruncatedPkts", "Ip6InTruncatedPkts"],
      "PKT_TOO_SMALL"
    ),
    ("its IP header is damaged", ["IpInHdrErrors", "Ip6InHdrErrors"], "IP_INHDR"),
  ]

  /// Refused before PREROUTING: header checksum, length or version.
  static func badPacket(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .arrival,
      let damage = damages.first(where: { damage in
        damage.reason == lost.dropReason
          || lost.dropReason == nil && damage.counters.contains { lost.delta($0) > 0 }
      })
    else { return nil }
    let counters = damages.flatMap(\.counters).filter { lost.delta($0) > 0 }
    // A rule that rewrites a field may leave the checksum as it was.
    let rules = lost.journey.trailingRules.filter { $0.handle != nil }.map {
      "before, it met \(RuleNames.rule($0))" + ($0.text.map { ": \($0)" } ?? "")
    }
    return .error(
      "bad-packet",
      "\(damage.what): the kernel refused the \(RuleNames.what(lost)) on arrival at "
        + "\(lost.inDevice ?? "the interface")",
      confidence: lost.dropReason == nil ? .likely : .certain,
      evidence: counters.map { "\($0) went up by \(lost.delta($0))" } + rules
        + lost.reasonEvidence)
  }

  /// Sources that no packet may have on a wire: 127/8, 0/8, multicast, broadcast.
  static func martianSource(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .routing || lost.stage == .arrival else { return nil }
    let source = lost.packet.source
    // Addresses that are good for the link alone are not forwarded: RFC 4291 section 2.5.6.
    let isBoundToLink = lost.version == 6 && source.isLinkLocal
    guard
      source.isMulticast || source.isLoopback || isThisNetwork(source) || isBoundToLink
        || source == IPAddress("255.255.255.255"),
      lost.version == 6 || lost.route?.route == nil
    else { return nil }
    return .error(
      "martian-source",
      isBoundToLink
        ? "the source \(source) is good for its own link only, and is not forwarded"
        : "no packet may come in with the source \(source): the kernel drops it unseen",
      evidence: lost.reasonEvidence)
  }

  static func martianDestination(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .routing || lost.stage == .arrival else { return nil }
    let destination = lost.packet.destination
    guard destination.isLoopback || isThisNetwork(destination),
      lost.version == 6 || lost.route?.route == nil
    else { return nil }
    let setting = lost.setting(lost.last.inDevice ?? "", "route_localnet")
    let translated = lost.destinationChange
    let why = translated.map { "\($0.from) is translated to \(destination), and a" } ?? "a"
    return .error(
      "martian-destination",
      why + " packet for \(destination) may not come in from another machine",
      evidence: (setting.map { ["\($0.name) = \($0.value)"] } ?? []) + lost.reasonEvidence,
      remedy: try translated != nil && destination.isLoopback
        ? setting.map(Remedy.switchOn) : nil)
  }

  static func localSource(_ lost: LostPacket) -> Finding? {
    // With accept_local it is forwarded all the same, and its answer is for this host.
    if lost.isReply, lost.stage == .delivered, let request = lost.exchange.request,
      lost.snapshot.isLocal(request.packet.source)
    {
      return .error(
        "local-source",
        "the source \(request.packet.source) is an address of this host itself: the answer stays here",
        evidence: ["the answer was delivered to this host"])
    }
    guard let packet = routedPacket(lost), let hop = lost.routed,
      lost.version == 6 || lost.route?.errno == Errno.invalid,
      lost.wayBack?.route?.kind == .local
    else { return nil }
    let device = hop.inDevice ?? "?"
    let setting = lost.setting(device, "accept_local")
    return .error(
      "local-source",
      "the source \(packet.source) is an address of this host itself: a packet with it may not "
        + "come in from \(device)",
      evidence: (setting.map { ["\($0.name) = \($0.value)"] } ?? [])
        + ["a route lookup of \(packet.source) says local"] + lost.reasonEvidence)
  }

  /// The setting by which IPv4 packets that come in where this one did are not forwarded.
  private static func forwardingSwitch(_ lost: LostPacket) -> String? {
    guard lost.version == 4, let device = lost.routed?.inDevice else { return nil }
    if lost.sysctl("net.ipv4.ip_forward") == "0" { return "net.ipv4.ip_forward" }
    return lost.setting(device, "forwarding").flatMap { $0.value == "0" ? $0.name : nil }
  }

  static func forwardingDisabled(_ lost: LostPacket) -> Finding? {
    guard let hop = lost.routed, routedPacket(lost) != nil,
      lost.route?.errno == Errno.unreachable,
      // A rule for what comes in there is none for what this host sends.
      lost.plainRoute?.route != nil || PolicyRouting(lost).route?.kind == .unicast,
      let device = hop.inDevice, let name = forwardingSwitch(lost)
    else { return nil }
    return .error(
      "forwarding-disabled",
      name == "net.ipv4.ip_forward"
        ? "this host does not forward IPv4 packets: \(name) is 0"
        : "packets that come in by \(device) are not forwarded: \(name) is 0",
      evidence: ["\(name) = 0", "IpInAddrErrors went up by \(lost.delta("IpInAddrErrors"))"]
        + lost.reasonEvidence, remedy: try "sysctl -w \(Word.sysctl(name))=1")
  }

  /// IPv6 lookups do not model forwarding: the setting says it.
  static func forwardingDisabled6(_ lost: LostPacket) -> Finding? {
    guard let packet = routedPacket(lost), lost.version == 6,
      lost.sysctl("net.ipv6.conf.all.forwarding") == "0", lost.route?.errno == nil,
      lost.route?.route?.kind != .local, !packet.destination.isMulticast
    else { return nil }
    let name = "net.ipv6.conf.all.forwarding"
    return .error(
      "forwarding-disabled", "this host does not forward IPv6 packets: \(name) is 0",
      evidence: ["\(name) = 0"] + lost.reasonEvidence,
      remedy: try "sysctl -w \(Word.sysctl(name))=1")
  }

  /// A way to refuse packets: the finding's id, what it does to them, and what a lookup says.
  struct Refusal {
    var kind: RouteMessage.Kind
    var id: String
    var verb: String
    var errno: Int32

    /// What a lookup says where a rule of policy routing does it: unreachable is as good as no route.
    var errnoOfRule: Int32 { kind == .unreachable ? Errno.noRoute : errno }

    func isOf(_ rule: RoutingRule) -> Bool { "\(kind)" == "\(rule.action)" }
  }

  static let refusals: [Refusal] = [
    Refusal(
      kind: .prohibit, id: "prohibit-route", verb: "prohibits", errno: Errno.prohibited),
    Refusal(
      kind: .unreachable, id: "unreachable-route", verb: "declares unreachable",
      errno: Errno.unreachable),
    Refusal(kind: .blackhole, id: "blackhole-route", verb: "discards", errno: Errno.invalid),
  ]

  /// A rule of policy routing that refuses the packet without looking at a table.
  static func refusedByRule(_ lost: LostPacket) -> Finding? {
    guard let packet = routedPacket(lost), lost.route?.errno != nil,
      let rule = PolicyRouting(lost).refusal,
      let refusal = refusals.first(where: { $0.isOf(rule) })
    else { return nil }
    return refused(refusal, by: rule, packet, lost.reasonEvidence)
  }

  static func refused(
    _ refusal: Refusal, by rule: RoutingRule, _ packet: Packet, _ evidence: [String]
  ) -> Finding {
    .error(
      refusal.id,
      "rule \(rule.priority) of policy routing \(refusal.verb) packets for \(packet.destination)",
      evidence: ["ip rule: \(PolicyRouting.text(rule))"] + evidence,
      remedy: try PolicyRouting.deletion(rule, family: packet.source.family))
  }

  /// A blackhole, unreachable or prohibit route.
  static func refusedByRoute(_ lost: LostPacket) -> Finding? {
    guard let packet = routedPacket(lost), let errno = lost.route?.errno else { return nil }
    let policy = PolicyRouting(lost)
    for refusal in refusals {
      guard let route = policy.route(of: refusal.kind) else { continue }
      return refused(refusal, by: route, policy, lost.reasonEvidence)
    }
    // Routes were not listed: the errno alone tells the kind, as long as nothing else has it.
    guard lost.snapshot.routes.isEmpty, lost.plainRoute?.errno == errno,
      let refusal = refusals.first(where: { $0.errno == errno })
    else { return nil }
    return .error(
      refusal.id, "a route \(refusal.verb) packets for \(packet.destination)",
      confidence: .likely,
      evidence: ["the route lookup is refused with errno \(errno)"] + lost.reasonEvidence)
  }

  static func refused(
    _ refusal: Refusal, by route: RouteMessage, _ policy: PolicyRouting, _ evidence: [String]
  ) -> Finding {
    let rule = policy.rule(for: route.table).map { ["ip rule: \(PolicyRouting.text($0))"] } ?? []
    return .error(
      refusal.id,
      "the route to \(PolicyRouting.text(route.destination)) (table "
        + "\(PolicyRouting.name(ofTable: route.table))) \(refusal.verb) what goes there",
      evidence: ["ip route: \(PolicyRouting.text(route))"] + rule + evidence,
      remedy: PolicyRouting.deletion(route))
  }

  static func noRoute(_ lost: LostPacket) -> Finding? {
    guard let packet = routedPacket(lost), let errno = lost.route?.errno else { return nil }
    var evidence = ["a route lookup of \(packet.destination) finds nothing"]
    if errno != Errno.noRoute {
      // Where nothing is forwarded, a lookup says that it found nothing in the same words as that it
      // may not be forwarded.
      guard errno == Errno.unreachable, lost.plainRoute?.errno == Errno.noRoute,
        let name = forwardingSwitch(lost)
      else { return nil }
      evidence.append("\(name) = 0: with a route, it would not be forwarded either")
    }
    return noRoute(
      packet, PolicyRouting(lost), lost.snapshot, evidence,
      then: lost.reasonEvidence)
  }

  static func noRoute(
    _ packet: Packet, _ policy: PolicyRouting, _ snapshot: Snapshot, _ evidence: [String],
    then more: [String] = []
  ) -> Finding {
    let thrown = policy.route(of: .throw)
    let down = snapshot.links.values.filter {
      !$0.flags.contains(.loopback) && !($0.flags.contains(.up) && $0.flags.contains(.lowerUp))
        && $0.kind != "tun"
    }.map(\.name).sorted()
    var evidence = evidence
    if let thrown {
      evidence.append("table \(PolicyRouting.name(ofTable: thrown.table)) throws it")
    }
    evidence += down.map { "\($0) is down, and routes through it are not used" }
    return .error(
      "no-route", "there is no route to \(packet.destination)", evidence: evidence + more,
      // Of no use where no table behind has a route.
      remedy: thrown.flatMap {
        policy.without($0).route == nil ? nil : PolicyRouting.deletion($0)
      })
  }

  static func reversePathFilter(_ lost: LostPacket) -> Finding? {
    guard let packet = routedPacket(lost), let hop = lost.routed, lost.version == 4,
      let device = hop.inDevice, let errno = lost.route?.errno,
      // The latter of older kernels: of 5.10 and 6.1, and not of 6.18.
      errno == Errno.invalid || errno == Errno.crossDevice
    else { return nil }
    let all = lost.setting("all", "rp_filter")
    let own = lost.setting(device, "rp_filter")
    let mode = max(Int(all?.value ?? "0") ?? 0, Int(own?.value ?? "0") ?? 0)
    guard mode > 0 else { return nil }
    let back = lost.wayBack?.route
    let backDevice = lost.snapshot.name(back?.outputInterface)
    guard mode == 2 ? back == nil : backDevice != device else { return nil }
    let why =
      backDevice.map { "the way back to \(packet.source) is \($0), not \(device)" }
      ?? "there is no way back to \(packet.source)"
    let evidence =
      [all, own].compactMap { $0 }.map { "\($0.name) = \($0.value)" }
      + ["TcpExtIPReversePathFilter went up by \(lost.delta("TcpExtIPReversePathFilter"))"]
    return .error(
      "reverse-path-filter",
      "the reverse path filter dropped the \(lost.isReply ? "answer" : "packet"): \(why)",
      evidence: evidence + lost.reasonEvidence,
      remedy: try lost.isReply && back != nil
        ? "sysctl -w \(Word.sysctl((own ?? all)!.name))=2"
        : "ip route replace \(packet.source)/32 dev \(Word.device(device))")
  }

  static func ttlExpired(_ lost: LostPacket) -> Finding? {
    guard let packet = routedPacket(lost), packet.ttl <= 1,
      lost.route?.route?.kind != .local
    else { return nil }
    let name = lost.version == 4 ? "TTL" : "hop limit"
    return .error(
      "ttl-expired",
      "its \(name) was \(packet.ttl) on arrival, and forwarding takes 1: send it with a larger one",
      evidence: evidence(lost) + lost.reasonEvidence)
  }

  static func fragmentationNeeded(_ lost: LostPacket) -> Finding? {
    // IPv6 finds that the route takes less than its interface behind the last hook only.
    guard let packet = routedPacket(lost) ?? (lost.version == 6 ? lost.tooBig : nil),
      let route = lost.route?.route, packet.dontFragment
    else { return nil }
    let device = lost.snapshot.name(route.outputInterface)
    let linkMTU = lost.snapshot.link(device)?.mtu.map { Int($0) }
    let mtu = [route.mtu.map { Int($0) }, linkMTU].compactMap { $0 }.min()
    guard let mtu, packet.length > mtu else { return nil }
    let narrow = mtu == linkMTU ? device ?? "the route" : "the route"
    return .error(
      "fragmentation-needed",
      "it has \(packet.length) octets, \(narrow) takes \(mtu), and it may not be fragmented: send at "
        + "most \(mtu)",
      evidence: ["the MTU of \(narrow) is \(mtu)"] + evidence(lost) + lost.reasonEvidence)
  }

  private static func evidence(_ lost: LostPacket) -> [String] {
    guard let error = lost.error, let name = RuleNames.error(error) else { return [] }
    return ["\(name) came back from \(error.source)"]
  }

  /// The packet as it was when it stopped in the routing decision; nil if it did not.
  private static func routedPacket(_ lost: LostPacket) -> Packet? {
    lost.stage == .routing ? lost.routed?.packet : nil
  }

  /// 0.0.0.0/8, "this network" of RFC 1122, or ::.
  private static func isThisNetwork(_ address: IPAddress) -> Bool {
    if case .v4(let value) = address { value >> 24 == 0 } else { address.isUnspecified }
  }
}

extension LostPacket {
  /// The packet that this host could not send on for its length, as its own ICMPv6 error says.
  fileprivate var tooBig: Packet? {
    guard stage == .output, let error, isOurError || snapshot.isLocal(error.source),
      error.icmp?.mtu(error.proto) != nil
    else { return nil }
    return packet
  }
}
