internal import Wire

/// What explains what the user sees, without being a fault.
enum Notes {
  /// Notes about any exchange.
  static func all(_ exchange: Exchange, _ snapshot: Snapshot) -> [Finding] {
    [
      natOncePerFlow(exchange), hairpinRedirect(exchange), fragmented(exchange),
      bridgeNetfilter(exchange, snapshot), flowOffloaded(exchange),
    ].compactMap { $0 }
  }

  /// Notes that only matter when something was lost.
  static func aboutLoss(_ lost: LostPacket) -> [Finding] {
    [mixedBackends(lost), fragmentedOnTheWay(lost)].compactMap { $0 }
  }

  /// A translated packet that met no NAT rule: an earlier packet of its flow did.
  private static func natOncePerFlow(_ exchange: Exchange) -> Finding? {
    let journey = exchange.journeys.first { journey in
      journey.connection?.isReply == false && journey.connection?.wasKnown == true
        && journey.hops.contains { hop in
          hop.changes.contains { $0.field == .source || $0.field == .destination }
            && !hop.rules.contains { $0.translation != nil }
        }
    }
    guard let journey else { return nil }
    return .note(
      "nat-once-per-flow",
      "no NAT rule was asked: NAT rules see the first packet of a flow only, conntrack translates "
        + "the rest",
      evidence: ["conntrack knew the connection of packet \(journey.id) when it came"])
  }

  /// A bridge with net.bridge.bridge-nf-call-iptables, or a setting of its own, has IP rules look at
  /// what it carries: the kernel then names the bridge's ports beside the bridge.
  private static func bridgeNetfilter(_ exchange: Exchange, _ snapshot: Snapshot) -> Finding? {
    guard
      let hop = exchange.journeys.lazy.flatMap(\.hops).first(where: {
        $0.inPort != nil && $0.outPort != nil
      }), let (input, output) = hop.inPort.flatMap({ port in hop.outPort.map { (port, $0) } })
    else { return nil }
    let table = hop.packet.source.family == 4 ? "iptables" : "ip6tables"
    let name = "net.bridge.bridge-nf-call-\(table)"
    let bridge = hop.inDevice ?? hop.outDevice ?? "a bridge"
    return .note(
      "bridge-netfilter",
      "\(bridge) bridges it from \(input) to \(output), and passes it to the rules for IP as well: "
        + "\(name), or nf_call_\(table) of the bridge, is 1",
      evidence: [
        "at \(Escape.name(hop.point.label)) the kernel names the ports \(input) and \(output)"
      ]
        + (snapshot.sysctls[name].map { ["\(name) = \($0)"] } ?? []))
  }

  /// Flowtables set a bit in conntrack's status of the connections that they take over.
  private static func flowOffloaded(_ exchange: Exchange) -> Finding? {
    let offloads: ConntrackMessage.Status = [.offload, .hardwareOffload]
    let connection = exchange.journeys.lazy.compactMap(\.connection).first {
      !$0.status.union($0.tracedStatus).isDisjoint(with: offloads)
    }
    guard let connection else { return carriedPast(exchange) }
    let isHardware = connection.status.union(connection.tracedStatus).contains(.hardwareOffload)
    return .note(
      "flow-offloaded",
      "\(isHardware ? "the interface's hardware" : "a flowtable") takes packets of this connection "
        + "past the hooks: neither rules nor nftrace see those; 'nft list flowtables' lists it",
      evidence: [
        "conntrack's status of the connection has \(isHardware ? "IPS_HW_OFFLOAD" : "IPS_OFFLOAD")"
      ])
  }

  /// Before Linux 6.13 no message has the status of a packet's connection. What a flowtable does is
  /// seen nevertheless: a packet came in and left with a smaller TTL, and IP's hooks never had it.
  private static func carriedPast(_ exchange: Exchange) -> Finding? {
    for journey in exchange.journeys {
      guard let first = journey.hops.first, let last = journey.hops.last,
        first.point.hook == .ingress, last.point.hook == .egress,
        first.packet.ttl == last.packet.ttl &+ 1,
        journey.hops.allSatisfy({ $0.point.hook == .ingress || $0.point.hook == .egress })
      else { continue }
      let name = first.packet.source.family == 4 ? "ttl" : "hop limit"
      return .note(
        "flow-offloaded",
        "it was forwarded past the hooks, as a flowtable does with packets of a known connection: "
          + "no rule sees them; 'nft list flowtables' lists the devices",
        evidence: [
          "packet \(journey.id) came in, and left with \(name) \(first.packet.ttl) → "
            + "\(last.packet.ttl), without being at PREROUTING, FORWARD or POSTROUTING"
        ])
    }
    return nil
  }

