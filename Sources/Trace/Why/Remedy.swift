internal import Wire

/// Commands that let a lost packet through, in the words of the tool that made the rule.
enum Remedy {
  /// Accepts this packet before the rule that stopped it; for a policy, at the end of its chain, or
  /// before the rule that leaves the chain, and the answer with it.
  static func accept(
    _ lost: LostPacket, before step: RuleStep
  ) throws(Word.Unspeakable) -> Command? {
    let tool = tool(lost, step)
    let packet = match(lost.packet, tool, isReply: lost.isReply)
    guard let accept = try command(lost, step, accepting: packet) else { return nil }
    guard step.isPolicy, needsAnswer(lost) else { return accept }
    var answer = match(lost.packet.answer, tool, isReply: true)
    if followsAnswer(lost, step) { answer += " \(established(tool))" }
    return try command(lost, step, accepting: answer).map { "\(accept) && \($0)" }
  }

  /// Accepts what belongs to connections that were let through; where conntrack does not know them,
  /// this packet.
  static func acceptEstablished(
    _ lost: LostPacket, _ step: RuleStep
  ) throws(Word.Unspeakable) -> Command? {
    guard followsAnswer(lost, step) else { return try accept(lost, before: step) }
    return try command(lost, step, accepting: established(tool(lost, step)))
  }

  /// The command for a rule that accepts what `match` says, where a packet meets it in time.
  private static func command(
    _ lost: LostPacket, _ step: RuleStep, accepting match: Command
  ) throws(Word.Unspeakable) -> Command? {
    guard isChangeable(lost, step) else { return nil }
    var next: RuleStep? = step
    if step.isPolicy {
      next = lost.journey.end.decider?.ruleBeforePolicy.flatMap { $0.leavesChain ? $0 : nil }
    }
    switch tool(lost, step) {
    case .nft:
      let place = try place(step.family, step.table, step.chain)
      guard let next else { return "nft add rule \(place) \(match) accept" }
      return next.handle.map { "nft insert rule \(place) handle \($0) \(match) accept" }
    case .iptables, .iptablesLegacy:
      let program = try program(lost, step)
      let chain = try Word.iptables(chain: step.chain)
      guard let next else { return "\(program) -A \(chain) \(match) -j ACCEPT" }
      return next.position.map { "\(program) -I \(chain) \($0) \(match) -j ACCEPT" }
    }
  }

  /// A chain in nft's words: "ip filter FORWARD".
  static func place(
    _ family: UInt8, _ table: String, _ chain: String
  ) throws(Word.Unspeakable) -> Command {
    "\(try Word.nftFamily(family)) \(try Word.nft(table)) \(try Word.nft(chain))"
  }

  /// A command within a sentence, to look at an interface with; without it, where it has a name that
  /// no command takes.
  static func look(_ command: Command, at device: String, _ rest: Command = "") -> String {
    guard let device = try? Word.device(device) else { return command.text + rest.text }
    return "\(command.text) \(device.text)\(rest.text)"
  }

  private static func established(_ tool: RuleText.Tool) -> Command {
    tool == .nft
      ? "ct state established,related" : "-m conntrack --ctstate ESTABLISHED,RELATED"
  }

  /// Accepts ARP, or neighbour discovery, before the rule that drops it.
  static func acceptDiscovery(
    _ lost: LostPacket, before step: RuleStep
  ) throws(Word.Unspeakable) -> Command? {
    guard isChangeable(lost, step) else { return nil }
    let isARP = lost.version == 4
    let match: Command =
      isARP
      ? (step.family == NFProto.arp ? "" : "ether type arp ")
      : "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } "
    switch tool(lost, step) {
    case .nft:
      let place = try place(step.family, step.table, step.chain)
      if step.isPolicy { return "nft \(("add rule \(place) \(match)accept" as Command).quoted)" }
      return step.handle.map {
        "nft \(("insert rule \(place) handle \($0) \(match)accept" as Command).quoted)"
      }
    case .iptables, .iptablesLegacy:
      let program = try program(lost, step)
      let chain = try Word.iptables(chain: step.chain)
      let place: Command = step.isPolicy ? "-A \(chain)" : "-I \(chain) \(step.position ?? 1)"
      return [135, 136].map { (type: Int) -> Command in
        "\(program) \(place) -p icmpv6 --icmpv6-type \(type) -j ACCEPT"
      }.joined(separator: " && ")
    }
  }

