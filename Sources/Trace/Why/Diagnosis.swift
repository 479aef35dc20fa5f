internal import Wire

extension ProbeResult {
  /// The findings of a whole run: the worst first, none repeated.
  public static func findings(of results: [ProbeResult], _ counts: EventCounts) -> [Finding] {
    findings(of: results.flatMap(\.findings), counts)
  }

  /// The same of what was found so far.
  public static func findings(of findings: [Finding], _ counts: EventCounts) -> [Finding] {
    var found: [Finding] = []
    for finding in findings
    where !found.contains(where: { $0.id == finding.id && $0.at == finding.at }) {
      found.append(finding)
    }
    if let lost = Notes.eventsLost(counts) { found.append(lost) }
    let order: [Finding.Severity] = [.error, .warning, .note]
    return order.flatMap { severity in found.filter { $0.severity == severity } }
  }
}

/// The catalogue of causes. Each is a pure function that looks at a case and speaks only if it is
/// sure to be the one; the first that speaks is the cause, those after it would be its symptoms.
enum Diagnosis {
  typealias Cause = @Sendable (Case) -> Finding?

  /// Causes in the order in which a packet meets them.
  static let causes: [Cause] = [
    RuleDiagnoses.all, [SendDiagnoses.rerouted], RoutingDiagnoses.all, OutputDiagnoses.all,
    DeliveryDiagnoses.all, SilenceDiagnoses.all,
  ].flatMap { $0 }

  /// What is to be said about an exchange: the cause, if it went wrong, and notes.
  static func findings(
    _ exchange: Exchange, isAnswered: Bool, answer: Packet?, refused: Int32? = nil,
    unseen: [(packet: Packet, drop: DropEvent)] = [], header: SessionHeader?,
    environment: Environment
  ) -> [Finding] {
    var findings: [Finding] = []
    if !isAnswered {
      let error = answer?.quoted == nil ? nil : answer
      if let refused, exchange.request == nil {
        findings.append(SendDiagnoses.finding(refused, header?.probe, environment))
      } else if let lost = Unexplained.beforeAnyHook(exchange, unseen, header, environment) {
        findings.append(lost)
      } else if let suspect = suspect(exchange, isProbe: header?.probe != nil),
        let examined = Case(
          suspect, of: exchange, error: error, refused: refused, header: header,
          environment: environment)
      {
        var cause = causes.lazy.compactMap { $0(examined) }.first ?? Unexplained.finding(examined)
        let said = refused.map(SendDiagnoses.evidence) ?? []
        if !cause.evidence.contains(said) { cause.evidence += said }
        findings.append(cause)
        findings += Notes.aboutLoss(examined)
      }
    }
    return findings + Notes.all(exchange, environment)
  }

  /// Who refused recorded traffic, and why: nobody could be asked, but the refusal says it.
  static func refusal(
    _ exchange: Exchange, _ header: SessionHeader?, _ environment: Environment
  ) -> Finding? {
    let refused: Journey?
    if let quoted = exchange.error?.packet.quoted {
      refused = exchange.journeys.last { journey in
        journey.direction != .error && journey.hops.contains { $0.packet.isSame(as: quoted) }
      }
    } else {
      // A reset is a refusal only if it answers the SYN: many connections end with one.
      refused = exchange.reply?.packet.isRefusal == true ? exchange.request : nil
      guard refused?.packet.tcp?.flags == .syn else { return nil }
    }
    guard let refused,
      let examined = Case(
        refused, of: exchange, error: nil, refused: nil, header: header, environment: environment)
    else { return nil }
    return DeliveryDiagnoses.refusals.lazy.compactMap { $0(examined) }.first
  }

  /// The packet to look at. Of recorded traffic, the one that a rule stopped: others of its connection
  /// may have got through. Of a probe, the reply, if one was seen, for then the request got through.
  private static func suspect(_ exchange: Exchange, isProbe: Bool) -> Journey? {
    if !isProbe, let stopped = exchange.journeys.first(where: \.isStopped) { return stopped }
    // A refusal that got through is no puzzle itself; what was refused is.
    if let reply = exchange.journeys.last(where: { $0.direction == .reply && !$0.isRefusalSent }) {
      return reply
    }
    return exchange.request ?? exchange.journeys.first
  }
}

extension Journey {
  /// Whether a rule ended it. What nftrace itself was to drop is no fault.
  var isStopped: Bool {
    (end.kind == .dropped || end.kind == .rejected) && hops.last?.passed == false
  }

  /// Whether this is a reset that was sent on, or delivered.
  var isRefusalSent: Bool {
    packet.isRefusal && (end.kind == .transmitted || end.kind == .delivered)
  }
}

extension Finding {
  /// An error: what kept the packet from its answer. Where a name keeps the remedy from being a
  /// command, it says so.
  static func error(
    _ id: String, _ summary: String, confidence: Confidence = .certain, evidence: [String] = [],
    remedy: @autoclosure () throws(Word.Unspeakable) -> Command? = nil, at: Place? = nil
  ) -> Finding {
    var finding = Finding(
      id: id, severity: .error, confidence: confidence, summary: summary, evidence: evidence,
      at: at)
    do {
      finding.remedy = try remedy()
    } catch {
      finding.summary +=
        "; the name \(Escape.name(error.name)) cannot be put into a command for \(error.language)"
    }
    return finding
  }

