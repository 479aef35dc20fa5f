package import Wire

/// How rules and chains are called in findings.
package enum RuleNames {
  /// What nft calls a family: "inet".
  package static func family(_ number: UInt8) -> String { NFProto.name(number) }

  /// "rule 3 of chain BLOCK (ip filter)", with what jumped there left to the timeline.
  package static func rule(_ step: RuleStep) -> String {
    let number: String
    switch step.ref {
    case .policy, .legacyPolicy: return "the policy of \(chain(step))"
    case .legacy(let position): number = "rule \(position)"
    // Its text stands below, if it is known; nft(8) shows no handles unless it is asked for them.
    case .nft(let handle):
      number =
        step.position.map { "rule \($0)" }
        ?? (step.text == nil ? "the rule with handle \(handle)" : "a rule")
    case .legacyTable: number = "a rule"
    }
    return "\(number) of \(chain(step))" + (step.isReplaced ? ", loaded anew meanwhile," : "")
  }

  /// What keeps everybody else from changing a rule: a program may own its table.
  static func owner(_ step: RuleStep, _ lost: LostPacket) -> String {
    lost.isOwned(step) ? "; only the program that owns this table can change it" : ""
  }

  /// "chain FORWARD (ip filter)", or "an unnamed chain (inet fw)".
  static func chain(_ step: RuleStep) -> String {
    chain(
      step.family, step.table, step.chain, backend: step.isLegacy ? "iptables-legacy, " : "")
  }

  /// The same of a chain in a table of this family.
  static func chain(
    _ family: UInt8, _ table: String, _ name: String, backend: String = ""
  ) -> String {
    "\(chain(name)) (\(backend)\(NFProto.name(family)) \(Escape.name(table)))"
  }

  /// "chain FORWARD"; the kernel's numbers for those that have no name are seen nowhere else.
  package static func chain(_ name: String) -> String {
    NFTRuleMessage.isNameless(name) ? "an unnamed chain" : "chain \(Escape.name(name))"
  }

  /// A chain in a list of places: by its name, or by what nft(8) prints in the place of one.
  package static func brief(_ chain: String) -> String {
    NFTRuleMessage.isNameless(chain) ? "{ ... }" : Escape.name(chain)
  }

  /// An ICMP error as people know it, with its numbers: "port unreachable (ICMP 3/3)".
  package static func error(_ packet: Packet) -> String? {
    packet.icmp.map { icmp in
      let numbers = "\(packet.proto == .icmpv6 ? "ICMPv6" : "ICMP") \(icmp.type)/\(icmp.code)"
      return icmp.errorName(packet.proto).map { "\($0) (\(numbers))" } ?? numbers
    }
  }

  /// An address, with its port if there is one.
  static func end(_ address: IPAddress, _ port: UInt16?) -> String {
    guard let port else { return "\(address)" }
    return address.family == 4 ? "\(address):\(port)" : "[\(address)]:\(port)"
  }

  static func what(_ lost: LostPacket) -> String {
    if lost.journey.direction == .error { return "ICMP error about the packet" }
    return lost.isReply ? "answer" : "packet"
  }

  /// "a TCP reset", or the ICMP error by its name.
  static func refusal(_ packet: Packet) -> String { error(packet) ?? "a TCP reset" }

  /// The place of a rule in nf_tables' terms.
  static func place(_ step: RuleStep, _ lost: LostPacket) -> Finding.Place {
    let hook = lost.journey.places.last?.point.hook
    return Finding.Place(
      hook: lost.snapshot.place(of: step)?.hook ?? hook, table: step.table,
      chain: step.chain, handle: step.handle, rule: step.text)
  }
}

extension RuleStep {
  /// The rule as its owner wrote it.
  var evidence: [Evidence] { text.map { [.rule($0)] } ?? [] }
}

extension RuleStep {
  /// The address that a DNAT rule leads to, as its text has it; of several, the first.
  var translationTarget: IPAddress? {
    let words = text?.split(separator: " ").map(String.init) ?? []
    guard translation == .dnat || translation == nil,
      let place = words.firstIndex(where: { ["--to-destination", "to"].contains($0) }),
      place + 1 < words.count
    else { return nil }
    let word = words[place + 1]
    if word.hasPrefix("[") { return IPAddress(String(word.dropFirst().prefix { $0 != "]" })) }
    let first = String(word.prefix { $0 != "-" })
    return IPAddress(first) ?? IPAddress(String(first.prefix { $0 != ":" }))
  }
}
