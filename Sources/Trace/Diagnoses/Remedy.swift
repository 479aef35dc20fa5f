internal import Wire

/// Commands that repair the case at hand, in the words of the tool that made the rule.
enum Remedy {
  /// Accepts this packet before the rule that stopped it; for a policy, at the end of its chain, or
  /// before the rule that leaves the chain, and the answer with it.
  static func accept(_ examined: Case, before step: RuleStep) -> String? {
    let tool = tool(examined, step)
    let packet = match(examined.packet, tool, isReply: examined.isReply)
    guard let accept = command(examined, step, accepting: packet) else { return nil }
    guard step.isPolicy, needsAnswer(examined) else { return accept }
    var answer = match(examined.packet.answer, tool, isReply: true)
    if followsAnswer(examined, step) { answer += " " + established(tool) }
    return command(examined, step, accepting: answer).map { "\(accept) && \($0)" }
  }

  /// Accepts what belongs to connections that were let through; where conntrack does not know them,
  /// this packet.
  static func acceptEstablished(_ examined: Case, _ step: RuleStep) -> String? {
    guard followsAnswer(examined, step) else { return accept(examined, before: step) }
    return command(examined, step, accepting: established(tool(examined, step)))
  }

  /// The command for a rule that accepts what `match` says, where a packet meets it in time.
  private static func command(
    _ examined: Case, _ step: RuleStep, accepting match: String
  ) -> String? {
    guard isChangeable(examined, step) else { return nil }
    var next: RuleStep? = step
    if step.isPolicy {
      next = examined.journey.lastBeforePolicy.flatMap { $0.leavesChain ? $0 : nil }
    }
    let chain = word(step.chain)
    switch tool(examined, step) {
    case .nft:
      let table = "\(NFProto.name(step.family)) \(word(step.table)) \(chain)"
      guard let next else { return "nft add rule \(table) \(match) accept" }
      return next.handle.map { "nft insert rule \(table) handle \($0) \(match) accept" }
    case .iptables, .iptablesLegacy:
      let program =
        program(examined, step) + (step.table == "filter" ? "" : " -t \(word(step.table))")
      guard let next else { return "\(program) -A \(chain) \(match) -j ACCEPT" }
      return next.position.map { "\(program) -I \(chain) \($0) \(match) -j ACCEPT" }
    }
  }

  private static func established(_ tool: RuleText.Tool) -> String {
    tool == .nft
      ? "ct state established,related" : "-m conntrack --ctstate ESTABLISHED,RELATED"
  }

