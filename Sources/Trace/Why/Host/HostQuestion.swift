package import Wire

/// Something to ask this host that is neither netfilter's nor routing's.
package enum HostQuestion: Sendable, Equatable {
  /// The sockets at these ports; at all, where there is none.
  case sockets(IPProtocol, ports: [UInt16])
  /// The queues that are read.
  case queues
  /// The policies of IPsec.
  case policies
  /// Who has these TUN devices open.
  case holders([String])
  /// The members of multicast groups.
  case memberships
  /// The addresses that this host answers neighbours for.
  case proxies
  /// Where IPv6 routers announce themselves.
  case advertisements
  /// What looks at packets at these interfaces.
  case programs([String])
  /// The filters of these interfaces that give packets to others.
  case redirects([String])
  /// The NAT rules of this IP version that name this port.
  case portForwards(version: Int, UInt16)
  /// The rules of the chains of these steps.
  case rulesBeside([RuleStep])
  /// The elements of the sets in which the rules of these steps looked up a packet that was seen so.
  case elements([RuleStep], Hop)
  /// The rules of nft that give packets to transparent proxies.
  case transparentProxies
  /// What other namespaces of this machine know of an address that was looked for behind an interface here.
  case whereabouts(of: IPAddress, behind: String)
  /// How many rules there are in the nat chains of POSTROUTING, of this IP version.
  case sourceTranslations(version: Int)
}

extension Story {
  /// What to ask this host about a probe that was lost. Each is asked only where its answer may matter:
  /// what is listed may be long.
  func hostQuestions(_ journeys: [Journey], _ needs: Set<Need>, devices: [String]) -> [Question] {
    var questions: [HostQuestion] = []
    func ask(_ need: HostNeed, _ question: @autoclosure () -> HostQuestion?) {
      guard needs.contains(.host(need)), let question = question() else { return }
      if !questions.contains(question) { questions.append(question) }
    }
    let probe = header?.probe?.packet(sequence: 1)
    if journeys.isEmpty || journeys.contains(where: { $0.end.decider == nil }) {
      ask(.policies, .policies)
    }
    if journeys.isEmpty, probe?.source.family == 6 { ask(.advertisements, .advertisements) }
    let isAsked = journeys.contains { $0.direction == .request && $0.end.kind == .delivered }
    let deciders = journeys.compactMap { $0.end.decider?.rule }
    ask(.rulesBeside, deciders.isEmpty ? nil : .rulesBeside(deciders))
    if let journey = journeys.first(where: { $0.end.decider != nil }),
      let decider = journey.end.decider
    {
      let steps = (journey.way.path(to: decider.rule) + [decider.rule]).filter {
        !$0.isPolicy && $0.handle != nil
      }
      ask(.rulesBeside, steps.isEmpty ? nil : .elements(steps, decider.hop))
    }
    for journey in journeys where journey.direction != .error {
      let last = journey.hops.last?.packet ?? journey.packet
      let port = last.destinationPort
      let version = last.source.family
      // An answer that came to this host is for a port of who asked.
      if journey.end.kind == .delivered, let port, journey.direction != .reply || !isAsked {
        ask(.sockets, .sockets(last.proto, ports: [port]))
        // The port of an answer is the client's.
        if journey.direction != .reply {
          ask(.portForwards, .portForwards(version: version, port))
          // It may be forwarded in the other IP version alone.
          ask(.portForwards, .portForwards(version: version == 4 ? 6 : 4, port))
        }
      } else if journey.connection?.state == .untracked, let port {
        ask(.portForwards, .portForwards(version: version, port))
      }
      let isPassedOver = journey.end.kind == .delivered && port != nil && mayProxy
      if isPassedOver { ask(.transparentProxies, .transparentProxies) }
      if journey.mayBeProxied || isPassedOver {
        ask(.sockets, .sockets(last.proto, ports: []))
      }
      if journey.way.rules.contains(where: { $0.verdict.queueNumber != nil || $0.isLegacy }) {
        ask(.queues, .queues)
      }
      if last.destination.isMulticast { ask(.memberships, .memberships) }
      if version == 6, journey.end.kind == .unknown || journey.end.kind == .rejected {
        ask(.advertisements, .advertisements)
      }
      if journey.end.kind == .unknown, let exit = journey.way.last.outDevice,
        let hop = journey.route?.gateway ?? journey.hops.last?.packet.destination
      {
        ask(.whereabouts, .whereabouts(of: hop, behind: exit))
      }
      // NAT passes over what is invalid: who lets it through has to know whether its source is to be translated.
      if journey.end.isStopped, (journey.connection?.state ?? .invalid) == .invalid {
        ask(.sourceTranslations, .sourceTranslations(version: version))
      }
      guard journey.end.kind == .transmitted else { continue }
      ask(.sourceTranslations, .sourceTranslations(version: version))
      ask(.proxies, .proxies)
      let tunnels = Set(journey.hops.compactMap(\.outDevice)).filter {
        snapshot.link($0)?.kind == "tun"
      }
      if !tunnels.isEmpty { ask(.holders, .holders(tunnels.sorted())) }
    }
    // What was dropped before any hook came by one of them.
    let edges = Set(journeys.compactMap(\.exit)).union(devices)
    ask(.redirects, edges.isEmpty ? nil : .redirects(edges.sorted()))
    ask(.programs, devices.isEmpty ? nil : .programs(devices))
    return questions.map { .host($0) }
  }
}

extension Story {
  /// Whether somebody has a chain in which rules of nft may give packets to a transparent proxy.
  private var mayProxy: Bool {
    let chains = snapshot.baseChains
    return chains.contains { chain in
      chain.hook == .prerouting && chain.type == "filter"
        && !TableName(chain.family, chain.table).isIPTables(among: chains)
    }
  }
}

extension Journey {
  /// The interface behind whose last hook it was not seen any more.
  var exit: String? { way.last.point.hook == .egress ? way.last.outDevice : nil }

  /// Whether a rule may have led it to a transparent proxy: what such a rule is called is not known yet.
  fileprivate var mayBeProxied: Bool {
    guard packet.proto == .tcp || packet.proto == .udp else { return false }
    let isEarly = end.decider?.hop.point.hook == .prerouting
    let early = way.legs.filter { $0.hop.point.hook == .prerouting }.flatMap(\.rules)
    return (early + (isEarly ? way.trailingRules : [])).contains {
      $0.verdict == .accept || $0.verdict == .drop
    }
  }
}
