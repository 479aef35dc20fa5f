internal import Wire

/// Something of this host that would have taken the packet but for one thing.
struct NearMiss {
  /// What keeps it from that, to be said behind a semicolon.
  var words: String
  var evidence: Evidence

  /// How many are told of.
  private static let most = 2

  /// Sockets at the packet's port that take something else.
  static func listeners(_ lost: LostPacket) -> [NearMiss] {
    var found: [NearMiss] = []
    for socket in lost.nearListeners {
      let words = difference(socket, lost)
      if !found.contains(where: { $0.words == words }) {
        found.append(NearMiss(words: words, evidence: lost.evidence(socket)))
      }
    }
    return Array(found.prefix(most))
  }

  /// What the socket takes that the packet is not.
  private static func difference(_ socket: HostSocket, _ lost: LostPacket) -> String {
    if let peer = socket.peerPlace, !socket.takesFrom(lost.packet) {
      return
        "\(socket.programName) has \(socket.place), connected to \(peer), and takes from there "
        + "alone"
    }
    let device = socket.device.flatMap { lost.snapshot.name($0) }
    let what =
      !socket.address.isUnspecified
      ? "on that address alone"
      : socket.takes(version: lost.packet.destination.family)
        ? "on \(device ?? "another interface") alone"
        : "for IPv\(socket.address.family) alone"
    return "\(socket.programName) listens on \(socket.place), \(what)"
  }

  /// Rules that forward the packet's port, and did not translate it.
  static func portForwards(_ lost: LostPacket) -> [NearMiss] {
    guard lost.destinationChange == nil else { return [] }
    let ofOthers = (lost.host(.portForwards).portForwards ?? []).filter {
      lost.isOfOtherVersion($0)
    }
    let version = lost.version == 4 ? 6 : 4
    let others = ofOthers.map {
      NearMiss(
        words: "a DNAT rule forwards that port for IPv\(version) alone: \(Escape.text($0.text))",
        evidence: .nearTranslation($0.text))
    }
    let near = (lost.portForwards ?? []).lazy.compactMap { rule in
      let words =
        missesOwn(rule, lost)
        ? "a DNAT rule forwards that port for what comes in\(RuleConditions(rule.text).inputWords), not for this host's "
          + "own packets: \(Escape.text(rule.text)); ask as a client: '\(asAClient(lost))'"
        : difference(rule, lost).map {
          "a NAT rule for this port asks for \($0): \(Escape.text(rule.text))"
        }
      return words.map { NearMiss(words: $0, evidence: .nearTranslation(rule.text)) }
    }.prefix(most)
    return Array((near + others).prefix(most))
  }

  /// Whether the rule passes the packet over because this host made it.
  private static func missesOwn(_ rule: RuleText, _ lost: LostPacket) -> Bool {
    isForOthersAlone(rule, lost)
      && RuleConditions(rule.text).difference(SeenPacket(lost, from: nil)) == nil
  }

  /// How the same is asked as who comes from outside.
  private static func asAClient(_ lost: LostPacket) -> String {
    let packet = lost.journey.packet
    let port = packet.destinationPort ?? 0
    return packet.proto == .tcp && lost.version == 4
      ? "nftrace ping -s CLIENT \(packet.destination):\(port)"
      : "nftrace ping -s CLIENT -p \(packet.proto) --dport \(port) \(packet.destination)"
  }

  /// Rules that translate sources, and passed this packet over.
  static func sourceTranslations(_ lost: LostPacket) -> [NearMiss] {
    let families = [NFProto.inet, lost.version == 4 ? NFProto.ipv4 : NFProto.ipv6]
    let rules = lost.host(.sourceTranslations).sourceRules ?? []
    return rules.lazy.filter { families.contains($0.family) }.compactMap { rule in
      difference(rule, lost).map {
        NearMiss(
          words: "a NAT rule asks for \($0): \(Escape.text(rule.text))",
          evidence: .nearTranslation(rule.text))
      }
    }.prefix(most).map { $0 }
  }

  /// What the rule asks for that the packet is not; nil where that is not to be seen.
  private static func difference(_ rule: RuleText, _ lost: LostPacket) -> String? {
    if let difference = RuleConditions(rule.text).difference(lost) { return difference }
    return isForOthersAlone(rule, lost) ? "what comes in, and this host's own packets do not" : nil
  }

  /// Whether the rule stands in PREROUTING, and the packet is this host's own, which does not come there before it is
  /// routed.
  private static func isForOthersAlone(_ rule: RuleText, _ lost: LostPacket) -> Bool {
    let key = Snapshot.ChainKey(family: rule.family, table: rule.table, chain: rule.chain)
    let hook = lost.snapshot.chains[key]?.hook ?? Hook(rawValue: rule.chain.lowercased())
    return lost.journey.hops.first?.point.hook == .output && hook == .prerouting
  }

  /// The same rule for this host's own packets, where it fits but for that.
  static func ownPortForward(_ lost: LostPacket) throws(Word.Unspeakable) -> Command? {
    guard lost.destinationChange == nil,
      let rule = (lost.portForwards ?? []).first(where: {
        RuleConditions($0.text).difference(lost) == nil && isForOthersAlone($0, lost)
      })
    else { return nil }
    guard rule.tool == .nft else {
      let legacy: Command = rule.tool == .iptablesLegacy ? "-legacy" : ""
      return
        "\(lost.iptables)\(legacy) -t nat -A OUTPUT \(try Word.rule(rule.rule, for: "iptables"))"
    }
    let output = lost.snapshot.baseChains.first {
      $0.family == rule.family && $0.table == rule.table && $0.type == "nat" && $0.hook == .output
    }
    guard let output else { return nil }
    let added: Command =
      "add rule \(try Remedy.place(rule.family, rule.table, output.name)) \(try Word.rule(rule.text, for: "nft"))"
    return "nft \(added.quoted)"
  }

  /// The rule that forwards the packet's port, and would have translated it, had conntrack followed it.
  static func fittingPortForward(_ lost: LostPacket) -> RuleText? {
    guard lost.destinationChange == nil else { return nil }
    return (lost.portForwards ?? []).first { difference($0, lost) == nil }
  }
}

extension LostPacket {
  /// The rules that forward its port, of those that it may meet; nil where none forwards anything.
  var portForwards: [RuleText]? {
    host(.portForwards).portForwards?.filter { !isOfOtherVersion($0) }
  }

  /// Whether a rule is for the other IP version alone.
  func isOfOtherVersion(_ rule: RuleText) -> Bool {
    rule.family == (version == 4 ? NFProto.ipv6 : NFProto.ipv4)
  }
}
