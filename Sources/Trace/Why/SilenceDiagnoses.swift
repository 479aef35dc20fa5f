internal import Wire

/// Causes for a packet that left this host and was not answered.
enum SilenceDiagnoses {
  static let all: [Diagnosis.Cause] = [
    refusedFarAway, pastHooks, hairpinWithoutMasquerade, notTranslated, missingMasquerade,
    unroutableSNAT,
    droppedByQueue, noReply,
  ]

  /// An ICMP error came from somewhere else: not this host's doing.
  static func refusedFarAway(_ examined: Case) -> Finding? {
    guard examined.stage == .sent, let error = examined.error, !examined.isOurError,
      !examined.environment.isLocal(error.source), let icmp = error.icmp
    else { return nil }
    let evidence = ["\(RuleNames.error(error) ?? "an error") came back from \(error.source)"]
    if (error.proto, icmp.type) == (.icmp, 11) || (error.proto, icmp.type) == (.icmpv6, 3) {
      let name = examined.version == 4 ? "TTL" : "hop limit"
      return .error(
        "ttl-expired",
        "its \(name) was used up at \(error.source), on the way to \(examined.packet.destination): "
          + "send it with a larger one", evidence: evidence)
    }
    if let mtu = icmp.mtu(error.proto) {
      return .error(
        "fragmentation-needed",
        "it has \(examined.packet.length) octets, the link behind \(error.source) takes \(mtu), and "
          + "it may not be fragmented: send at most \(mtu)", evidence: evidence)
    }
    let isTarget = error.source == examined.packet.destination
    return .error(
      "no-reply",
      "\(isTarget ? "the destination" : "a router on the way,") \(error.source) refused it, not this "
        + "host: look there", evidence: evidence)
  }

  /// It came in and went out, and IP saw nothing of it: no rule, no route, no connection.
  static func pastHooks(_ examined: Case) -> Finding? {
    guard examined.stage == .sent, !examined.isReply, let device = examined.inDevice,
      !examined.metIP
    else { return nil }
    let rules = examined.journey.hops.flatMap(\.rules) + examined.journey.unplacedRules
    return .error(
      "no-reply",
      "it went from \(device) to \(examined.outDevice ?? "another interface") past routing and all "
        + "tables of IP, as what is bridged or is redirected by 'fwd' or tc does, and nothing came "
        + "back", confidence: .likely,
      evidence: ["no hook between ingress and egress saw it"] + rules.flatMap(RuleNames.evidence))
  }

  static func hairpinWithoutMasquerade(_ examined: Case) -> Finding? {
    guard examined.stage == .sent, let change = examined.destinationChange,
      examined.sourceChange == nil, let device = examined.outDevice,
      let subnet = examined.environment.address(of: device, version: examined.version)?.network,
      subnet.contains(examined.packet.source), subnet.contains(examined.packet.destination)
    else { return nil }
    return .error(
      "hairpin-without-masquerade",
      "\(change.from) is translated to \(change.to) in the client's own subnet, so the answer goes "
        + "to the client directly and is not recognised", confidence: .likely,
      evidence: ["source \(examined.packet.source) and target \(change.to) are both in \(subnet)"],
      remedy: try masquerade(examined, from: subnet, device: device))
  }

  /// There is a NAT rule, but conntrack does not follow this packet.
  static func notTranslated(_ examined: Case) -> Finding? {
    guard examined.stage == .sent, examined.sourceChange == nil, !isOurs(examined),
      hasNAT(examined)
    else { return nil }
    let state = examined.isInvalid ? Connection.State.invalid : examined.journey.connection?.state
    guard let state, state == .invalid || state == .untracked else { return nil }
    return .error(
      "not-translated",
      "it left \(examined.outDevice ?? "this host") with the source \(examined.packet.source): NAT "
        + "passes over packets of state \(state.rawValue)", confidence: .likely,
      evidence: [
        state == .untracked
          ? "conntrack does not track the packet: a notrack rule, or -j NOTRACK"
          : "conntrack's state of the packet is invalid"
      ])
  }

  static func missingMasquerade(_ examined: Case) -> Finding? {
    guard examined.stage == .sent, examined.sourceChange == nil, !isOurs(examined),
      !examined.isReply,
      examined.packet.source.isPrivate, isBoundOutside(examined),
      // Out by the way it came in: the answer finds the sender without this host.
      examined.outDevice != examined.inDevice
    else { return nil }
    let device = examined.outDevice ?? "?"
    let source = examined.packet.source
    let subnet = subnet(of: source, examined)
    var evidence: [String] = []
    if examined.journey.connection?.status.contains(.seenReply) == false {
      evidence.append("connection UNREPLIED, an answer is expected for \(source)")
    }
    if let own = examined.environment.address(of: device, version: examined.version) {
      evidence.append("\(device) is \(own)")
    }
    return .error(
      "missing-masquerade",
      "it left \(device) with the private source \(source): no rule translates it, so the answer "
        + "has no way back",
      confidence: examined.packet.destination.isPrivate ? .possible : .likely, evidence: evidence,
      remedy: try masquerade(examined, from: subnet, device: device))
  }

  static func unroutableSNAT(_ examined: Case) -> Finding? {
    guard examined.stage == .sent, let change = examined.sourceChange,
      let address = IPAddress(change.to), !examined.environment.isLocal(address)
    else { return nil }
    return .error(
      "unroutable-snat",
      "its source was translated to \(address), which is no address of this host: the answer goes "
        + "elsewhere", confidence: .likely,
      evidence: ["no interface has \(address)"] + natRule(examined))
  }

