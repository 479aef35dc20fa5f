internal import Wire

/// Commands that repair the case at hand, in the words of the tool that made the rule.
enum Remedy {
  /// Accepts this packet before the rule that stopped it; for a policy, at the end of its chain,
  /// and the answer with it.
  static func accept(_ examined: Case, before step: RuleStep) -> String? {
    let packet = examined.packet
    switch tool(examined, step) {
    case .nft:
      let table = "\(NFProto.name(step.family)) \(step.table) \(step.chain)"
      let match = nftMatch(packet, step.family)
      guard step.isPolicy else {
        guard let handle = step.handle else { return nil }
        return "nft insert rule \(table) handle \(handle) \(match) accept"
      }
      let accept = "nft add rule \(table) \(match) accept"
      guard needsAnswer(examined) else { return accept }
      return accept + " && nft add rule \(table) \(nftMatch(packet.answer, step.family)) accept"
    case .iptables, .iptablesLegacy:
      let program = program(examined, step)
      let table = step.table == "filter" ? "" : " -t \(step.table)"
      let match = iptablesMatch(packet)
      guard step.isPolicy else {
        guard let position = step.position else { return nil }
        return "\(program)\(table) -I \(step.chain) \(position) \(match) -j ACCEPT"
      }
      let accept = "\(program)\(table) -A \(step.chain) \(match) -j ACCEPT"
      guard needsAnswer(examined) else { return accept }
      return accept
        + " && \(program)\(table) -A \(step.chain) \(iptablesMatch(packet.answer)) -j ACCEPT"
    }
  }

  /// Accepts what belongs to connections that were let through.
  static func acceptEstablished(_ examined: Case, _ step: RuleStep) -> String? {
    switch tool(examined, step) {
    case .nft:
      return "nft add rule \(NFProto.name(step.family)) \(step.table) \(step.chain) "
        + "ct state established,related accept"
    case .iptables, .iptablesLegacy:
      return established(
        program(examined, step), step.table == "filter" ? "" : " -t \(step.table)", step.chain)
    }
  }

  private static func established(_ program: String, _ table: String, _ chain: String) -> String {
    "\(program)\(table) -A \(chain) -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
  }

  /// Accepts ARP, or neighbour discovery, before the rule that drops it.
  static func acceptDiscovery(_ examined: Case, before step: RuleStep) -> String? {
    let isARP = examined.version == 4
    let table = "\(NFProto.name(step.family)) \(step.table) \(step.chain)"
    let match =
      isARP
      ? (step.family == NFProto.arp ? "" : "ether type arp ")
      : "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } "
    switch tool(examined, step) {
    case .nft where step.isPolicy: return "nft 'add rule \(table) \(match)accept'"
    case .nft: return step.handle.map { "nft 'insert rule \(table) handle \($0) \(match)accept'" }
    case .iptables, .iptablesLegacy:
      let program = program(examined, step)
      let place = step.isPolicy ? "-A \(step.chain)" : "-I \(step.chain) \(step.position ?? 1)"
      return ["135", "136"].map {
        "\(program)\(step.table == "filter" ? "" : " -t \(step.table)") \(place) -p icmpv6 "
          + "--icmpv6-type \($0) -j ACCEPT"
      }.joined(separator: " && ")
    }
  }

  /// Whether the answer will meet the same policy: in FORWARD it does.
  private static func needsAnswer(_ examined: Case) -> Bool {
    examined.journey.hops.last?.point.hook == .forward && !examined.isReply
  }

  /// A route by which the source is reached where the packet came in.
  static func wayBack(_ examined: Case) -> String? {
    examined.inDevice.map {
      "ip \(examined.version == 6 ? "-6 " : "")route replace \(examined.packet.source) dev \($0)"
    }
  }

  /// Whose words a rule is told in.
  static func tool(_ examined: Case, _ step: RuleStep) -> RuleText.Tool {
    if let tool = examined.environment.text(step)?.tool { return tool }
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

  /// The packet in nft's words: as it was when it met the rule.
  static func nftMatch(_ packet: Packet, _ family: UInt8) -> String {
    let ip = packet.source.family == 4 ? "ip" : "ip6"
    var words = "\(ip) saddr \(packet.source) \(ip) daddr \(packet.destination)"
    switch packet.proto {
    case .icmp: words += " meta l4proto icmp"
    case .icmpv6: words += " meta l4proto icmpv6"
    case .tcp, .udp:
      words += " \(packet.proto)" + (packet.destinationPort.map { " dport \($0)" } ?? "")
    default: words += " meta l4proto \(packet.proto.rawValue)"
    }
    return words
  }

  /// The packet in iptables' words.
  static func iptablesMatch(_ packet: Packet) -> String {
    let words = "-s \(packet.source) -d \(packet.destination) -p \(packet.proto)"
    guard packet.proto == .tcp || packet.proto == .udp, let port = packet.destinationPort else {
      return words
    }
    return words + " --dport \(port)"
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