  /// A name as one word of a shell: names of chains and interfaces may have almost any sign.
  static func word(_ name: String) -> String {
    let isPlain = name.unicodeScalars.allSatisfy { scalar in
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", "/", ":", "@", "+", ",", "=", "%": true
      default: false
      }
    }
    if isPlain, !name.isEmpty { return name }
    return "'"
      + name.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: "'\\''") + "'"
  }

  /// Accepts ARP, or neighbour discovery, before the rule that drops it.
  static func acceptDiscovery(_ examined: Case, before step: RuleStep) -> String? {
    guard isChangeable(examined, step) else { return nil }
    let isARP = examined.version == 4
    let chain = word(step.chain)
    let table = "\(NFProto.name(step.family)) \(step.table) \(step.chain)"
    let match =
      isARP
      ? (step.family == NFProto.arp ? "" : "ether type arp ")
      : "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } "
    switch tool(examined, step) {
    case .nft where step.isPolicy: return "nft \(word("add rule \(table) \(match)accept"))"
    case .nft:
      return step.handle.map {
        "nft \(word("insert rule \(table) handle \($0) \(match)accept"))"
      }
    case .iptables, .iptablesLegacy:
      let program = program(examined, step)
      let place = step.isPolicy ? "-A \(chain)" : "-I \(chain) \(step.position ?? 1)"
      return ["135", "136"].map {
        "\(program)\(step.table == "filter" ? "" : " -t \(word(step.table))") \(place) -p icmpv6 "
          + "--icmpv6-type \($0) -j ACCEPT"
      }.joined(separator: " && ")
    }
  }

  /// Whether the answer will meet the same policy: in FORWARD it does.
  private static func needsAnswer(_ examined: Case) -> Bool {
    examined.journey.hops.last?.point.hook == .forward && !examined.isReply
  }

  /// Whether conntrack will know the answer by its request: not if it passes over the request, and
  /// what nftables' bridge family sees it knows with a module of its own only, and before the hooks
  /// of IP it knows nothing.
  static func followsAnswer(_ examined: Case, _ step: RuleStep) -> Bool {
    let state = examined.journey.connection?.state
    return state != .untracked && state != .invalid
      && ![NFProto.bridge, NFProto.netdev].contains(step.family)
  }

  /// A route by which the source is reached where the packet came in.
  static func wayBack(_ examined: Case) -> String? {
    examined.inDevice.map {
      "ip \(examined.version == 6 ? "-6 " : "")route replace \(examined.packet.source) dev \(word($0))"
    }
  }

  /// Whether a command could change the rule: it is still there, and in nobody's own table.
  private static func isChangeable(_ examined: Case, _ step: RuleStep) -> Bool {
    !step.isReplaced && !examined.isOwned(step)
  }

  /// Whose words a rule is told in.
  static func tool(_ examined: Case, _ step: RuleStep) -> RuleText.Tool {
    if let tool = examined.environment.tool(of: step) { return tool }
    if step.isLegacy { return .iptablesLegacy }
    let chains = examined.environment.chains.filter {
      $0.key.family == step.family && $0.key.table == step.table && $0.value.hook != nil
    }
    let isUpper =
      !chains.isEmpty
      && chains.values.allSatisfy { $0.name == $0.hook?.rawValue.uppercased() }
      && step.family != NFProto.inet
    return isUpper ? .iptables : .nft
  }

  private static func program(_ examined: Case, _ step: RuleStep) -> String {
    tool(examined, step) == .iptablesLegacy
      ? "\(examined.iptables)-legacy" : examined.iptables
  }

  /// The packet in the words of a tool: as it was when it met the rule.
  private static func match(_ packet: Packet, _ tool: RuleText.Tool, isReply: Bool) -> String {
    tool == .nft
      ? nftMatch(packet, isReply: isReply) : iptablesMatch(packet, isReply: isReply)
  }

  /// The packet in nft's words.
  private static func nftMatch(_ packet: Packet, isReply: Bool) -> String {
    let ip = packet.source.family == 4 ? "ip" : "ip6"
    var words = "\(ip) saddr \(packet.source) \(ip) daddr \(packet.destination)"
    switch packet.proto {
    case .icmp: words += " meta l4proto icmp"
    case .icmpv6: words += " meta l4proto icmpv6"
    case .tcp, .udp:
      guard let port = servicePort(packet, isReply: isReply) else {
        return words + " meta l4proto \(packet.proto)"
      }
      words += " \(packet.proto) \(isReply ? "sport" : "dport") \(port)"
    default: words += " meta l4proto \(packet.proto.rawValue)"
    }
    return words
  }

  /// The packet in iptables' words.
  private static func iptablesMatch(_ packet: Packet, isReply: Bool) -> String {
    let words = "-s \(packet.source) -d \(packet.destination) -p \(packet.proto)"
    guard packet.proto == .tcp || packet.proto == .udp,
      let port = servicePort(packet, isReply: isReply)
    else { return words }
    return words + (isReply ? " --sport" : " --dport") + " \(port)"
  }

  /// The port of the service. The client's is another with every connection: a rule with it would
  /// fit this probe alone.
  private static func servicePort(_ packet: Packet, isReply: Bool) -> UInt16? {
    isReply ? packet.sourcePort : packet.destinationPort
  }
}

extension Packet {
  /// The addresses and ports of an answer.
  fileprivate var answer: Packet {
    var answer = self
    answer.source = destination
    answer.destination = source
    switch transport {
    case .udp(let header):
      answer.transport = .udp(
        UDPHeader(sourcePort: header.destinationPort, destinationPort: header.sourcePort))
    case .tcp(let header):
      var turned = header
      turned.sourcePort = header.destinationPort
      turned.destinationPort = header.sourcePort
      answer.transport = .tcp(turned)
    default: break
    }
    return answer
  }
}
