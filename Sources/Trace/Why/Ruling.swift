internal import Wire

/// What a rule or a policy did to a packet, with all that explains it: how its chain was reached, who set the
/// mark it asks for, whose chain it is, and why a bridge asked it at all.
struct Ruling {
  let lost: LostPacket
  let step: RuleStep

  init(_ lost: LostPacket, _ step: RuleStep) {
    self.lost = lost
    self.step = step
  }

  /// The program whose rule it is.
  var owner: Owner? {
    Owner(step) ?? path.lazy.compactMap { Owner(table: $0.table, chain: $0.chain) }.last {
      $0 == .proxmox
    }
      ?? (step.isPolicy ? ownerOfPolicy : nil) ?? ownerOfGuard ?? ownerOfWeave ?? ownerOfTable
  }

  /// Docker keeps others from its containers' addresses, and containers of a bridge from each other, in chains that are
  /// nobody's.
  private var ownerOfGuard: Owner? {
    guard !step.isPolicy, let text = step.text, text.hasSuffix("-j DROP") else { return nil }
    let isGuard =
      switch (step.table, step.chain) {
      case ("raw", "PREROUTING"): " \(text)".contains(" -d ") && text.contains("! -i ")
      case ("filter", "FORWARD"): step.bridgeWithin != nil
      default: false
      }
    guard isGuard,
      chainsMet.contains(where: { Owner(table: step.table, chain: $0) == .docker })
        || lost.snapshot.chains.keys.contains(where: {
          $0.family == step.family && Owner(table: $0.table, chain: $0.chain) == .docker
        })
    else { return nil }
    return .docker
  }

  /// Weave Net drops behind its policies what none of them lets in, in a chain that is nobody's.
  private var ownerOfWeave: Owner? {
    let words = (step.text ?? "").split(separator: " ")
    guard step.chain == "FORWARD", words.count == 4, words.first == "-o", words.last == "DROP",
      chainsMet.contains("WEAVE-NPC")
    else { return nil }
    return .weave
  }

  /// Who sets a base chain's policy: the programs whose chains stand beside it do.
  private var ownerOfPolicy: Owner? {
    let beside = neighbours
    if beside.contains(where: { $0.hasPrefix("ufw-") || $0.hasPrefix("ufw6-") }) { return .ufw }
    if step.chain == "FORWARD", beside.contains("DOCKER") || beside.contains("DOCKER-USER") {
      return .docker
    }
    return nil
  }

  /// Shorewall calls its chains by its zones, and has some of its own name beside them.
  private var ownerOfTable: Owner? {
    let isIts = neighbours.contains { Owner(table: step.table, chain: $0) == .shorewall }
    return isIts ? .shorewall : nil
  }

  /// The chains of the same table. Those of iptables-legacy are known where the packet met them.
  private var neighbours: [String] {
    let listed = lost.snapshot.chains.keys.filter {
      $0.family == step.family && $0.table == step.table
    }
    return listed.map(\.chain) + chainsMet
  }

  /// The chains of the table that the packet met, or was sent to.
  var chainsMet: [String] {
    lost.journey.way.rules.filter { $0.family == step.family && $0.table == step.table }
      .flatMap { [$0.chain] + ($0.target.map { [$0] } ?? []) }
  }

  /// The rules that led to the deciding rule's chain, from the base chain on.
  var path: [RuleStep] { lost.journey.way.path(to: step) }

  /// What it was concluded from.
  var evidence: [Evidence] {
    step.evidence + provenance + managers + bridging + lost.reasonEvidence
  }

  /// How the packet came to this rule.
  private var provenance: [Evidence] {
    path.map { .ledTo(chain: $0.target ?? "", by: $0) } + elements.map { .element($0) }
      + markSetter
  }

  /// The elements by which sets had the packet: of the rule, and of those that led to it.
  private var elements: [SetElement] {
    (lost.host(.rulesBeside).elements ?? []).filter {
      $0.family == step.family && $0.table == step.table
    }
  }

  /// The command that takes the packet out of the set in which the rule looks it up; nil where others are in the same
  /// element, or rules would put it there again.
  private var removal: Command? {
    get throws(Word.Unspeakable) {
      guard let lookup = step.text.flatMap({ SetLookup($0) }), !lookup.isMap,
        let hop = lost.journey.end.decider?.hop, let key = try lookup.key(of: hop),
        elements.contains(where: {
          !$0.isDynamic && $0.set == lookup.name
            && ($0.text == key.text || $0.text.hasPrefix("\(key.text) "))
        }), Remedy.isChangeable(lost, step)
      else { return nil }
      let family = try Word.nftFamily(step.family)
      let place: Command = "\(family) \(try Word.nft(step.table)) \(try Word.nft(lookup.name))"
      return "nft delete element \(place) \(("{ \(key) }" as Command).quoted)"
    }
  }

  /// The rule that set the mark that this one asks for.
  private var markSetter: [Evidence] {
    guard let text = step.text, text.contains("mark") else { return [] }
    let mark = lost.journey.end.decider?.hop.mark ?? lost.last.mark
    guard mark != 0, let setter = lost.journey.ruleThatSet(mark: mark) else { return [] }
    return [.markSet(mark, by: setter)]
  }

