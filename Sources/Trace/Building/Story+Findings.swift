internal import Wire

// What is found of packets. Where they were watched in several network namespaces, each finding says in which.

extension Story {
  /// Recorded traffic was not asked about when it was lost: only what a rule or policy did to it is
  /// certain, and what refused it. A probe's findings are made when it is settled.
  func withFindings(_ exchange: Exchange, _ known: Shared<Snapshot>) -> Exchange {
    guard !isCapture, !hasProbe else { return exchange }
    var exchange = exchange
    let isStopped = exchange.journeys.contains(where: \.end.isStopped)
    exchange.findings = Examination.findings(
      exchange, isAnswered: !isStopped, answer: nil, session: session, known: known)
    let cause =
      isStopped
      ? nil
      : Examination.routing(exchange, session, known)
        ?? Examination.refusal(exchange, session, known)
        ?? Examination.unresolved(exchange, session, known)
        ?? Examination.strayed(&exchange, session, known)
        // Who does not wait for answers does not know that there was none.
        ?? (pace == .live ? nil : Examination.silence(exchange, session, known))
    if let cause {
      exchange.findings.removeAll { $0.id == cause.id }
      exchange.findings.insert(cause, at: 0)
    }
    if !exchange.findings.isEmpty { exchange.findings = exchange.findings.map { told($0) } }
    return exchange
  }

  /// What is found of a probe's packets here. `isAnswered` is whether there is no loss to explain, `answer` and
  /// `refused` are what the sender was told; `isKept` is whether that answer came, and no program would have had it.
  /// `witness` is the packet that shows what becomes of a new connection, and `elsewhere` is what other places heard of
  /// drops in namespaces that are none of them. `whole` is the exchange with what a SYN proxy answered itself.
  func findings(
    ofProbe sequence: Int, _ exchange: Exchange, of whole: Exchange, isAnswered: Bool,
    answer: Packet?,
    refused: Int32?, isKept: Bool, witness: Journey?, elsewhere: [DropEvent]
  ) -> [Finding] {
    var snapshot = snapshot
    for drop in elsewhere { snapshot.take(drop, isElsewhere: true) }
    return Examination.findings(
      exchange, isAnswered: isAnswered, answer: answer, refused: refused, isKept: isKept,
      unseen: unseenDrops(probe: sequence, whole), witness: witness, session: session,
      known: Shared(snapshot)
    ).map(told)
  }

  func told(_ finding: Finding) -> Finding { site.map(finding.told(of:)) ?? finding }
}