  private static func hairpinRedirect(_ exchange: Exchange) -> Finding? {
    // The kernel itself drops those about packets of a translated connection, or of one that may be.
    let redirect = exchange.journeys.contains {
      ($0.packet.proto == .icmp && $0.packet.icmp?.type == 5
        || $0.packet.proto == .icmpv6 && $0.packet.icmp?.type == 137)
        && $0.end.kind == .transmitted
    }
    guard let request = exchange.request, let out = request.end.out,
      request.hops.first?.point.hook != .output, request.inDevice == out
    else { return nil }
    return .note(
      "hairpin-redirect",
      "it was sent out of \(out), by which it came in"
        + (redirect ? "; the sender was told with an ICMP redirect" : ""))
  }

  private static func fragmented(_ exchange: Exchange) -> Finding? {
    let packets = exchange.journeys.compactMap { journey in
      fragments(journey).map { (journey.id, $0) }
    }
    guard let (first, count) = packets.first else { return nil }
    let others = packets.dropFirst().map { ", packet \($0) in \($1)" }
    return .note(
      "fragmented", "packet \(first) was sent on in \(count) fragments" + others.joined())
  }

  /// How many fragments a packet left in: where the others were not seen, the first one tells by its
  /// length. What came in fragments was not made into them here.
  private static func fragments(_ journey: Journey) -> Int? {
    guard let sent = journey.hops.lastIndex(where: { $0.point.hook == .egress }), sent > 0,
      journey.hops[sent].packet.fragment?.more == true,
      journey.hops[sent - 1].packet.fragment == nil
    else { return nil }
    if journey.hops[sent].fragments > 1, journey.hops[sent].hasAllFragments {
      return journey.hops[sent].fragments
    }
    let header = journey.packet.source.family == 4 ? 20 : 40
    // IPv6 says in a header of eight octets which fragment it is.
    let room = journey.hops[sent].packet.length - header - (header == 40 ? 8 : 0)
    guard room > 0 else { return nil }
    return (journey.hops[sent - 1].packet.length - header + room - 1) / room
  }

  /// The fragments themselves are not told apart at egress; the link's MTU and a counter tell.
  private static func fragmentedOnTheWay(_ lost: LostPacket) -> Finding? {
    let counter = lost.version == 4 ? "IpFragCreates" : "Ip6FragCreates"
    guard lost.stage == .sent, !lost.isReply, lost.delta(counter) > 1,
      let device = lost.outDevice, let mtu = lost.snapshot.link(device)?.mtu,
      lost.journey.packet.length > Int(mtu), fragmented(lost.exchange) == nil
    else { return nil }
    return .note(
      "fragmented",
      "it has \(lost.journey.packet.length) octets and \(device) takes \(mtu), so it was sent on in "
        + "fragments", evidence: ["\(counter) went up by \(lost.delta(counter))"])
  }

  private static func mixedBackends(_ lost: LostPacket) -> Finding? {
    let legacy = lost.snapshot.legacyTables(version: lost.version)
    let family = lost.version == 4 ? NFProto.ipv4 : NFProto.ipv6
    let modern = lost.snapshot.chains.values.contains {
      $0.hook != nil && !$0.table.hasPrefix("nftrace_")
        && ($0.family == family || $0.family == NFProto.inet)
    }
    guard !legacy.isEmpty, modern else { return nil }
    return .note(
      "mixed-backends",
      "rules of both iptables-legacy and nf_tables are in force here: either may drop a packet, and "
        + "each tool lists only its own",
      evidence: ["iptables-legacy tables: \(legacy.joined(separator: " "))"])
  }

  /// The kernel had no room for all events.
  static func eventsLost(_ counts: EventCounts) -> Finding? {
    guard counts.lost > 0 else { return nil }
    let logs = counts.missingLogs
    return .note(
      "events-lost",
      "\(counts.lost) messages of the kernel were lost: packets, hooks and rules may be missing from "
        + "the timeline",
      evidence: [
        "the socket for NFLOG, trace and conntrack had no room for them: it was not read fast enough"
      ] + (logs > 0 ? ["by their numbers, \(logs) of them at least are of NFLOG"] : []))
  }
}

extension Finding {
  /// That a recording ended before it was told to; nil where it did not.
  package static func ended(_ end: RecordingEnd) -> Finding? {
    guard let reason = end.reason.map({ String($0.map { $0.isNewline ? " " : $0 }) }) else {
      return nil
    }
    let unwritten =
      end.unwritten > 0 ? "; \(end.unwritten) messages could not be written" : ""
    return .note(
      "recording-ended", "the recording ended early: \(reason)\(unwritten)",
      evidence: ["\(end.events) messages were recorded, \(end.lost) lost"])
  }
}
