internal import Wire

/// The catalogue of causes. Each is a pure function that looks at a lost packet and speaks only if it is
/// sure to be the one; the first that speaks is the cause, those after it would be its symptoms.
enum Diagnosis {
  typealias Cause = @Sendable (LostPacket) -> Finding?

  /// Causes in the order in which a packet meets them.
  static let causes: [Cause] = [
    RuleDiagnoses.all, [SendDiagnoses.rerouted], RoutingDiagnoses.all, OutputDiagnoses.all,
    DeliveryDiagnoses.all, SilenceDiagnoses.all,
  ].flatMap { $0 }

  /// What is to be said about an exchange: the cause, if it went wrong, and notes.
  static func findings(
    _ exchange: Exchange, isAnswered: Bool, answer: Packet?, refused: Int32? = nil,
    unseen: [(packet: Packet, drop: DropEvent)] = [], header: SessionHeader?,
    snapshot: Snapshot
  ) -> [Finding] {
    var findings: [Finding] = []
    if !isAnswered {
      let error = answer?.quoted == nil ? nil : answer
      if let refused, exchange.request == nil {
        findings.append(SendDiagnoses.finding(refused, header?.probe, snapshot))
      } else if let lost = Unexplained.beforeAnyHook(exchange, unseen, header, snapshot) {
        findings.append(lost)
      } else if let suspect = suspect(exchange, isProbe: header?.probe != nil),
        let lost = LostPacket(
          suspect, of: exchange, error: error, refused: refused, header: header,
          snapshot: snapshot)
      {
        var cause = causes.lazy.compactMap { $0(lost) }.first ?? Unexplained.finding(lost)
        let said = refused.map(SendDiagnoses.evidence) ?? []
        if !cause.evidence.contains(said) { cause.evidence += said }
        findings.append(cause)
        findings += Notes.aboutLoss(lost)
      }
    }
    return findings + Notes.all(exchange, snapshot)
  }

  /// Who refused recorded traffic, and why: nobody could be asked, but the refusal says it.
  static func refusal(
    _ exchange: Exchange, _ header: SessionHeader?, _ snapshot: Snapshot
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
      let lost = LostPacket(
        refused, of: exchange, error: nil, refused: nil, header: header, snapshot: snapshot)
    else { return nil }
    return DeliveryDiagnoses.refusals.lazy.compactMap { $0(lost) }.first
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