  /// Programs that make rules here, where it is not known whose this one is.
  private var managers: [Evidence] {
    if let owner { return [.manager(owner.rawValue)] }
    let owners = Set(
      lost.snapshot.chains.keys.compactMap { Owner(table: $0.table, chain: $0.chain) })
    return Owner.allCases.filter(owners.contains).map { .manager($0.rawValue) }
  }

  /// A bridge hands its frames to IP's rules where this setting says so.
  private var bridging: [Evidence] {
    guard lost.journey.isBridged, step.family != NFProto.bridge else { return [] }
    return [.bridgedThrough(lost.version == 4 ? "iptables" : "ip6tables")]
  }

  /// Behind a sentence about the rule: by which chain the packet came to it, whose it is, and where that is
  /// changed.
  var addition: String {
    var words = ""
    if let last = path.last {
      words += ", reached from \(RuleNames.chain(last))"
      // That it leads there is said.
      let plain = ["jump", "goto", "-j", "-g", "counter jump", "counter goto"]
      if let text = last.text, !plain.contains(where: { text == "\($0) \(step.chain)" }) {
        words += " by '\(Escape.text(text))'"
      }
    }
    for element in elements {
      let filled = element.isDynamic ? ", which rules fill," : ""
      words +=
        "; set \(Escape.name(element.set))\(filled) has it by its element "
        + Escape.text(element.text)
    }
    words += RulesBeside(self).words
    if let owner {
      words += "; it is \(owner.rawValue)'s"
      if let advice = OwnerRemedy(self, owner).advice { words += ": \(advice)" }
    }
    return words + RuleNames.owner(step, lost)
  }

  /// Whether the rule drops what has no way back by the interface it came in: it asks for that itself, or it
  /// drops all that a rule before it, which asks for it, did not let pass.
  var checksReversePath: Bool {
    if step.checksReversePath { return true }
    guard !step.isPolicy, step.takesEverything else { return false }
    return lost.snapshot.rules.contains { key, rule in
      key.family == step.family && key.table == step.table && key.chain == step.chain
        && key.handle != step.handle && rule.checksReversePath
    }
  }

  /// Whether the rule says that nobody is there who could answer: then nothing is to be accepted.
  var saysTruth: Bool {
    step.text.map { $0.contains("has no endpoints") || $0.contains("no local endpoints") } ?? false
  }

  /// Lets the packet through, in the words of whoever owns the rule.
  var remedy: Command? {
    get throws(Word.Unspeakable) {
      if saysTruth { return nil }
      guard let owner else { return try Remedy.first(removal, Remedy.accept(self)) }
      return try OwnerRemedy(self, owner).command
    }
  }

  /// All that may let it through, the narrowest first; where a program owns the rule, in its words.
  var alternatives: [Command?] {
    // Both ends of SCTP may have one port, and then the rule is about the answer as well, as a probe from another port does
    // not show.
    if saysTruth || lost.packet.proto == .sctp { return [] }
    if let owner { return OwnerRemedy(self, owner).alternatives }
    return [try? removal] + RulesBeside(self).admissions + Remedy.acceptances(self)
  }
}

extension Cause {
  /// An error that a rule or a policy is the cause of.
  static func error(
    _ sentence: String, by ruling: Ruling, evidence more: [Evidence] = [],
    remedy: @autoclosure () throws(Word.Unspeakable) -> Command?,
    alternatives: @autoclosure () -> [Command?] = []
  ) -> Finding {
    var finding = error(
      sentence + ruling.addition, evidence: ruling.evidence + more, remedy: try remedy(),
      alternatives: alternatives(), at: RuleNames.place(ruling.step, ruling.lost))
    finding.owner = ruling.owner
    return finding
  }
}

extension Journey {
  /// The rule that gave the packet this mark.
  func ruleThatSet(mark: UInt32) -> RuleStep? {
    way.rules.last { $0.setsMark && $0.mark == mark }
  }
}

extension Way {
  /// The rules that led to a step's chain, from the base chain on; none of a step of a base chain.
  func path(to step: RuleStep) -> [RuleStep] {
    let rules = rules
    if step.isLegacy { return pathOfLegacy(to: step, rules) }
    let met = rules.lastIndex(of: step).map { rules[..<$0] } ?? rules[...]
    var path: [RuleStep] = []
    var chain = step.chain
    for rule in met.reversed()
    where rule.target == chain && rule.table == step.table && rule.family == step.family
      && [.jump, .goto].contains(rule.verdict)
    {
      path.insert(rule, at: 0)
      chain = rule.chain
    }
    return path
  }

  /// The same of iptables-legacy, whose TRACE tells of every rule that the packet met, and not of where it led: what comes
  /// next, in a chain that the packet was not in, was reached from there.
  private func pathOfLegacy(to step: RuleStep, _ rules: [RuleStep]) -> [RuleStep] {
    var path: [RuleStep] = []
    for rule in rules.filter({ $0.isLegacy && $0.table == step.table && $0.family == step.family })
    {
      if Hook(rawValue: rule.chain.lowercased()) != nil, rule.chain == rule.chain.uppercased() {
        // It came there by no rule.
        path = []
      } else if let place = path.firstIndex(where: { $0.chain == rule.chain }) {
        path.removeSubrange(place...)
      }
      if !path.isEmpty { path[path.count - 1].target = rule.chain }
      path.append(rule)
      if rule == step { break }
    }
    guard path.last?.chain == step.chain else { return [] }
    return path.dropLast()
  }
}
