internal import Wire

/// Commands that let a lost packet through, in the words of the tool that made the rule.
enum Remedy {
  /// Accepts this packet before the rule that stopped it, or before the rule that led to its chain, which others
  /// may lead to as well; for a policy, at the end of its chain, or before the rule that leaves the chain. Where
  /// the answer would meet the same, the answer with it.
  static func accept(_ ruling: Ruling) throws(Word.Unspeakable) -> Command? {
    if isForProxy(ruling) { return nil }
    if let caller = ruling.path.last,
      let early = try accept(ruling.lost, before: caller, deciding: ruling.step)
    {
      return early
    }
    // Where that rule stands was not told in recordings of before.
    let takesAnswer = ruling.path.isEmpty && RulesBeside(ruling).acceptAnswer
    return try accept(
      ruling.lost, before: ruling.step, deciding: ruling.step, takesAnswer: takesAnswer)
  }

  /// The same at both places, each for the packet alone and for its answer with it.
  static func acceptances(_ ruling: Ruling) -> [Command] {
    if isForProxy(ruling) { return [] }
    var all: [Command] = []
    for step in [ruling.path.last, ruling.step].compactMap({ $0 }) {
      guard let accept = try? acceptPacket(ruling.lost, before: step) else { continue }
      all.append(accept)
      if needsAnswer(ruling.lost), let answer = try? acceptAnswer(ruling.lost, before: step) {
        all.append("\(accept) && \(answer)")
      }
    }
    return all
  }

  /// The same before a rule by which conntrack passes over both.
  static func acceptances(_ lost: LostPacket, before step: RuleStep) -> [Command?] {
    guard let accept = try? acceptPacket(lost, before: step) else { return [] }
    return [accept, (try? acceptAnswer(lost, before: step)).map { "\(accept) && \($0)" }]
  }

  /// What a SYN proxy does not see, it cannot know the rest of.
  private static func isForProxy(_ ruling: Ruling) -> Bool {
    ruling.step.text?.lowercased().contains("synproxy") == true
  }

  /// The same before this rule alone.
  static func accept(
    _ lost: LostPacket, before step: RuleStep
  ) throws(Word.Unspeakable) -> Command? {
    try accept(lost, before: step, deciding: step)
  }

  private static func accept(
    _ lost: LostPacket, before step: RuleStep, deciding decider: RuleStep, takesAnswer: Bool = false
  ) throws(Word.Unspeakable) -> Command? {
    guard let accept = try acceptPacket(lost, before: step) else { return nil }
    let meetsAnswer =
      step.isPolicy || decider.takesBothWays || isWithinHost(lost) || hasOnePort(lost.packet)
    // A rule before it that lets known connections pass takes the answer, where it will be known as one.
    let isTaken = takesAnswer && followsAnswer(lost, step)
    guard meetsAnswer, needsAnswer(lost), !isTaken else { return accept }
    return try acceptAnswer(lost, before: step).map { "\(accept) && \($0)" }
  }

  private static func acceptPacket(
    _ lost: LostPacket, before step: RuleStep
  ) throws(Word.Unspeakable) -> Command? {
    let isReply = lost.isReply || lost.packet.isFromService
    return try command(
      lost, step, accepting: match(lost.packet, tool(lost, step), isReply: isReply))
  }

  private static func acceptAnswer(
    _ lost: LostPacket, before step: RuleStep
  ) throws(Word.Unspeakable) -> Command? {
    let tool = tool(lost, step)
    var answer = match(lost.packet.answer, tool, isReply: true)
    if followsAnswer(lost, step), !hasOnePort(lost.packet) { answer += " \(established(tool))" }
    return try command(lost, step, accepting: answer)
  }

  /// The one, or where there is none the other.
  static func first(_ one: Command?, _ other: Command?) -> Command? { one ?? other }

  /// Accepts what belongs to connections that were let through; where conntrack does not know them,
  /// this packet.
  static func acceptEstablished(
    _ lost: LostPacket, _ step: RuleStep
  ) throws(Word.Unspeakable) -> Command? {
    guard followsAnswer(lost, step) else { return try accept(lost, before: step) }
    return try command(lost, step, accepting: established(tool(lost, step)))
  }

