internal import Wire

/// Causes for a packet that left this host and was not answered.
enum SilenceDiagnoses {
  static let all: [Diagnosis.Cause] = [
    refusedFarAway, pastHooks, hairpinWithoutMasquerade, notTranslated, missingMasquerade,
    unroutableSNAT,
    droppedByQueue, noReply,
  ]

  /// An ICMP error came from somewhere else: not this host's doing.
  static func refusedFarAway(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, let error = lost.error, !lost.isOurError,
      !lost.snapshot.isLocal(error.source), let icmp = error.icmp
    else { return nil }
    let evidence = ["\(RuleNames.error(error) ?? "an error") came back from \(error.source)"]
    if (error.proto, icmp.type) == (.icmp, 11) || (error.proto, icmp.type) == (.icmpv6, 3) {
      let name = lost.version == 4 ? "TTL" : "hop limit"
      return .error(
        "ttl-expired",
        "its \(name) was used up at \(error.source), on the way to \(lost.packet.destination): "
          + "send it with a larger one", evidence: evidence)
    }
    if let mtu = icmp.mtu(error.proto) {
      return .error(
        "fragmentation-needed",
        "it has \(lost.packet.length) octets, the link behind \(error.source) takes \(mtu), and "
          + "it may not be fragmented: send at most \(mtu)", evidence: evidence)
    }
    let isTarget = error.source == lost.packet.destination
    return .error(
      "no-reply",
      "\(isTarget ? "the destination" : "a router on the way,") \(error.source) refused it, not this "
        + "host: look there", evidence: evidence)
  }

  /// It came in and went out, and IP saw nothing of it: no rule, no route, no connection.
  static func pastHooks(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, !lost.isReply, let device = lost.inDevice,
      !lost.metIP
    else { return nil }
    let rules = lost.journey.hops.flatMap(\.rules) + lost.journey.unplacedRules
    return .error(
      "no-reply",
      "it went from \(device) to \(lost.outDevice ?? "another interface") past routing and all "
        + "tables of IP, as what is bridged or is redirected by 'fwd' or tc does, and nothing came "
        + "back", confidence: .likely,
      evidence: ["no hook between ingress and egress saw it"] + rules.flatMap(RuleNames.evidence))
  }

  static func hairpinWithoutMasquerade(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, let change = lost.destinationChange,
      lost.sourceChange == nil, let device = lost.outDevice,
      let subnet = lost.snapshot.address(of: device, version: lost.version)?.network,
      subnet.contains(lost.packet.source), subnet.contains(lost.packet.destination)
    else { return nil }
    return .error(
      "hairpin-without-masquerade",
      "\(change.from) is translated to \(change.to) in the client's own subnet, so the answer goes "
        + "to the client directly and is not recognised", confidence: .likely,
      evidence: ["source \(lost.packet.source) and target \(change.to) are both in \(subnet)"],
      remedy: try masquerade(lost, from: subnet, device: device))
  }

  /// There is a NAT rule, but conntrack does not follow this packet.
  static func notTranslated(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, lost.sourceChange == nil, !isOurs(lost),
      hasNAT(lost)
    else { return nil }
    let state = lost.isInvalid ? Connection.State.invalid : lost.journey.connection?.state
    guard let state, state == .invalid || state == .untracked else { return nil }
    return .error(
      "not-translated",
      "it left \(lost.outDevice ?? "this host") with the source \(lost.packet.source): NAT "
        + "passes over packets of state \(state.rawValue)", confidence: .likely,
      evidence: [
        state == .untracked
          ? "conntrack does not track the packet: a notrack rule, or -j NOTRACK"
          : "conntrack's state of the packet is invalid"
      ])
  }

  static func missingMasquerade(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, lost.sourceChange == nil, !isOurs(lost),
      !lost.isReply,
      lost.packet.source.isPrivate, isBoundOutside(lost),
      // Out by the way it came in: the answer finds the sender without this host.
      lost.outDevice != lost.inDevice
    else { return nil }
    let device = lost.outDevice ?? "?"
    let source = lost.packet.source
    let subnet = subnet(of: source, lost)
    var evidence: [String] = []
    if lost.journey.connection?.status.contains(.seenReply) == false {
      evidence.append("connection UNREPLIED, an answer is expected for \(source)")
    }
    if let own = lost.snapshot.address(of: device, version: lost.version) {
      evidence.append("\(device) is \(own)")
    }
    return .error(
      "missing-masquerade",
      "it left \(device) with the private source \(source): no rule translates it, so the answer "
        + "has no way back",
      confidence: lost.packet.destination.isPrivate ? .possible : .likely, evidence: evidence,
      remedy: try masquerade(lost, from: subnet, device: device))
  }

  static func unroutableSNAT(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, let change = lost.sourceChange,
      let address = IPAddress(change.to), !lost.snapshot.isLocal(address)
    else { return nil }
    return .error(
      "unroutable-snat",
      "its source was translated to \(address), which is no address of this host: the answer goes "
        + "elsewhere", confidence: .likely,
      evidence: ["no interface has \(address)"] + natRule(lost))
  }

