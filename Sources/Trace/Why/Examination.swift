internal import Wire

/// Asks the diagnoses of the registry about an exchange.
enum Examination {
  /// What is to be said about an exchange: the cause, if it went wrong, and notes.
  static func findings(
    _ exchange: Exchange, isAnswered: Bool, answer: Packet?, refused: Int32? = nil,
    isKept: Bool = false, unseen: [(packet: Packet, drop: DropEvent)] = [],
    witness: Journey? = nil, session: Shared<SessionHeader>?,
    known: Shared<Snapshot>
  ) -> [Finding] {
    var findings: [Finding] = []
    if !isAnswered {
      let error = answer?.quoted == nil ? nil : answer
      if let refused, exchange.request == nil {
        findings.append(cause(ofRefusal: refused, session?.value.probe, known.value))
      } else if let lost = LostAfter.beforeAnyHook(exchange, unseen, session?.value, known.value) {
        findings.append(lost)
      } else if let suspect = suspect(
        exchange, isProbe: session?.value.probe != nil, isKept: isKept)
      {
        var lost = LostPacket(
          suspect, of: exchange, error: error, refused: refused, session: session, known: known)
        lost.witness = witness
        lost.hasComeBack = answer != nil && !isKept
        findings += cause(of: &lost)
        findings += Registry.lossNotes.compactMap {
          lost.show(to: $0)
          return $0.examine(lost)
        }
      }
    }
    let told = findings.map(\.id)
    for note in Registry.exchangeNotes where told.isEmpty || !told.contains(note.page.id) {
      let found = note.examine(exchange) { Answers(known, to: note.needs, in: session) }
      if let found { findings.append(found) }
    }
    return findings
  }

  /// The first cause that speaks, and what sending said.
  private static func cause(of lost: inout LostPacket) -> [Finding] {
    let unsent = lost.unsent
    var found: Finding?
    for cause in Registry.causes where found == nil {
      lost.show(to: cause)
      found = cause.examine(lost) ?? unsent.flatMap(cause.examine)
    }
    guard var cause = found else { return [] }
    if let refused = lost.refused, !cause.evidence.contains(.sendingRefused(refused)) {
      cause.evidence.append(.sendingRefused(refused))
    }
    if lost.stage == .sent, !lost.isReply, ![.noReply, .routingLoop].contains(cause.id),
      let words = lost.wordsElsewhere()
    {
      cause.summary += "; \(words)"
      cause.evidence += lost.evidenceElsewhere
    }
    return [cause]
  }

  /// What kept a probe of this host's own from every hook.
  private static func cause(
    ofRefusal errno: Int32, _ plan: ProbePlan?, _ snapshot: Snapshot
  ) -> Finding {
    UnsentPacket(probeOf: plan, errno: errno, snapshot).flatMap { unsent in
      Registry.causes.lazy.compactMap { $0.examine(unsent) }.first
    } ?? LostAfter.notSent(errno)
  }

  /// Why nobody answered recorded traffic, where the packet itself says it. What expects no answer may be told so
  /// as well, and so nothing of that is more than possible.
  static func silence(
    _ exchange: Exchange, _ session: Shared<SessionHeader>?, _ known: Shared<Snapshot>
  ) -> Finding? {
    guard let request = exchange.request, exchange.reply == nil, exchange.error == nil,
      request.end.unseen == nil
    else { return nil }
    var lost = LostPacket(
      request, of: exchange, error: nil, refused: nil, session: session, known: known)
    let isAnswered = request.packet.icmp != nil || request.packet.tcp?.flags == .syn
    for cause in Registry.causes where cause.isToldBySilence {
      lost.show(to: cause)
      guard var finding = cause.examine(lost) else { continue }
      if !isAnswered { finding.confidence = .possible }
      return finding
    }
    return nil
  }

  /// Why recorded traffic ended in the routing decision, by the rules, routes and settings that were recorded. What this
  /// host has told the sender is certain.
  static func routing(
    _ exchange: Exchange, _ session: Shared<SessionHeader>?, _ known: Shared<Snapshot>
  ) -> Finding? {
    guard let journey = exchange.journeys.first(where: \.isLostInRouting) else { return nil }
    var lost = LostPacket(
      journey, of: exchange, error: nil, refused: nil, session: session,
      known: Shared(known.value.routing(at: journey.start)))
    guard lost.packetInRouting != nil else { return nil }
    for cause in Registry.causes where cause.isToldByRouting {
      lost.show(to: cause)
      guard var finding = cause.examine(lost) else { continue }
      if case .unknown = journey.end { finding.confidence = .likely }
      return finding
    }
    return nil
  }