  /// Whether the answer will meet the same policy: in FORWARD it does.
  private static func needsAnswer(_ lost: LostPacket) -> Bool {
    lost.journey.places.last?.point.hook == .forward && !lost.isReply
  }

  /// Whether conntrack will know the answer by its request: not if it passes over the request, and
  /// what nftables' bridge family sees it knows with a module of its own only, and before the hooks
  /// of IP it knows nothing.
  static func followsAnswer(_ lost: LostPacket, _ step: RuleStep) -> Bool {
    let state = lost.journey.connection?.state
    return state != .untracked && state != .invalid
      && ![NFProto.bridge, NFProto.netdev].contains(step.family)
  }

  /// A route by which the source is reached where the packet came in.
  static func wayBack(_ lost: LostPacket) throws(Word.Unspeakable) -> Command? {
    guard let device = lost.inDevice else { return nil }
    let version: Command = lost.version == 6 ? "-6 " : ""
    return "ip \(version)route replace \(lost.packet.source) dev \(try Word.device(device))"
  }

  /// Whether a command could change the rule: it is still there, and in nobody's own table.
  private static func isChangeable(_ lost: LostPacket, _ step: RuleStep) -> Bool {
    !step.isReplaced && !lost.isOwned(step)
  }

  /// Whose words a rule is told in.
  static func tool(_ lost: LostPacket, _ step: RuleStep) -> RuleText.Tool {
    if let tool = lost.snapshot.tool(of: step) { return tool }
    if step.isLegacy { return .iptablesLegacy }
    return TableName(step.family, step.table).isIPTables(among: lost.snapshot.chains.values)
      ? .iptables : .nft
  }

  private static func program(
    _ lost: LostPacket, _ step: RuleStep
  ) throws(Word.Unspeakable) -> Command {
    let legacy: Command = tool(lost, step) == .iptablesLegacy ? "-legacy" : ""
    let table: Command =
      step.table == "filter" ? "" : " -t \(try Word.iptables(table: step.table))"
    return "\(lost.iptables)\(legacy)\(table)"
  }

  /// The packet in the words of a tool: as it was when it met the rule.
  private static func match(_ packet: Packet, _ tool: RuleText.Tool, isReply: Bool) -> Command {
    tool == .nft
      ? nftMatch(packet, isReply: isReply) : iptablesMatch(packet, isReply: isReply)
  }

  /// The packet in nft's words.
  private static func nftMatch(_ packet: Packet, isReply: Bool) -> Command {
    let ip: Command = packet.source.family == 4 ? "ip" : "ip6"
    var words: Command = "\(ip) saddr \(packet.source) \(ip) daddr \(packet.destination)"
    switch packet.proto {
    case .icmp: words += " meta l4proto icmp"
    case .icmpv6: words += " meta l4proto icmpv6"
    case .tcp, .udp:
      guard let port = servicePort(packet, isReply: isReply) else {
        return words + " meta l4proto \(packet.proto)"
      }
      let side: Command = isReply ? "sport" : "dport"
      words += " \(packet.proto) \(side) \(port)"
    default: words += " meta l4proto \(packet.proto.rawValue)"
    }
    return words
  }

  /// The packet in iptables' words.
  private static func iptablesMatch(_ packet: Packet, isReply: Bool) -> Command {
    let words: Command = "-s \(packet.source) -d \(packet.destination) -p \(packet.proto)"
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
    answer.transport = transport.turned
    return answer
  }
}
