public import Trace
internal import Wire

/// Asks the kernel the questions that a story raises, and answers with records.
public struct Investigator: ~Copyable {
  private var routes: RouteSocket
  private var rules: RulesetReader
  private var texts: RuleTexts
  /// Of the tables of iptables-legacy, before the packets that are asked about.
  private var stamps: [String: UInt64]
  /// Whether they are others by now.
  private var hasLegacyChanged = false

  /// Opens the sockets it asks through, in the namespace of the calling thread.
  public init() throws(KernelError) {
    let routes = try RouteSocket()
    let rules = try RulesetReader()
    self.routes = routes
    self.rules = rules
    stamps = LegacyTables.stamps()
    texts = RuleTexts(stamps: stamps)
  }

  /// The answers; what cannot be found out is left out.
  public mutating func answer(_ questions: [Question]) -> [Record] {
    // Places in a chain are good for now only: somebody may change it before the next probe.
    texts = RuleTexts(stamps: stamps)
    return questions.flatMap { answer($0) }
  }

  /// Waits until the kernel has told its listeners of every change of the ruleset that an answer so
  /// far can have in it: microseconds, unless the ruleset is being loaded.
  public mutating func awaitNotifications() { rules.awaitNotifications() }

  /// What is asked from now on is about packets that are still to come.
  public mutating func forgetPackets() {
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
      return dumps([RouteMessageType.getNeighbour, RouteMessageType.getLink])
    case .routes: return dumps([RouteMessageType.getRoute])
    case .policy: return dumps([RouteMessageType.getRule])
    case .sysctls(let paths):
      var values: [String: String] = [:]
      var readOnly: [String: String] = [:]
      for path in paths {
        guard let sysctl = Sysctl(path: path), let value = try? sysctl.read() else { continue }
        values[sysctl.description] = value
        if !sysctl.isWritable { readOnly["read-only \(sysctl)"] = "yes" }
      }
      return [
        Record(time: now, .note(.sysctls(values))), Record(time: now, .note(.facts(readOnly))),
      ]
    case .counters: return [Record(time: now, .note(.counters(Counters.read())))]
    case .rule(let step): return answer(rule: step)
    case .chain(let step):
      return rules.chain(step).map { Record(time: Clock.realtime, .netlink($0)) }
    }
  }

  private mutating func dumps(_ types: [UInt16]) -> [Record] {
    var records: [Record] = []
    for type in types {
      for family in [2, 10] as [UInt8] {
        let asked = type == RouteMessageType.getLink ? 0 : family
        guard let messages = try? routes.dump(type, family: asked) else { continue }
        records += messages.map { Record(time: Clock.realtime, .netlink($0)) }
        if type == RouteMessageType.getLink { break }
      }
    }
    return records
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
    if step.isLegacyRule {
      hasLegacyChanged = hasLegacyChanged || texts.hasChanged
      let state = texts.hasChanged ? RuleStep.legacyChanged : ""
      records.append(
        Record(time: Clock.realtime, .note(.facts([RuleStep.legacyFact: state]))))
    }
    return records
  }
}
