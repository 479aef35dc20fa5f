internal import Wire

extension Remedy {
  /// The rule that translates what comes from `subnet`, before the rule that keeps packets from it; nil where that rule
  /// cannot be found again.
  static func masquerade(
    _ lost: LostPacket, from subnet: Prefix, device: String, before step: RuleStep
  ) throws(Word.Unspeakable) -> Command? {
    let step = lost.journey.way.path(to: step).first ?? step
    guard isChangeable(lost, step) else { return nil }
    let source = RoutingWords.word(subnet)
    switch tool(lost, step) {
    case .nft:
      let place = try place(step.family, step.table, step.chain)
      let match = try nftMasquerade(lost, from: subnet, device: device)
      return step.handle.map { "nft insert rule \(place) handle \($0) \(match)" }
    case .iptables, .iptablesLegacy:
      let program = try program(lost, step)
      let chain = try Word.iptables(chain: step.chain)
      let device = try Word.device(device, for: "iptables")
      return step.position.map {
        "\(program) -I \(chain) \($0) -s \(source) -o \(device) -j MASQUERADE"
      }
    }
  }

  /// The rule that translates what comes from `subnet`, in the words of the ruleset that is there: behind the others of its
  /// chain, or `first`; of what goes `to` one address alone, if one is given.
  static func masquerade(
    _ lost: LostPacket, from subnet: Prefix, to target: IPAddress? = nil, device: String,
    first: Bool = false
  ) throws(Word.Unspeakable) -> Command {
    let chains = lost.snapshot.baseChains
    let family = lost.version == 4 ? NFProto.ipv4 : NFProto.ipv6
    let nat = chains.filter {
      $0.type == "nat" && $0.hook == .postrouting
        && ($0.family == family || $0.family == NFProto.inet)
    }.min { ($0.family, $0.table, $0.name) < ($1.family, $1.table, $1.name) }
    let source = RoutingWords.word(subnet)
    guard lost.snapshot.usesNFT else {
      let legacy: Command = lost.header?.legacyNAT[lost.version] != nil ? "-legacy" : ""
      let device = try Word.device(device, for: "iptables")
      let place: Command = first ? "-I" : "-A"
      let only: Command = target.map { " -d \($0)" } ?? ""
      return
        "\(lost.iptables)\(legacy) -t nat \(place) POSTROUTING -s \(source)\(only) -o \(device) -j MASQUERADE"
    }
    let ip: Command = lost.version == 4 ? "ip" : "ip6"
    let match = try nftMasquerade(lost, from: subnet, to: target, device: device)
    if let chain = nat {
      let place = try Remedy.place(chain.family, chain.table, chain.name)
      let add: Command = first ? "insert" : "add"
      return "nft \(add) rule \(place) \(match)"
    }
    return "nft add table \(ip) nat && nft add chain \(ip) nat postrouting "
      + "'{ type nat hook postrouting priority srcnat; }' && nft add rule \(ip) nat postrouting "
      + match
  }

  /// The rule as it is, but with the interface's own address in the place of the one that it says; nil where its words do not
  /// end with that.
  static func masquerade(
    _ lost: LostPacket, inPlaceOf step: RuleStep
  ) throws(Word.Unspeakable) -> Command? {
    guard isChangeable(lost, step), let text = step.text else { return nil }
    let isNFT = tool(lost, step) == .nft
    let marks = isNFT ? [" snat to ", " snat ip to ", " snat ip6 to "] : [" -j SNAT --to-source "]
    guard let range = marks.lazy.compactMap({ text.firstRange(of: $0) }).first,
      IPAddress(String(text[range.upperBound...])) != nil
    else { return nil }
    let conditions = String(text[..<range.lowerBound])
    switch tool(lost, step) {
    case .nft:
      guard let handle = step.handle else { return nil }
      let place = try place(step.family, step.table, step.chain)
      let rule = try Word.rule("\(conditions) masquerade", for: "nft")
      return "nft \(("replace rule \(place) handle \(handle) \(rule)" as Command).quoted)"
    case .iptables, .iptablesLegacy:
      guard let position = step.position else { return nil }
      let chain = try Word.iptables(chain: step.chain)
      let rule = try Word.rule("\(conditions) -j MASQUERADE", for: "iptables")
      return "\(try program(lost, step)) -R \(chain) \(position) \(rule)"
    }
  }

  /// What such a rule is in nft's words, for a shell.
  private static func nftMasquerade(
    _ lost: LostPacket, from subnet: Prefix, to target: IPAddress? = nil, device: String
  ) throws(Word.Unspeakable) -> Command {
    let ip: Command = lost.version == 4 ? "ip" : "ip6"
    let only: Command = target.map { " \(ip) daddr \($0)" } ?? ""
    // Its quotes are nft's; the rest are words that the shell leaves as they are, between which a line may end.
    let device = ("\(try Word.nftDevice(device))" as Command).quoted
    return "\(ip) saddr \(RoutingWords.word(subnet))\(only) oifname \(device) masquerade"
  }
}
