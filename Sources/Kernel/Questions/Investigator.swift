package import Trace
internal import Wire

/// Asks the kernel the questions that a story raises, and answers with records.
package struct Investigator: ~Copyable {
  private var routes: RouteSocket
  private var rules: RulesetReader
  private var texts: RuleTexts
  /// Of the tables of iptables-legacy, before the packets that are asked about.
  private var stamps: [String: UInt64]
  /// Whose sockets and devices are open.
  private let descriptors = OpenDescriptors()
  /// Whether they are others by now.
  private var hasLegacyChanged = false

  /// Opens the sockets it asks through, in the namespace of the calling thread.
  package init() throws(KernelError) {
    let routes = try RouteSocket()
    let rules = try RulesetReader()
    self.routes = routes
    self.rules = rules
    stamps = LegacyTables.stamps()
    texts = RuleTexts(stamps: stamps)
  }

  /// The answers; what cannot be found out is left out.
  package mutating func answer(_ questions: [Question]) -> [Record] {
    // Places in a chain are good for now only: somebody may change it before the next probe.
    texts = RuleTexts(stamps: stamps)
    return questions.flatMap { answer($0) }
  }

  /// Waits until the kernel has told its listeners of every change of the ruleset that an answer so
  /// far can have in it: microseconds, unless the ruleset is being loaded.
  package mutating func awaitNotifications() { rules.awaitNotifications() }

  /// Leaves it to `deputy` to find out whose sockets and devices are open, and to make rules alone: the rights for that are
  /// given up.
  package mutating func use(_ deputy: Deputy?) {
    descriptors.deputy = deputy
    rules.deputy = deputy
  }

  /// What is asked from now on is about packets that are still to come.
  package mutating func forgetPackets() {
    guard hasLegacyChanged else { return }
    stamps = LegacyTables.stamps()
    hasLegacyChanged = false
  }

  private mutating func answer(_ question: Question) -> [Record] {
    let now = Clock.realtime
    switch question {
    case .lookup(let lookup):
      guard let (_, message) = try? routes.lookupRaw(lookup) else { return [] }
      return [Record(time: now, .netlink(lookup.message)), Record(time: now, .netlink(message))]
    case .neighbours:
      return list(
        RouteMessageType.getNeighbour, families: Self.ip + [ForwardingEntry.family])
        + list(RouteMessageType.getLink, families: [0])
        + list(RouteMessageType.getAddress, families: [0])
    case .routes(let destinations):
      return list(RouteMessageType.getRoute, families: Self.ip) { message in
        RouteMessage.destination(of: message)
          .map { route in destinations.contains { route.contains($0) } } ?? false
      }
    case .policy: return list(RouteMessageType.getRule, families: Self.ip)
    case .sysctls(let paths):
      var values: [String: String] = [:]
      var readOnly: [Fact] = []
      for path in paths {
        guard let sysctl = Sysctl(path: path), let value = try? sysctl.read() else { continue }
        values[sysctl.description] = value
        if !sysctl.isWritable { readOnly.append(.readOnly("\(sysctl)")) }
      }
      return [
        Record(time: now, .note(.sysctls(values))),
        Record(time: now, .note(.facts(Facts(readOnly)))),
      ]
    case .counters: return [Record(time: now, .note(.counters(Counters.read())))]
    case .rule(let step): return answer(rule: step)
    case .chain(let step):
      return rules.chain(step).map { Record(time: Clock.realtime, .netlink($0)) }
    case .chainTexts(let step): return texts(ofChainOf: step)
    case .host(let question):
      guard let state = HostInquiry.answer(question, descriptors, &routes, &rules) else {
        return []
      }
      return [Record(time: Clock.realtime, .note(.host(state)))]
    }
  }

  /// IPv4 and IPv6.
  private static let ip: [UInt8] = [2, 10]

  private mutating func list(
    _ type: UInt16, families: [UInt8], where isWanted: (NetlinkMessage) -> Bool = { _ in true }
  ) -> [Record] {
    routes.records(of: type, families: families, where: isWanted)
  }

  /// The texts of the first rules of a step's chain.
  private mutating func texts(ofChainOf step: RuleStep) -> [Record] {
    let handles = rules.firstHandles(step).prefix(RulesetReader.most)
    texts.prepare(step, Array(handles), &rules)
    return handles.compactMap { handle in
      var rule = step
      rule.ref = .nft(handle: handle)
      return texts.text(of: rule, &rules).map { Record(time: Clock.realtime, .note(.rule($0))) }
    }
  }

  private mutating func answer(rule step: RuleStep) -> [Record] {
    var records: [Record] = []
    if let message = rules.rule(step) {
      records.append(Record(time: Clock.realtime, .netlink(message)))
    } else if step.handle != nil, !step.isPolicy {
      // It is gone, and there is no need to look for it in the listing of its chain.
      return []
    }
    if let text = texts.text(of: step, &rules) {
      records.append(Record(time: Clock.realtime, .note(.rule(text))))
    }
    if step.isLegacy {
      hasLegacyChanged = hasLegacyChanged || texts.hasChanged
      let fact = Fact.legacyRules(haveChanged: texts.hasChanged)
      records.append(Record(time: Clock.realtime, .note(.facts(Facts([fact])))))
    }
    return records
  }
}
