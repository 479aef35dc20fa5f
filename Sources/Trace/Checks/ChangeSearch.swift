package import Wire

/// A change with which a lost packet may get through: a command for a root shell in the network namespace.
package struct ChangeCandidate: Sendable, Hashable {
  /// The command.
  package let command: String
  /// What it changes, in words; nil where the command says it.
  package let words: String?

  /// A change that this command makes.
  package init(_ command: Command, _ words: String? = nil) {
    self.command = command.text
    self.words = words
  }

  /// Both are one change if the command is the same.
  package static func == (left: ChangeCandidate, right: ChangeCandidate) -> Bool {
    left.command == right.command
  }

  /// See `==`.
  package func hash(into hasher: inout Hasher) { hasher.combine(command) }
}

extension ChangeCandidate {
  /// Sets an interface up; nil where it has a name that no command takes.
  package init?(raising device: String) {
    guard let word = try? Word.device(device) else { return nil }
    // Without "dev", ip takes some names for words of its own.
    self.init("ip link set dev \(word) up")
  }

  /// What a finding says that helps, and can be tried.
  package static func remedies(of finding: Finding) -> [ChangeCandidate] {
    finding.remedies.filter { RemedyTrial.isConfined($0.text) }.map { ChangeCandidate($0) }
  }
}

