package import Wire

/// Something to ask the kernel about a probe once its packets have come to rest. What it answers is
/// recorded, so that a session explains itself later.
package enum Question: Sendable, Equatable {
  /// Which way would this packet go?
  case lookup(RouteLookup)
  /// Which addresses are there, who are the neighbours, and how do the interfaces do?
  case neighbours
  /// The routes of all tables that lead to one of these.
  case routes(to: [IPAddress])
  /// The rules of policy routing.
  case policy
  /// Settings, by their paths below /proc/sys.
  case sysctls([String])
  /// The namespace's counters.
  case counters
  /// One rule, and its text.
  case rule(RuleStep)
  /// All rules of the chain in which a step was made.
  case chain(RuleStep)
  /// The texts of the rules of that chain.
  case chainTexts(RuleStep)
  /// What else this host has.
  case host(HostQuestion)
}

extension Story {
  /// What to ask about the exchange of a probe. `isAnswered` is whether all went well: then it is
  /// only asked what the timeline tells.
  package func questions(probe sequence: Int, isAnswered: Bool) -> [Question] {
    let journeys = openJourneys(probe: sequence)
    let needs =
      isAnswered
      ? Set(
        Registry.exchangeNotes.filter { $0.asks(about: journeys, snapshot) }.flatMap { $0.needs })
      : Registry.needs
    var questions: [Question] = unknownDeciders.map { .rule($0) }
    for journey in journeys {
      if needs.contains(.answerRoute) { questions += answerLookups(journey).map { .lookup($0) } }
      questions += lookups(journey, needs)
    }
    // Whether a program would have had the answer.
    if isAnswered, header?.probe?.entrance == .local { questions.append(.host(.policies)) }
    if isAnswered || header?.probe?.hasPickedClient == true, let plan = header?.probe {
      let exits = journeys.filter { $0.direction != .request }.compactMap(\.exit)
      if plan.entrance == .arriving, !exits.isEmpty {
        questions.append(.host(.redirects(Set(exits).sorted())))
        if exits.contains(where: { snapshot.link($0)?.flags.contains(.noARP) == true }) {
          questions.append(.neighbours)
        }
      }
      questions += DiscoverySilence.questions(plan, snapshot)
    }
    questions.append(.policy)
    if needs.contains(.ingressRules) { questions += ingressRules(journeys) }
    if needs.contains(.policyChain) {
      questions += journeys.compactMap { journey in
        let step = journey.end.decider?.rule ?? journey.way.legs.last?.rules.last
        // What looks at the way back may stand before the rule that drops all the rest.
        let isEarly = journey.end.decider?.hop.point.hook == .prerouting
        return step.flatMap { $0.isPolicy || isEarly ? .chain($0) : nil }
      }
    }
    if needs.contains(.zoneRules) {
      questions += journeys.flatMap(\.way.trailingRules)
        .filter {
          $0.chain.hasSuffix("_ZONES") && Owner($0) == .firewalld
            || ["forward", "input"].contains($0.chain) && Owner($0) == .openWrt
        }.map { .chainTexts($0) }
    }
    // How it came to the rule that ended its way.
    if !isAnswered {
      questions += unread(
        journeys.flatMap { journey in
          (journey.end.decider?.rule).map { journey.way.path(to: $0) } ?? []
        })
    }
    if needs.contains(.trackingRules) { questions += unread(trackingRules(journeys)) }
    if needs.contains(.ttlRules) { questions += unread(journeys.flatMap(\.way.rulesAtTTLChange)) }
    if needs.contains(.ruleBeforePolicy) { questions += rulesBeforePolicies(journeys) }
    if needs.contains(.routes) {
      questions.append(.routes(to: destinations(journeys, sequence)))
    }
    if needs.contains(.neighbours) { questions.append(.neighbours) }
    if needs.contains(where: \.isCounter) { questions.append(.counters) }
    let settings = needs.flatMap { $0.settings(of: devices(journeys)) }
    if !settings.isEmpty { questions.append(.sysctls(settings.sorted())) }
    questions += hostQuestions(journeys, needs, devices: devices(journeys))
    return questions
  }

  /// Rules of the netdev family that let a packet pass that was not seen again.
  private func ingressRules(_ journeys: [Journey]) -> [Question] {
    journeys.filter { $0.end.decider == nil && $0.way.last.point.hook == .ingress }
      .flatMap(\.way.trailingRules)
      .filter { $0.handle != nil }.map { .rule($0) }
  }

  /// What told conntrack what to make of packets that it does not follow, or does not know again.
  private func trackingRules(_ journeys: [Journey]) -> [RuleStep] {
    let known: [Connection.State] = [.established, .related]
    let isParted = journeys.contains { journey in
      let state = journey.connection?.state
      return state == .untracked
        || journey.direction == .reply && !(state.map(known.contains) ?? false)
    }
    return isParted ? journeys.flatMap(\.rulesBeforeTracking) : []
  }