  /// Where the kernel may not be asked for its reasons, the counters of queues and tc filters are all
  /// there is: they do not tell whose packet it was, nor, of a filter, whether it came or went.
  static func droppedByQueue(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, !lost.isReply, let device = lost.outDevice,
      !lost.snapshot.withoutReasons.isEmpty, lost.delta("\(device).queue_dropped") > 0
    else { return nil }
    let dropped = lost.delta("\(device).queue_dropped")
    return .error(
      "lost-after",
      "a queue or tc filter of \(device) dropped \(dropped == 1 ? "a packet" : "\(dropped) packets") "
        + "meanwhile, perhaps this one or its answer: look at '"
        + Remedy.look("tc -s qdisc show dev", at: device) + "' and at the filters there",
      confidence: .possible,
      evidence: [
        "the queueing disciplines of \(device) count \(dropped) more dropped"
      ] + lost.snapshot.withoutReasons, at: Finding.Place(hook: .egress))
  }

  static func noReply(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, !lost.isReply else { return nil }
    let device = lost.outDevice ?? "?"
    var evidence = ["sent through \(device) with the source \(lost.packet.source)"]
    let isInside = !isBoundOutside(lost)
    if let hop = lost.route?.route?.gateway ?? (isInside ? lost.packet.destination : nil),
      let neighbour = lost.snapshot.addresses.neighbour(hop)
    {
      evidence.append(
        "next hop \(hop) is \(neighbour.state)"
          + (neighbour.state.contains(.permanent)
            ? ": its MAC address was set, and is not checked" : ""))
    }
    if lost.snapshot.link(device)?.hasXDP == true {
      return .error(
        "no-reply",
        "it left \(device) in order, and no hook saw an answer: the XDP program on \(device) may have "
          + "dropped it ('\(Remedy.look("ip link show", at: device))'), or \(lost.packet.destination) and the way "
          + "there and back are to be looked at", confidence: .possible,
        evidence: evidence + ["an XDP program on \(device) sees packets before any hook"])
    }
    let target = lost.packet.destination
    return .error(
      "no-reply",
      "it left \(device) in order, and nothing came back: look at "
        + (isInside
          ? "the service and the firewall on \(target), and at its route back to "
            + "\(lost.packet.source)" : "\(target) and at the way there and back"),
      confidence: .likely, evidence: evidence)
  }

  // MARK: What they share

  /// Whether the source is one of this host's addresses.
  private static func isOurs(_ lost: LostPacket) -> Bool {
    lost.snapshot.isLocal(lost.packet.source)
  }

  /// Whether its destination lies beyond this host's own side: others do not know the private
  /// addresses here. A neighbour, or whom this host itself translates to within, should know them.
  private static func isBoundOutside(_ lost: LostPacket) -> Bool {
    let destination = lost.packet.destination
    let subnet = lost.snapshot.address(of: lost.outDevice, version: lost.version)?
      .network
    let isNeighbour = subnet?.contains(destination) == true
    if lost.destinationChange != nil { return !destination.isPrivate && !isNeighbour }
    return !destination.isPrivate || !isNeighbour
  }

  private static func hasNAT(_ lost: LostPacket) -> Bool {
    lost.snapshot.chains.values.contains {
      $0.type == "nat" && $0.hook == .postrouting && !$0.table.hasPrefix("nftrace_")
    } || lost.header?.legacyNAT[lost.version]?.isEmpty == false
  }

  private static func natRule(_ lost: LostPacket) -> [String] {
    lost.journey.hops.flatMap(\.rules).last { $0.translation != nil }.map(RuleNames.evidence)
      ?? []
  }

  /// The subnet the source is in, as the interface it came in by knows it.
  private static func subnet(of source: IPAddress, _ lost: LostPacket) -> Prefix {
    let network = lost.snapshot.address(of: lost.inDevice, version: lost.version)?
      .network
    return network.flatMap { $0.contains(source) ? $0 : nil } ?? Prefix(source)
  }

  /// The rule that translates what comes from `subnet`, in the words of the ruleset that is there.
  private static func masquerade(
    _ lost: LostPacket, from subnet: Prefix, device: String
  ) throws(Word.Unspeakable) -> Command {
    let snapshot = lost.snapshot
    let family = lost.version == 4 ? NFProto.ipv4 : NFProto.ipv6
    let own = snapshot.chains.values.filter { !$0.table.hasPrefix("nftrace_") && $0.hook != nil }
    let nat = own.filter {
      $0.type == "nat" && $0.hook == .postrouting
        && ($0.family == family || $0.family == NFProto.inet)
    }.min { ($0.family, $0.table, $0.name) < ($1.family, $1.table, $1.name) }
    let source = PolicyRouting.word(subnet)
    let usesNFT = own.contains { $0.name != $0.hook?.rawValue.uppercased() }
    guard usesNFT else {
      let legacy: Command = lost.header?.legacyNAT[lost.version] != nil ? "-legacy" : ""
      let device = try Word.device(device, for: "iptables")
      return
        "\(lost.iptables)\(legacy) -t nat -A POSTROUTING -s \(source) -o \(device) -j MASQUERADE"
    }
    let ip: Command = lost.version == 4 ? "ip" : "ip6"
    let match: Command =
      "\(ip) saddr \(source) oifname \(try Word.nftDevice(device)) masquerade"
    if let chain = nat {
      let place = try Remedy.place(chain.family, chain.table, chain.name)
      return "nft add rule \(place) \(match.quoted)"
    }
    return "nft add table \(ip) nat && nft add chain \(ip) nat postrouting "
      + "'{ type nat hook postrouting priority srcnat; }' && nft add rule \(ip) nat postrouting "
      + match.quoted
  }
}