/// What there is around a lost packet that might be otherwise: the rules it met, their sets, settings, rules of policy routing.
package struct ChangeSearch: Sendable {
  /// The rules that are in force.
  package var ruleset: RulesetCoverage
  /// The tables that are iptables-nft's.
  package var iptables: Set<TableName>
  /// Elements of sets, by "FAMILY TABLE NAME".
  package var sets: [String: [String]]
  /// Settings that may matter, with their values, by their names.
  package var settings: [String: String]
  /// The rules of policy routing.
  package var policyRules: [RoutingRule]
  /// Interfaces that are down.
  package var downInterfaces: [String]

  /// What there is.
  package init(
    ruleset: RulesetCoverage, iptables: Set<TableName>, sets: [String: [String]],
    settings: [String: String], policyRules: [RoutingRule], downInterfaces: [String]
  ) {
    self.ruleset = ruleset
    self.iptables = iptables
    self.sets = sets
    self.settings = settings
    self.policyRules = policyRules
    self.downInterfaces = downInterfaces
  }

  /// Settings that may stop packets of a version that come in by this interface, with the values with which they do not.
  package static func settings(version: Int, input: String?) -> [(name: String, values: [String])] {
    let scopes = ["all"] + (input.map { [$0] } ?? [])
    var found: [(String, [String])] = [
      (version == 4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding", ["1"])
    ]
    for scope in scopes {
      let conf = "net/ipv\(version)/conf/\(scope)"
      if version == 4 {
        found += [
          ("\(conf)/rp_filter", ["2", "0"]), ("\(conf)/accept_local", ["1"]),
          ("\(conf)/route_localnet", ["1"]), ("\(conf)/arp_ignore", ["0"]),
          ("\(conf)/arp_filter", ["0"]),
        ]
      } else {
        found.append(("\(conf)/disable_ipv6", ["0"]))
      }
      if scope != "all" { found.append(("\(conf)/forwarding", ["1"])) }
    }
    return found + [
      ("net/bridge/bridge-nf-call-\(version == 4 ? "iptables" : "ip6tables")", ["0"])
    ]
  }

  /// What might be otherwise, the narrowest first.
  package func candidates(for result: ProbeResult) -> [ChangeCandidate] {
    var found: [ChangeCandidate] = []
    func add(_ more: [ChangeCandidate]) { found += more.filter { !found.contains($0) } }
    add(
      result.findings.filter { $0.severity == .error }.flatMap(ChangeCandidate.remedies))
    let journeys = result.exchange.journeys
    for journey in journeys {
      let packet = journey.places.last?.packet ?? journey.packet
      let rules = (journey.way.rules + (journey.end.decider.map { [$0.rule] } ?? [])).reversed()
      add(rules.flatMap { elements(that: packet, meet: $0) })
    }
    for journey in journeys where !journey.end.isThrough {
      let packet = journey.places.last?.packet ?? journey.packet
      add(chains(journey).flatMap { additions(of: packet, to: $0) })
    }
    for journey in journeys {
      let rules = (journey.way.rules + (journey.end.decider.map { [$0.rule] } ?? [])).reversed()
      add(rules.compactMap(removal))
    }
    let version = result.exchange.request?.packet.source.family ?? 4
    add(settingChanges(version: version, input: result.exchange.request?.inDevice))
    add(
      policyRules.filter { $0.family == version && ![0, 32766, 32767].contains($0.priority) }.map {
        ChangeCandidate("ip \(version == 6 ? "-6 " : "")rule del pref \($0.priority)")
      })
    add(downInterfaces.compactMap { ChangeCandidate(raising: $0) })
    return found
  }

  /// The chains that a packet went through: the rules of each that are in force.
  private func chains(_ journey: Journey) -> [RuleInForce] {
    let steps = journey.way.rules + (journey.end.decider.map { [$0.rule] } ?? [])
    return ruleset.rules.filter { rule in
      steps.contains {
        $0.family == rule.family && $0.table == rule.table && $0.chain == rule.chain
      }
    }
  }

  // MARK: Sets

  private static let fields: [(names: [String], value: @Sendable (Packet) -> String?)] = [
    (["saddr"], { "\($0.source)" }), (["daddr"], { "\($0.destination)" }),
    (["dport"], { $0.destinationPort.map { "\($0)" } }),
  ]

  /// Takes elements out of the set that a rule looks the packet up in.
  private func elements(that packet: Packet, meet step: RuleStep) -> [ChangeCandidate] {
    guard let text = ruleset.placed(step).text else { return [] }
    return lookups(RuleConditions(text), packet).compactMap { set, value in
      let name = "\(NFProto.name(step.family)) \(step.table) \(set)"
      guard let element = sets[name]?.first(where: { Self.element($0, takes: value) }),
        let command = Self.command("delete", element, set, step.family, step.table)
      else { return nil }
      return ChangeCandidate(command, text)
    }
  }

  /// Puts the packet into the set of a rule that accepts what is in it.
  private func additions(of packet: Packet, to rule: RuleInForce) -> [ChangeCandidate] {
    guard let text = rule.text, RuleConditions(text).accepts else { return [] }
    return lookups(RuleConditions(text), packet).compactMap { set, value in
      let name = "\(NFProto.name(rule.family)) \(rule.table) \(set)"
      guard sets[name]?.contains(where: { Self.element($0, takes: value) }) != true,
        let command = Self.command("add", value, set, rule.family, rule.table)
      else { return nil }
      return ChangeCandidate(command, text)
    }
  }

  /// The sets that a rule looks a packet up in by one field, and what is looked up.
  private func lookups(
    _ conditions: RuleConditions, _ packet: Packet
  ) -> [(set: String, value: String)] {
    Self.fields.compactMap { names, value in
      guard let set = conditions.values(behind: names).first, set.hasPrefix("@"),
        let value = value(packet)
      else { return nil }
      return (String(set.dropFirst()), value)
    }
  }

  private static func element(_ element: String, takes value: String) -> Bool {
    if element == value { return true }
    let ends = element.split(separator: "-").map(String.init)
    if let address = IPAddress(value) {
      if let prefix = Prefix(element) { return prefix.contains(address) }
      guard ends.count == 2, let first = IPAddress(ends[0]), let last = IPAddress(ends[1]) else {
        return false
      }
      return first.bytes.lexicographicallyPrecedes(address.bytes) || first == address
        ? address.bytes.lexicographicallyPrecedes(last.bytes) || address == last : false
    }
    guard let number = UInt16(value), ends.count == 2, let first = UInt16(ends[0]),
      let last = UInt16(ends[1]), first <= last
    else { return false }
    return (first...last).contains(number)
  }

  private static func command(
    _ verb: Command, _ element: String, _ set: String, _ family: UInt8, _ table: String
  ) -> Command? {
    guard let family = try? Word.nftFamily(family), let table = try? Word.nft(table),
      let set = try? Word.nft(set), let element = try? Word.rule(element, for: "nft")
    else { return nil }
    return "nft \(verb) element \(family) \(table) \(set) '{ \(element) }'"
  }

  // MARK: Rules and settings

  /// Takes a rule away.
  private func removal(_ step: RuleStep) -> ChangeCandidate? {
    let step = ruleset.placed(step)
    let table = TableName(step.family, step.table)
    if step.isLegacy || iptables.contains(table) {
      guard let position = step.position, !step.isPolicy,
        let name = try? Word.iptables(table: step.table),
        let chain = try? Word.iptables(chain: step.chain)
      else { return nil }
      let program: Command = step.family == NFProto.ipv6 ? "ip6tables" : "iptables"
      let backend: Command = step.isLegacy ? "-legacy" : ""
      return ChangeCandidate("\(program)\(backend) -t \(name) -D \(chain) \(position)", step.text)
    }
    guard let handle = step.handle, let family = try? Word.nftFamily(step.family),
      let name = try? Word.nft(step.table), let chain = try? Word.nft(step.chain)
    else { return nil }
    return ChangeCandidate("nft delete rule \(family) \(name) \(chain) handle \(handle)", step.text)
  }

  private func settingChanges(version: Int, input: String?) -> [ChangeCandidate] {
    Self.settings(version: version, input: input).flatMap { name, values -> [ChangeCandidate] in
      guard let now = settings[name], let word = try? Word.sysctl(Self.dotted(name)) else {
        return []
      }
      return values.filter { $0 != now }.compactMap { value in
        guard let number = UInt32(value) else { return nil }
        return ChangeCandidate("sysctl -w \(word)=\(number)", "it is \(now)")
      }
    }
  }

  /// As sysctl(8) takes it: dots between the parts, slashes for the dots in them.
  private static func dotted(_ path: String) -> String {
    String(path.map { $0 == "/" ? "." : $0 == "." ? "/" : $0 })
  }
}