  /// Where the kernel may not be asked for its reasons, the counters of queues and tc filters are all
  /// there is: they do not tell whose packet it was, nor, of a filter, whether it came or went.
  static func droppedByQueue(_ examined: Case) -> Finding? {
    guard examined.stage == .sent, !examined.isReply, let device = examined.outDevice,
      !examined.environment.withoutReasons.isEmpty, examined.delta("\(device).queue_dropped") > 0
    else { return nil }
    let dropped = examined.delta("\(device).queue_dropped")
    return .error(
      "lost-after",
      "a queue or tc filter of \(device) dropped \(dropped == 1 ? "a packet" : "\(dropped) packets") "
        + "meanwhile, perhaps this one or its answer: look at '"
        + Remedy.look("tc -s qdisc show dev", at: device) + "' and at the filters there",
      confidence: .possible,
      evidence: [
        "the queueing disciplines of \(device) count \(dropped) more dropped"
      ] + examined.environment.withoutReasons, at: Finding.Place(hook: .egress))
  }

  static func noReply(_ examined: Case) -> Finding? {
    guard examined.stage == .sent, !examined.isReply else { return nil }
    let device = examined.outDevice ?? "?"
    var evidence = ["sent through \(device) with the source \(examined.packet.source)"]
    let isInside = !isBoundOutside(examined)
    if let hop = examined.route?.route?.gateway ?? (isInside ? examined.packet.destination : nil),
      let neighbour = examined.environment.addresses.neighbour(hop)
    {
      evidence.append(
        "next hop \(hop) is \(neighbour.state)"
          + (neighbour.state.contains(.permanent)
            ? ": its MAC address was set, and is not checked" : ""))
    }
    if examined.environment.link(device)?.hasXDP == true {
      return .error(
        "no-reply",
        "it left \(device) in order, and no hook saw an answer: the XDP program on \(device) may have "
          + "dropped it ('\(Remedy.look("ip link show", at: device))'), or \(examined.packet.destination) and the way "
          + "there and back are to be looked at", confidence: .possible,
        evidence: evidence + ["an XDP program on \(device) sees packets before any hook"])
    }
    let target = examined.packet.destination
    return .error(
      "no-reply",
      "it left \(device) in order, and nothing came back: look at "
        + (isInside
          ? "the service and the firewall on \(target), and at its route back to "
            + "\(examined.packet.source)" : "\(target) and at the way there and back"),
      confidence: .likely, evidence: evidence)
  }

  // MARK: What they share

  /// Whether the source is one of this host's addresses.
  private static func isOurs(_ examined: Case) -> Bool {
    examined.environment.isLocal(examined.packet.source)
  }

  /// Whether its destination lies beyond this host's own side: others do not know the private
  /// addresses here. A neighbour, or whom this host itself translates to within, should know them.
  private static func isBoundOutside(_ examined: Case) -> Bool {
    let destination = examined.packet.destination
    let subnet = examined.environment.address(of: examined.outDevice, version: examined.version)?
      .network
    let isNeighbour = subnet?.contains(destination) == true
    if examined.destinationChange != nil { return !destination.isPrivate && !isNeighbour }
    return !destination.isPrivate || !isNeighbour
  }

  private static func hasNAT(_ examined: Case) -> Bool {
    examined.environment.chains.values.contains {
      $0.type == "nat" && $0.hook == .postrouting && !$0.table.hasPrefix("nftrace_")
    } || examined.header?.legacyNAT[examined.version]?.isEmpty == false
  }

  private static func natRule(_ examined: Case) -> [String] {
    examined.journey.hops.flatMap(\.rules).last { $0.translation != nil }.map(RuleNames.evidence)
      ?? []
  }

  /// The subnet the source is in, as the interface it came in by knows it.
  private static func subnet(of source: IPAddress, _ examined: Case) -> Prefix {
    let network = examined.environment.address(of: examined.inDevice, version: examined.version)?
      .network
    return network.flatMap { $0.contains(source) ? $0 : nil } ?? Prefix(source)
  }

  /// The rule that translates what comes from `subnet`, in the words of the ruleset that is there.
  private static func masquerade(
    _ examined: Case, from subnet: Prefix, device: String
  ) throws(Word.Unspeakable) -> Command {
    let environment = examined.environment
    let family = examined.version == 4 ? NFProto.ipv4 : NFProto.ipv6
    let own = environment.chains.values.filter { !$0.table.hasPrefix("nftrace_") && $0.hook != nil }
    let nat = own.filter {
      $0.type == "nat" && $0.hook == .postrouting
        && ($0.family == family || $0.family == NFProto.inet)
    }.min { ($0.family, $0.table, $0.name) < ($1.family, $1.table, $1.name) }
    let source = PolicyRouting.word(subnet)
    let usesNFT = own.contains { $0.name != $0.hook?.rawValue.uppercased() }
    guard usesNFT else {
      let legacy: Command = examined.header?.legacyNAT[examined.version] != nil ? "-legacy" : ""
      let device = try Word.device(device, for: "iptables")
      return
        "\(examined.iptables)\(legacy) -t nat -A POSTROUTING -s \(source) -o \(device) -j MASQUERADE"
    }
    let ip: Command = examined.version == 4 ? "ip" : "ip6"
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