  /// What recorded traffic waited for in vain behind the last hook, as this host has told its sender.
  static func unresolved(
    _ exchange: Exchange, _ session: Shared<SessionHeader>?, _ known: Shared<Snapshot>
  ) -> Finding? {
    guard let journey = exchange.journeys.first(where: \.isRefused), let error = exchange.error
    else { return nil }
    var lost = LostPacket(
      journey, of: exchange, error: error.packet, refused: nil, session: session,
      known: Shared(known.value.routing(at: journey.start)))
    lost.show(to: NeighbourUnresolved.self)
    return NeighbourUnresolved.told(lost)
  }

  /// Why no answer of recorded traffic came to who asked, though it was sent. Those are marked that went astray.
  static func strayed(
    _ exchange: inout Exchange, _ session: Shared<SessionHeader>?, _ known: Shared<Snapshot>
  ) -> Finding? {
    var found: Finding?
    let question = session?.value.probe == nil ? exchange.request?.inDevice : nil
    for index in exchange.journeys.indices where exchange.journeys[index].direction == .reply {
      // Most go back by where the question came from.
      if let question, exchange.journeys[index].outDevice == question { continue }
      var lost = LostPacket(
        exchange.journeys[index], of: exchange, error: nil, refused: nil, session: session,
        known: known)
      lost.show(to: ReplyMisrouted.self)
      guard let finding = ReplyMisrouted.examine(lost) else { continue }
      exchange.journeys[index].isAstray = true
      found = found ?? finding
    }
    return exchange.lostAnswer == nil ? nil : found
  }

  /// Who refused recorded traffic, and why: nobody could be asked, but the refusal says it.
  static func refusal(
    _ exchange: Exchange, _ session: Shared<SessionHeader>?, _ known: Shared<Snapshot>
  ) -> Finding? {
    var refused: Journey?
    var error: Packet?
    if exchange.error?.packet.quoted != nil {
      // The first may be about a packet of before.
      for told in exchange.journeys where told.direction == .error && refused == nil {
        guard let quoted = told.packet.quoted else { continue }
        refused = exchange.journeys.last { journey in
          journey.direction != .error && journey.hops.contains { $0.packet.isSame(as: quoted) }
        }
        error = told.packet
      }
    } else {
      refused = exchange.reply?.packet.isRefusal == true ? exchange.request : nil
    }
    guard let refused else { return nil }
    var lost = LostPacket(
      refused, of: exchange, error: error, refused: nil, session: session, known: known)
    // A reset is a refusal only if it answers the SYN, or what belongs to no connection: many connections end
    // with one.
    if exchange.error == nil, refused.packet.tcp?.flags != .syn, !lost.isInvalid { return nil }
    for cause in Registry.causes where cause.isToldByRefusal {
      lost.show(to: cause)
      if let finding = cause.examine(lost) { return finding }
    }
    return nil
  }

  /// The packet to look at. Of recorded traffic, the one that a rule stopped: others of its connection
  /// may have got through. Of a probe, the reply, if one was seen, for then the request got through.
  private static func suspect(_ exchange: Exchange, isProbe: Bool, isKept: Bool) -> Journey? {
    // It was delivered, and no program would have had it.
    if isKept { return exchange.journeys.last { $0.direction == .reply || $0.direction == .error } }
    if !isProbe, let stopped = exchange.journeys.first(where: \.end.isStopped) {
      return stopped
    }
    // What answers a request that a rule stopped is that rule's refusal.
    if let request = exchange.request, request.end.isStopped { return request }
    if let fragment = exchange.journeys.first(where: {
      $0.direction == .request && $0.packet.isLaterFragment && $0.end.isStopped
    }) {
      return fragment
    }
    // A refusal that got through is no puzzle itself; what was refused is.
    let replies = exchange.journeys.filter { $0.direction == .reply && !$0.isRefusalSent }
    if let reply = replies.last(where: { !$0.end.isThrough }) ?? replies.last { return reply }
    // An error that came to nothing is why the sender of what got through heard nothing.
    if isProbe, exchange.request?.end.isThrough == true,
      let error = exchange.journeys.last(where: { $0.isErrorLost(of: exchange) })
    {
      return error
    }
    return exchange.request ?? exchange.journeys.first
  }
}

extension Journey {
  /// Whether no rule stopped it, and this host answered it with an error.
  fileprivate var isRefused: Bool { if case .refused = end { true } else { false } }

  /// Whether its end may be what routing decided, as far as that tells.
  fileprivate var isLostInRouting: Bool {
    switch end {
    case .unknown(_, nil, _), .refused: direction != .error
    default: false
    }
  }

  /// Whether this is a reset that was sent on, or delivered.
  var isRefusalSent: Bool { packet.isRefusal && end.isThrough }

  /// Whether this is an ICMP error about the request that no rule stopped, and that was not sent on, nor delivered.
  fileprivate func isErrorLost(of exchange: Exchange) -> Bool {
    guard direction == .error, case .unknown(_, nil, _) = end, let quoted = packet.quoted else {
      return false
    }
    return exchange.request?.hops.contains { $0.packet.isSame(as: quoted) } ?? false
  }
}
