internal import Wire

extension FindingID {
  static let prohibitRoute = FindingID(rawValue: "prohibit-route")
  static let unreachableRoute = FindingID(rawValue: "unreachable-route")
  static let blackholeRoute = FindingID(rawValue: "blackhole-route")
}

/// A route, or a rule of policy routing, that is there to refuse packets.
protocol RefusedByRouting: Cause {
  /// The kind of route.
  static var kind: RouteMessage.Kind { get }
  /// What a rule of policy routing does that refuses in the same way.
  static var action: RoutingRule.Action { get }
  /// What it does to packets.
  static var verb: String { get }
  /// What a lookup says of a route of this kind.
  static var errno: Int32 { get }
  /// The same where a rule of policy routing does it.
  static var errnoOfRule: Int32 { get }
}

enum ProhibitRoute: RefusedByRouting {
  static let page = RouteRefusal.page(
    .prohibitRoute, kind: "prohibit", errno: "EACCES",
    effect: "The sender is told with an ICMP error: administratively prohibited (3/13; ICMPv6 1/1)."
  )
  static let kind = RouteMessage.Kind.prohibit
  static let action = RoutingRule.Action.prohibit
  static let verb = "prohibits"
  static let errno = RouteErrno.prohibited
  static let errnoOfRule = RouteErrno.prohibited
}

enum UnreachableRoute: RefusedByRouting {
  static let page = RouteRefusal.page(
    .unreachableRoute, kind: "unreachable", errno: "EHOSTUNREACH (a rule says ENETUNREACH)",
    effect: "The sender is told with an ICMP error: host unreachable (3/1; ICMPv6 1/0).")
  static let kind = RouteMessage.Kind.unreachable
  static let action = RoutingRule.Action.unreachable
  static let verb = "declares unreachable"
  static let errno = RouteErrno.unreachable
  static let errnoOfRule = RouteErrno.noRoute
}

enum BlackholeRoute: RefusedByRouting {
  static let page = RouteRefusal.page(
    .blackholeRoute, kind: "blackhole", errno: "EINVAL", effect: "Nobody is told.")
  static let kind = RouteMessage.Kind.blackhole
  static let action = RoutingRule.Action.blackhole
  static let verb = "discards"
  static let errno = RouteErrno.invalid
  static let errnoOfRule = RouteErrno.invalid
}

/// What the pages of the three have in common.
private enum RouteRefusal {
  static func page(
    _ id: FindingID, kind: String, errno: String, effect: String
  ) -> FindingPage {
    FindingPage(
      id, "Routing refuses the packet: \(kind)",
      meaning: """
        A route of the type `\(kind)`, or a rule of policy routing with that action, is what routing
        found for the packet, or for this host's own answer to it. Somebody put it there to refuse packets. \(effect)
        """,
      certainty: """
        Certain where the route or rule is named. Likely where the routes were not to be had, and the
        errno of the lookup alone tells the kind.
        """,
      conclusion: """
        A lookup of the packet, with its own interface, mark and TOS, is refused with \(errno). nftrace
        follows the packet through the rules of policy routing and the tables they ask, and finds the
        rule or route that does it.
        """,
      advice: """
        Find out who made it before you take it away: a routing daemon, a VPN that blocks what is not to
        leave outside its tunnel, a script against attackers. The remedy deletes that route or rule and
        no other; the next rule or the next shorter prefix decides then.
        """)
  }
}

extension RefusedByRouting {
  static var needs: [Need] { [.plainRoute, .routes] }
  static var isToldByRouting: Bool { true }

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let packet = lost.packetInRouting, let errno = lost.route?.errno else { return nil }
    let policy = PolicyRouting(lost)
    let marked = policy.decider.flatMap { Marked(lost, by: $0) }
    if let rule = policy.refusal, rule.action == action {
      return finding(by: rule, packet, lost.reasonEvidence).chosen(by: marked)
    }
    if let route = policy.route(of: kind) {
      return finding(by: route, policy, lost.reasonEvidence).chosen(
        by: policy.rule(for: route.table).flatMap { Marked(lost, by: $0) })
    }
    // Routes were not listed: the errno alone tells the kind, as long as nothing else has it.
    guard lost.snapshot.routes.isEmpty, lost.plainRoute?.errno == errno, errno == self.errno else {
      return nil
    }
    return finding(
      "a route \(verb) packets for \(packet.destination)", confidence: .likely,
      evidence: [.lookupRefused(errno)] + lost.reasonEvidence)
  }

  static func examine(_ unsent: UnsentPacket) -> Finding? {
    let policy = unsent.policy
    if let rule = policy.refusal, rule.action == action, unsent.errno == errnoOfRule {
      return finding(by: rule, unsent.packet, unsent.evidence)
    }
    guard unsent.errno == errno else { return nil }
    if let route = policy.route(of: kind) { return finding(by: route, policy, unsent.evidence) }
    return finding(
      "routing \(verb) packets for \(unsent.packet.destination)", confidence: .likely,
      evidence: unsent.evidence)
  }

  fileprivate static func finding(
    by rule: RoutingRule, _ packet: Packet, _ evidence: [Evidence], before words: String = ""
  ) -> Finding {
    let sentence =
      "\(words)rule \(rule.priority) of policy routing \(verb) packets for \(packet.destination)"
    return finding(
      sentence, evidence: [.policyRule(rule)] + evidence,
      remedy: try RoutingWords.deletion(rule, family: packet.source.family)
    ).inShort(sentence)
  }

  fileprivate static func finding(
    by route: RouteMessage, _ policy: PolicyRouting, _ evidence: [Evidence],
    before words: String = ""
  ) -> Finding {
    let rule = policy.rule(for: route.table)
    // The three tables that every host has are asked by rules that every host has.
    let isOrdinary = (253...255).contains(route.table)
    let led =
      isOrdinary ? "" : rule.map { ", to which rule \($0.priority) of policy routing leads" } ?? ""
    return finding(
      "\(words)the route to \(RoutingWords.text(route.destination)) (table "
        + "\(RoutingWords.name(ofTable: route.table))\(led)) \(verb) what goes there",
      evidence: [.route(route)] + (rule.map { [.policyRule($0)] } ?? []) + evidence,
      remedy: RoutingWords.deletion(route)
    ).inShort(
      "\(words)the route to \(RoutingWords.text(route.destination)) \(verb) what goes there")
  }

  private static func finding(
    _ summary: String, confidence: Finding.Confidence = .certain, evidence: [Evidence],
    remedy: @autoclosure () throws(Word.Unspeakable) -> Command? = nil
  ) -> Finding {
    error(summary, confidence: confidence, evidence: evidence, remedy: try remedy())
  }
}

/// This host was asked, and routing refuses its answer.
enum AnswerRefused<Refusal: RefusedByRouting>: Cause {
  static var page: FindingPage { Refusal.page }
  static var needs: [Need] { AnswerRouting.needs }

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let answer = AnswerRouting(lost) else { return nil }
    let words = "this host was asked, and cannot answer: "
    let evidence: [Evidence] = [.notReplied]
    if let rule = answer.policy.refusal {
      guard rule.action == Refusal.action, answer.errno == Refusal.errnoOfRule else { return nil }
      return Refusal.finding(by: rule, answer.packet, evidence, before: words)
    }
    guard answer.errno == Refusal.errno, let route = answer.policy.route(of: Refusal.kind) else {
      return nil
    }
    return Refusal.finding(by: route, answer.policy, evidence, before: words)
  }
}
