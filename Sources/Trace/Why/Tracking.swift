internal import Wire

extension Journey {
  /// The rules that it met before conntrack looked at it, and that let it pass: there others tell conntrack what to
  /// make of it.
  var rulesBeforeTracking: [RuleStep] {
    var found: [RuleStep] = []
    for leg in way.legs where [.prerouting, .output].contains(leg.hop.point.hook) {
      found += leg.rules
      if leg.tracked != nil { break }
    }
    return found.filter { $0.verdict == .continue && !$0.isPolicy }
  }
}

extension LostPacket {
  /// The rule that keeps conntrack from following the packet. A cause that looks at it needs `.trackingRules`.
  var exemption: RuleStep? {
    journey.rulesBeforeTracking.last { $0.text?.lowercased().contains("notrack") == true }
  }

  /// The same, the narrowest first: of the packet alone, and of its answer with it.
  var trackingAlternatives: [Command?] {
    exemption.map { Remedy.acceptances(self, before: $0) } ?? []
  }

  /// Lets conntrack follow the packet, where its answer meets no such rule.
  var trackingRemedy: Command? {
    get throws(Word.Unspeakable) {
      guard let exemption, !exemption.takesBothWays else { return nil }
      return try Remedy.accept(self, before: exemption)
    }
  }
}

/// A request and its answer that rules put into different zones of conntrack: it does not know the one by the other.
struct PartedZones {
  /// The rule that chose the zone of the request; nil for the zone that all have otherwise.
  let request: RuleStep?
  /// The same of the answer.
  let answer: RuleStep?
  private let zone: UInt16
  private let lost: LostPacket

  /// nil where both are in one zone, as far as is known. A cause that looks at it needs `.trackingRules`.
  init?(ofAnswer lost: LostPacket) {
    guard lost.isReply, let asked = lost.request else { return nil }
    let (request, answer) = (Self.rule(asked.journey), Self.rule(lost.journey))
    guard let zone = Self.zone(request), let other = Self.zone(answer), zone != other else {
      return nil
    }
    self.request = request
    self.answer = answer
    self.zone = zone
    self.lost = lost
  }

  private static func rule(_ journey: Journey) -> RuleStep? {
    journey.rulesBeforeTracking.last(where: \.choosesZone)
  }

  /// The zone that the rule says; nil where it takes it from a map.
  private static func zone(_ rule: RuleStep?) -> UInt16? { rule.map(\.zone) ?? 0 }

  /// Behind a sentence about the answer.
  var words: String {
    let asked = request.map { "\(RuleNames.rule($0)) puts the request into zone \(zone)" }
    let answered = answer.map { "\(RuleNames.rule($0)) puts the answer into another" }
    return "conntrack does not take it for an answer: "
      + [
        asked ?? "no rule chooses a zone for the request",
        answered ?? "no rule does that for the answer",
      ].joined(separator: ", and ")
  }

  /// The rules that chose.
  var evidence: [Evidence] { [request, answer].compactMap { $0 }.flatMap(\.evidence) }

  /// Puts what comes in by the answer's interface into the zone of the request.
  var remedy: Command? {
    get throws(Word.Unspeakable) {
      guard let request, answer == nil, let device = lost.inDevice,
        lost.snapshot.place(of: request)?.hook == .prerouting, Remedy.isChangeable(lost, request)
      else { return nil }
      let word = try Word.device(device)
      switch Remedy.tool(lost, request) {
      case .nft:
        let place = try Remedy.place(request.family, request.table, request.chain)
        return "nft add rule \(place) iifname \(word) ct zone set \(Int(zone))"
      case .iptables, .iptablesLegacy:
        let chain = try Word.iptables(chain: request.chain)
        return
          "\(try Remedy.program(lost, request)) -A \(chain) -i \(word) -j CT --zone \(Int(zone))"
      }
    }
  }
}

extension RuleStep {
  /// Whether the rule chooses a zone of conntrack for packets of both directions.
  fileprivate var choosesZone: Bool { zoneWord != nil }

  fileprivate var zone: UInt16? { zoneWord.flatMap { UInt16($0) } }

  /// What stands behind "ct zone set" and "--zone".
  private var zoneWord: Substring? {
    guard let words = text?.split(separator: " ") else { return nil }
    for (place, word) in words.enumerated() where place + 3 < words.count {
      if word == "ct", words[place + 1] == "zone", words[place + 2] == "set" {
        return words[place + 3]
      }
    }
    return words.firstIndex(of: "--zone").flatMap { words.dropFirst($0 + 1).first }
  }
}