  /// A note: what explains what the user sees.
  static func note(_ id: String, _ summary: String, evidence: [String] = []) -> Finding {
    Finding(
      id: id, severity: .note, confidence: .certain, summary: summary, evidence: evidence)
  }
}

/// When no cause fits: say so, with the last place and what was ruled out. Never guess.
enum Unexplained {
  /// A packet that was dropped before any hook saw it: by XDP, a tc ingress filter or a driver. The
  /// kernel says so where it may be asked; that a probe was seen nowhere says it as well.
  static func beforeAnyHook(
    _ exchange: Exchange, _ unseen: [(packet: Packet, drop: DropEvent)], _ header: SessionHeader?,
    _ environment: Environment
  ) -> Finding? {
    guard exchange.journeys.isEmpty || (exchange.reply == nil && !unseen.isEmpty) else {
      return nil
    }
    let last = unseen.last
    let device =
      last.flatMap { environment.name($0.drop.device) } ?? header?.probe?.device ?? "the interface"
    let what = exchange.journeys.isEmpty ? "packet" : "answer"
    return .error(
      "lost-after",
      "the \(what) was lost on arrival at \(device), before any hook: look for an XDP program "
        + "('\(Remedy.look("ip link show", at: device))') and for tc ingress filters "
        + "('\(Remedy.look("tc filter show dev", at: device, " ingress"))')",
      confidence: last == nil ? .likely : .certain,
      evidence: last.map { drop(reason: $0.drop.reason, place: $0.drop.location) }
        ?? ["no hook saw it"] + environment.withoutReasons, at: Finding.Place(hook: .ingress))
  }

  /// The kernel's own words on a drop.
  static func drop(reason: String?, place: String?) -> [String] {
    guard let reason else { return [] }
    return ["the kernel's drop reason is \(reason)" + (place.map { ", at \($0)" } ?? "")]
  }

  /// An answer that stays here although another waits for it: conntrack did not know it.
  private static func notTranslatedBack(_ examined: Case) -> Finding? {
    guard examined.isReply, examined.stage == .delivered, examined.destinationChange == nil,
      let request = examined.exchange.request,
      let sent = request.hops.last(where: \.passed)?.packet.source,
      sent != request.packet.source, sent == examined.packet.destination
    else { return nil }
    let state = examined.journey.connection?.state
    return .error(
      "lost-after",
      "the answer was delivered to this host and not translated back to \(request.packet.source): "
        + "conntrack did not know it as an answer; look for rules with 'ct zone' or notrack that "
        + "fit one direction alone",
      confidence: .likely,
      evidence: [
        "the request left with the source \(sent), the answer to it was delivered here"
      ] + (state.map { ["conntrack's state of the answer is \($0.rawValue)"] } ?? []),
      at: Finding.Place(hook: examined.last.point.hook, table: examined.last.point.table))
  }

  static func finding(_ examined: Case) -> Finding {
    if let unknown = notTranslatedBack(examined) { return unknown }
    let label = Escape.name(examined.last.point.label)
    var evidence = ["seen last at \(label)"]
    if examined.version == 6, let device = examined.last.inDevice,
      let setting = examined.setting(device, "disable_ipv6"), setting.value == "1"
    {
      evidence.append("\(setting.name) = 1")
    }
    switch examined.stage {
    case .routing:
      if examined.route?.route != nil { evidence.append("routing has a way for it") }
    case .within(let hook):
      evidence.append("no nf_tables rule of \(hook.rawValue.uppercased()) dropped it")
    case .output, .beforePostrouting:
      evidence.append("no nf_tables rule dropped it, and its next hop is known")
    default: break
    }
    evidence += examined.reasonEvidence
    if examined.dropReason == nil { evidence += examined.environment.withoutReasons }
    // Conntrack puts fragments together at defrag, the first position of all.
    let isFragment =
      examined.stage == .within(.prerouting) && examined.last.point.priority < -399
      && examined.packet.fragment?.more == true
    if isFragment { evidence.append("it is the first fragment of a packet") }
    let next: String =
      switch examined.stage {
      case _ where isFragment:
        "where it waits for its other fragments: look for what drops those, here or on the way"
      case .arrival where examined.dropReason == "OTHERHOST":
        "for its frame has another machine's MAC address: look at the entry for this host in 'ip "
          + "neigh' of who sent it"
      case .arrival: "before PREROUTING: look at tc ingress filters and at the packet itself"
      case .within(let hook): "inside \(hook.rawValue.uppercased())"
      case .routing: "between PREROUTING and the next hook"
      case .beforePostrouting: "before POSTROUTING: look at xfrm policies"
      case .behindEgress:
        "behind the last hook of netfilter: look at '"
          + Remedy.look("tc -s qdisc show dev", at: examined.outDevice ?? "?")
          + "' and at tc egress filters"
      case .output:
        "behind the last hook: look at 'tc -s qdisc' and tc filters of "
          + "\(examined.outDevice ?? "the interface")"
      default: "somewhere behind \(label)"
      }
    return .error(
      "lost-after",
      "the \(examined.isReply ? "answer" : "packet") was lost after \(label), \(next)",
      confidence: isFragment ? .likely : .certain, evidence: evidence,
      at: Finding.Place(hook: examined.last.point.hook, table: examined.last.point.table))
  }
}