  /// Accepts ICMP errors of this kind before the rule that stopped one.
  static func acceptError(_ ruling: Ruling) throws(Word.Unspeakable) -> Command? {
    let (lost, step) = (ruling.lost, ruling.path.last ?? ruling.step)
    guard let icmp = lost.packet.icmp else { return nil }
    let isNFT = tool(lost, step) == .nft
    let isTooLong = icmp.mtu(lost.packet.proto) != nil
    let match: Command? =
      switch (lost.packet.proto, icmp.type) {
      case (.icmp, 3) where isTooLong:
        isNFT
          ? "icmp type destination-unreachable icmp code frag-needed"
          : "-p icmp --icmp-type fragmentation-needed"
      case (.icmp, 3):
        isNFT ? "icmp type destination-unreachable" : "-p icmp --icmp-type destination-unreachable"
      case (.icmp, 11): isNFT ? "icmp type time-exceeded" : "-p icmp --icmp-type time-exceeded"
      case (.icmp, 12):
        isNFT ? "icmp type parameter-problem" : "-p icmp --icmp-type parameter-problem"
      case (.icmpv6, 1):
        isNFT
          ? "icmpv6 type destination-unreachable"
          : "-p icmpv6 --icmpv6-type destination-unreachable"
      case (.icmpv6, 2):
        isNFT ? "icmpv6 type packet-too-big" : "-p icmpv6 --icmpv6-type packet-too-big"
      case (.icmpv6, 3):
        isNFT ? "icmpv6 type time-exceeded" : "-p icmpv6 --icmpv6-type time-exceeded"
      case (.icmpv6, 4):
        isNFT ? "icmpv6 type parameter-problem" : "-p icmpv6 --icmpv6-type parameter-problem"
      default: nil
      }
    guard let match else { return nil }
    return try command(lost, step, accepting: match)
  }