  /// The first of these rules whose texts are not known, each once.
  private func unread(_ rules: [RuleStep]) -> [Question] {
    var found: [RuleStep] = []
    for step in rules where snapshot.text(step) == nil && !found.contains(step) {
      found.append(step)
    }
    return found.prefix(16).map { .rule($0) }
  }

  private func rulesBeforePolicies(_ journeys: [Journey]) -> [Question] {
    journeys.compactMap(\.ruleBeforePolicy).filter {
      $0.leavesChain || $0.isLegacyRule
    }
    .map { step in
      // Its place matters here, and is looked for as that of a rule that decides.
      var step = step
      step.verdict = .drop
      return .rule(step)
    }
  }

  /// The lookups that tell which way a packet went, or why it went none: as it was seen after DNAT
  /// and before SNAT.
  private func lookups(_ journey: Journey, _ needs: Set<Need>) -> [Question] {
    guard let hop = journey.hops.last(where: { $0.point.hook == .prerouting }) else {
      return outputLookups(journey)
    }
    let packet = hop.packet
    var question = RouteLookup(
      to: packet.destination, from: packet.source,
      inputInterface: snapshot.link(hop.inDevice)?.index,
      mark: hop.mark == 0 ? nil : hop.mark, tos: packet.tos & 0x1c)
    question.setTransport(packet)
    var exact = question
    exact.fibMatch = true
    var questions: [Question] = [.lookup(question), .lookup(exact)]
    if needs.contains(.plainRoute) {
      var plain = question
      plain.inputInterface = nil
      plain.source = nil
      questions.append(.lookup(plain))
    }
    if needs.contains(.wayBack), !packet.source.isMulticast, !packet.source.isUnspecified {
      questions.append(.lookup(RouteLookup(to: packet.source)))
    }
    return questions
  }

  /// The lookups that tell whether this host can answer what was delivered to it: without a mark, and with that of
  /// what it answers.
  private func answerLookups(_ journey: Journey) -> [RouteLookup] {
    guard journey.direction == .request, let hop = journey.answered else { return [] }
    let answer = hop.packet.answer
    var question = RouteLookup(
      to: answer.destination, from: answer.source, tos: answer.tos & 0x1c)
    if answer.destination.isLinkLocal {
      question.outputInterface = snapshot.link(hop.inDevice)?.index
    }
    question.setTransport(answer)
    guard hop.mark != 0 else { return [question] }
    var marked = question
    marked.mark = hop.mark
    return [question, marked]
  }

  private func outputLookups(_ journey: Journey) -> [Question] {
    guard let hop = journey.hops.last(where: { $0.point.hook == .output }) else {
      return []
    }
    var question = RouteLookup(
      to: hop.packet.destination, from: hop.packet.source,
      mark: hop.mark == 0 ? nil : hop.mark, tos: hop.packet.tos & 0x1c)
    // What is bound to an interface takes everybody for a neighbour there to which no route leads.
    question.outputInterface = snapshot.link(header?.probe?.boundDevice)?.index
    question.setTransport(hop.packet)
    return [.lookup(question)]
  }

  /// What routes are looked up for: where the packets of a probe go, and where they come from.
  private func destinations(_ journeys: [Journey], _ sequence: Int) -> [IPAddress] {
    let packets =
      journeys.flatMap { $0.hops.map(\.packet) }
      + [header?.probe?.packet(sequence: sequence)].compactMap(\.self)
    var found: [IPAddress] = []
    // What was translated in OUTPUT and is not let go was not seen with its new destination.
    let targets = journeys.flatMap(\.way.trailingRules).compactMap(\.translationTarget)
    for address in packets.flatMap({ [$0.destination, $0.source] }) + targets
    where !found.contains(address) {
      found.append(address)
    }
    return found
  }

  /// The interfaces on the packets' way.
  private func devices(_ journeys: [Journey]) -> [String] {
    let devices = Set(
      journeys.flatMap { $0.hops.flatMap { [$0.inDevice, $0.outDevice] } }.compactMap { $0 }
        + [header?.probe?.device].compactMap { $0 })
    return devices.sorted()
  }
}

extension Need {
  fileprivate var isCounter: Bool {
    switch self {
    case .counter, .interfaceCounter: true
    default: false
    }
  }

  /// The paths of the settings that this asks for, of these interfaces.
  fileprivate func settings(of devices: [String]) -> [String] {
    switch self {
    case .setting(let setting): [setting.path]
    case .interfaceSetting(let setting):
      (["all"] + devices).flatMap { device in
        setting.versions.map { setting.path(of: device, version: $0) }
      }
    default: []
    }
  }
}

extension RouteLookup {
  /// The fields that policy routing can choose by.
  fileprivate mutating func setTransport(_ packet: Packet) {
    // The kernel looks up no others: rtm_getroute_parse_ip_proto() refuses them.
    guard [.icmp, .icmpv6, .tcp, .udp].contains(packet.proto) else { return }
    ipProtocol = packet.proto.rawValue
    sourcePort = packet.sourcePort
    destinationPort = packet.destinationPort
  }
}
