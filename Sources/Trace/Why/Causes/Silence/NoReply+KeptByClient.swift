internal import Wire

extension NoReply {
  /// The answer was sent, and another network namespace of this machine, where the client is, threw it away.
  enum KeptByClient: Cause {
    static var page: FindingPage { NoReply.page }

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.isReply, lost.stage == .sent, let header = lost.header, let plan = header.probe,
        let sequence = lost.journey.probe,
        let drop = lost.snapshot.clientDrop(sequence, of: plan)
      else { return nil }
      let device = lost.outDevice ?? "?"
      return error(
        "it was \(lost.journey.direction == .error || lost.packet.isRefusal ? "refused, and the refusal" : "answered, and the answer") left \(device) in order for \(lost.packet.destination), and \(drop.dropper) "
          + "dropped it\(drop.reasonWords); to ask from there: \(header.askingWords(from: drop))",
        evidence: [.sent(through: device, source: lost.packet.source), drop.evidence])
    }
  }

  /// The same by a rule, where rules may take what answers a question of their own host.
  enum PerhapsKeptByClient: ExchangeNote {
    static var page: FindingPage { NoReply.page }

    static func examine(_ exchange: Exchange, _ answers: () -> Answers) -> Finding? {
      guard let sequence = exchange.request?.probe, exchange.reply != nil,
        case let known = answers(), let plan = known.plan, let header = known.header,
        known.snapshot.clientDrop(sequence, of: plan) == nil,
        let drop = known.snapshot.ruleOfClient(sequence, of: plan)
      else { return nil }
      return note(
        "\(drop.dropper), which had not asked itself, dropped the answer\(drop.reasonWords); whether it takes an answer "
          + "to what it asks, \(header.askingWords(from: drop)) tells", evidence: [drop.evidence])
    }
  }
}