  /// The command for a rule that accepts what `match` says, where a packet meets it in time.
  private static func command(
    _ lost: LostPacket, _ step: RuleStep, accepting match: Command
  ) throws(Word.Unspeakable) -> Command? {
    guard isChangeable(lost, step) else { return nil }
    var next: RuleStep? = step
    if step.isPolicy {
      next = lost.journey.ruleBeforePolicy.flatMap { $0.leavesChain ? $0 : nil }
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

  static func established(_ tool: RuleText.Tool) -> Command {
    tool == .nft
      ? "ct state established,related" : "-m conntrack --ctstate ESTABLISHED,RELATED"
  }

  /// Accepts ARP, or neighbour discovery, before the rule that drops it.
  static func acceptDiscovery(
    _ snapshot: Snapshot, version: Int, before step: RuleStep
  ) throws(Word.Unspeakable) -> Command? {
    guard isChangeable(snapshot, step) else { return nil }
    let isARP = version == 4
    let match: Command =
      isARP
      ? (step.family == NFProto.arp ? "" : "ether type arp ")
      : "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } "
    switch tool(snapshot, step) {
    case .nft:
      let place = try place(step.family, step.table, step.chain)
      if step.isPolicy { return "nft \(("add rule \(place) \(match)accept" as Command).quoted)" }
      return step.handle.map {
        "nft \(("insert rule \(place) handle \($0) \(match)accept" as Command).quoted)"
      }
    case .iptables, .iptablesLegacy:
      let program = try program(snapshot, step, version: version)
      let chain = try Word.iptables(chain: step.chain)
      let place: Command = step.isPolicy ? "-A \(chain)" : "-I \(chain) \(step.position ?? 1)"
      return [135, 136].map { (type: Int) -> Command in
        "\(program) \(place) -p icmpv6 --icmpv6-type \(type) -j ACCEPT"
      }.joined(separator: " && ")
    }
  }

  /// Whether the answer will meet the same: in FORWARD it does, and where this host asks itself.
  private static func needsAnswer(_ lost: LostPacket) -> Bool {
    let isForward = lost.journey.places.last?.point.hook == .forward
    return (isForward || isWithinHost(lost)) && !lost.isReply
  }

  /// Both ends of an SCTP association use the service's port as a rule.
  private static func hasOnePort(_ packet: Packet) -> Bool { packet.proto == .sctp }

  private static func isWithinHost(_ lost: LostPacket) -> Bool {
    lost.inDevice == "lo" || lost.outDevice == "lo"
  }

  /// Whether conntrack will know the answer by its request: not if it passes over the request, and
  /// what nftables' bridge family sees it knows with a module of its own only, and before the hooks
  /// of IP it knows nothing.
  static func followsAnswer(_ lost: LostPacket, _ step: RuleStep) -> Bool {
    let request = lost.isReply ? lost.request ?? lost : lost
    let states = [lost, request].map { $0.isInvalid ? .invalid : $0.journey.connection?.state }
    return !states.contains(.untracked) && !states.contains(.invalid)
      && ![NFProto.bridge, NFProto.netdev].contains(step.family)
  }

  /// Whether a command could change the rule: it is still there, and in nobody's own table.
  static func isChangeable(_ lost: LostPacket, _ step: RuleStep) -> Bool {
    isChangeable(lost.snapshot, step)
  }

  private static func isChangeable(_ snapshot: Snapshot, _ step: RuleStep) -> Bool {
    !step.isReplaced && !snapshot.isOwned(step)
  }

  /// Whose words a rule is told in.
  static func tool(_ lost: LostPacket, _ step: RuleStep) -> RuleText.Tool {
    tool(lost.snapshot, step)
  }

  private static func tool(_ snapshot: Snapshot, _ step: RuleStep) -> RuleText.Tool {
    if let tool = snapshot.tool(of: step) { return tool }
    if step.isLegacy { return .iptablesLegacy }
    return TableName(step.family, step.table).isIPTables(among: snapshot.chains.values)
      ? .iptables : .nft
  }

  static func program(
    _ lost: LostPacket, _ step: RuleStep
  ) throws(Word.Unspeakable) -> Command {
    try program(lost.snapshot, step, version: lost.version)
  }

  private static func program(
    _ snapshot: Snapshot, _ step: RuleStep, version: Int
  ) throws(Word.Unspeakable) -> Command {
    let iptables: Command = version == 4 ? "iptables" : "ip6tables"
    let legacy: Command = tool(snapshot, step) == .iptablesLegacy ? "-legacy" : ""
    let table: Command =
      step.table == "filter" ? "" : " -t \(try Word.iptables(table: step.table))"
    return "\(iptables)\(legacy)\(table)"
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
    case .tcp, .udp, .sctp:
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
  static func iptablesMatch(_ packet: Packet, isReply: Bool) -> Command {
    let words: Command = "-s \(packet.source) -d \(packet.destination) -p \(packet.proto)"
    guard [.tcp, .udp, .sctp].contains(packet.proto),
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

extension RuleStep {
  /// Whether the rule asks for nothing that differs between a packet and its answer, as far as its text
  /// says.
  var takesBothWays: Bool {
    guard let text, !isPolicy else { return false }
    let directed = [
      " -s ", " -d ", " -i ", " -o ", "port ", "ports ", "state ", "saddr", "daddr", "iif", "oif",
      "type", "iprange", "--src", "--dst", "direction", "match-set ", "flags", "recent",
    ]
    return !directed.contains { " \(text) ".contains($0) }
  }
}

extension Packet {
  /// Whether it is a segment of a connection that was seen here only now, and goes from the service to its
  /// client.
  fileprivate var isFromService: Bool {
    guard let tcp, tcp.flags.contains(.ack) else { return false }
    return tcp.flags.contains(.syn) || tcp.sourcePort < tcp.destinationPort
  }

  /// The addresses and ports of an answer.
  var answer: Packet {
    var answer = self
    answer.source = destination
    answer.destination = source
    answer.transport = transport.turned
    return answer
  }
}
