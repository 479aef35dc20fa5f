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
    for journey in journeys { add(met(by: journey).flatMap { elements(by: $0, of: journey) }) }
    for journey in journeys where !journey.end.isThrough {
      add(chains(journey).flatMap { additions(to: $0, of: journey) })
    }
    for journey in journeys { add(met(by: journey).compactMap(removal)) }
    let version = result.exchange.request?.packet.source.family ?? 4
    add(settingChanges(version: version, input: result.exchange.request?.inDevice))
    add(
      policyRules.filter { $0.family == version && ![0, 32766, 32767].contains($0.priority) }.map {
        ChangeCandidate("ip \(version == 6 ? "-6 " : "")rule del pref \($0.priority)")
      })
    add([wayBack(result)].compactMap(\.self))
    add(downInterfaces.compactMap { ChangeCandidate(raising: $0) })
    return found
  }

  /// The rules that a packet met, the last first.
  private func met(by journey: Journey) -> [RuleStep] {
    (journey.way.rules + (journey.end.decider.map { [$0.rule] } ?? [])).reversed()
  }

  /// The chains that a packet went through: the rules of each that are in force.
  private func chains(_ journey: Journey) -> [RuleInForce] {
    let steps = met(by: journey)
    return ruleset.rules.filter { rule in
      steps.contains {
        $0.family == rule.family && $0.table == rule.table && $0.chain == rule.chain
      }
    }
  }

  /// A route to whoever asked, as somebody on the link that the request came in by, for an answer that has none.
  private func wayBack(_ result: ProbeResult) -> ChangeCandidate? {
    guard let request = result.exchange.request, let input = request.inDevice,
      result.exchange.journeys.contains(where: { $0.direction != .request && !$0.end.isThrough }),
      result.findings.contains(where: { $0.id == .noRoute }), let device = try? Word.device(input)
    else { return nil }
    let asker = request.packet.source
    let version: Command = asker.family == 6 ? "-6 " : ""
    return ChangeCandidate(
      "ip \(version)route replace \(asker) dev \(device)",
      "as somebody on that link; behind a router there, with via and its address")
  }

  // MARK: Sets

  /// Takes elements out of the sets and maps in which a rule looked the packet up.
  private func elements(by step: RuleStep, of journey: Journey) -> [ChangeCandidate] {
    guard let text = ruleset.placed(step).text else { return [] }
    return SetLookup.all(text).flatMap { lookup in
      keys(of: lookup, journey).compactMap { key in
        elements(of: lookup, step.family, step.table).first { SetKey($0).takes(SetKey(key)) }
          .flatMap { Self.command("delete", $0, lookup.name, step.family, step.table) }
          .map { ChangeCandidate($0, text) }
      }
    }
  }

  /// Puts the packet into the sets of a rule that accepts what is in them, or drops what is not; into a map of verdicts, with
  /// accept.
  private func additions(to rule: RuleInForce, of journey: Journey) -> [ChangeCandidate] {
    guard let text = rule.text else { return [] }
    let accepts = RuleConditions(text).accepts
    var lookups = SetLookup.all(text).filter { accepts || $0.isMap }
    if !accepts { lookups += SetLookup.negated(text) }
    return lookups.flatMap { lookup in
      keys(of: lookup, journey).compactMap { key in
        let known = elements(of: lookup, rule.family, rule.table)
        guard !known.contains(where: { SetKey($0).takes(SetKey(key)) }) else { return nil }
        let element = key + (lookup.isMap ? " : accept" : "")
        return Self.command("add", element, lookup.name, rule.family, rule.table)
          .map { ChangeCandidate($0, text) }
      }
    }
  }

  private func elements(of lookup: SetLookup, _ family: UInt8, _ table: String) -> [String] {
    sets["\(NFProto.name(family)) \(table) \(lookup.name)"] ?? []
  }

  /// What is looked up of a packet, as it was seen on its way, in the end first.
  private func keys(of lookup: SetLookup, _ journey: Journey) -> [String] {
    journey.places.reversed().compactMap { (try? lookup.key(of: $0))?.text }
      .reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  private static func command(
    _ verb: Command, _ element: String, _ set: String, _ family: UInt8, _ table: String
  ) -> Command? {
    guard let family = try? Word.nftFamily(family), let table = try? Word.nft(table),
      let set = try? Word.nft(set), let element = try? Word.rule(element, for: "nft")
    else { return nil }
    return "nft \(verb) element \(family) \(table) \(set) \(("{ \(element) }" as Command).quoted)"
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
