internal import Trace
internal import Wire

/// What became of a packet, in the words of all places where that is told.
struct EndText {
  /// In a sentence behind the packet: "dropped in filter FORWARD".
  let sentence: String
  /// In a few words, for a list: "dropped by the policy of FORWARD (ip filter)".
  let short: String
  /// The row that ends a timeline, where the last hop does not say it.
  let row: Timeline.Row?
  /// Whether conntrack, which keeps connections whose first packet came through all hooks, keeps none
  /// that this packet began.
  let endsConnection: Bool

  init(_ journey: Journey, _ style: TextStyle) {
    let cross = style.cross
    func failed(_ stage: String, _ details: String) -> Timeline.Row {
      Timeline.Row(stage: "\(cross) \(stage)", details: [details], failed: true)
    }
    switch journey.end {
    case .sent(let place):
      sentence = Self.left(journey, place)
      short = "sent" + (place.out.map { " out \($0)" } ?? "")
      row =
        place.hook == .egress
        ? nil
        : Timeline.Row(
          stage: "sent", details: ["out \(place.out ?? "?")"], place: .interface(place.out ?? "?"))
      endsConnection = false
    case .delivered:
      sentence = "was delivered to this host"
      short = "delivered to this host"
      row = Timeline.Row(stage: "delivered", details: ["to this host itself"], place: .host)
      endsConnection = false
    case .kept(.insteadOfSending, let place):
      sentence = Self.left(journey, place)
      short = "sent" + (place.out.map { " out \($0)" } ?? "")
      row = Self.dryRun(place.out.map { "go out of \($0)" } ?? "be delivered here")
      endsConnection = false
    case .kept(.insteadOfDelivering, _):
      sentence = "was delivered to this host"
      short = "delivered to this host"
      row = Self.dryRun("be delivered here")
      endsConnection = false
    case .kept(.interception, _):
      sentence = "dropped by nftrace"
      short = "dropped by nftrace"
      row = failed("dropped", "by nftrace, which had it")
      endsConnection = true
    case .dropped(let decider):
      sentence = "dropped in \(Self.place(decider))"
      short = "dropped by \(Self.name(decider.rule))"
      row = nil
      endsConnection = true
    case .rejected(let decider):
      sentence = "rejected in \(Self.place(decider))"
      short = "rejected by \(Self.name(decider.rule))"
      row = nil
      endsConnection = false
    case .proxied(_, let decider):
      sentence =
        "was taken by this host's SYN proxy" + (decider.map { " in \(Self.place($0))" } ?? "")
      short = "taken by this host's SYN proxy"
      row =
        decider == nil
        ? Timeline.Row(
          stage: "taken",
          details: [
            journey.direction == .reply
              ? "by this host's SYN proxy, which had asked for it"
              : "by this host's SYN proxy, which waits for the server"
          ])
        : nil
      endsConnection = false
    case .refused:
      sentence = "last seen at \(journey.way.last.name), then refused by this host"
      short = "rejected"
      row = failed("rejected", sentence)
      endsConnection = true
    case .unknown(_, nil, _):
      sentence = Self.lost(journey)
      short = "lost"
      row = failed("lost", sentence)
      endsConnection = true
    case .unknown(_, .messagesLost, _):
      sentence = Self.seen(journey, "; what the kernel said after that was lost")
      short = "unseen"
      row = Timeline.Row(stage: "unseen", details: [sentence])
      endsConnection = false
    case .unknown(_, .recordingEnded, _):
      sentence = Self.seen(journey, "; the recording ends there")
      short = "on its way at the end"
      row = Timeline.Row(stage: "unseen", details: [sentence])
      endsConnection = false
    case .unknown(_, .behindNAT, _):
      sentence = Self.seen(
        journey, "; if NAT translated it behind that, its new addresses are not watched")
      short = "not seen behind NAT"
      row = Timeline.Row(
        stage: "not seen on",
        details: ["if NAT translated it, its new addresses are not watched"])
      endsConnection = false
    }
  }

  private static func left(_ journey: Journey, _ place: End.Place) -> String {
    "left through \(place.out ?? "?") as \(journey.way.last.packet.source)"
      + (journey.direction == .reply ? "" : ", and \(Phrases.nothingBack)")
  }

  private static func dryRun(_ what: String) -> Timeline.Row {
    Timeline.Row(stage: "dry run", details: ["discarded by nftrace: it would \(what)"])
  }

  private static func place(_ decider: Decider) -> String {
    if let chain = RuleWords.chain(of: decider), chain.contains(" ") { return chain }
    let point = decider.hop.point
    return (point.table.map { "\(Escape.name($0)) " } ?? "") + point.hook.rawValue.uppercased()
  }

  /// Where it was seen last, and what is to be said about that.
  private static func seen(_ journey: Journey, _ rest: String) -> String {
    "last seen at \(journey.furthest.name)" + rest
  }

  /// Where a journey that just stops was seen last, and what comes after that.
  private static func lost(_ journey: Journey) -> String {
    let last = journey.furthest
    let device = last.outDevice ?? "an interface"
    switch last.point.hook {
    case .ingress: return seen(journey, ", before PREROUTING")
    case .egress: return "handed to \(device), and dropped behind the last hook"
    case .prerouting where journey.end.kernelDrop?.isInBridge == true:
      return seen(journey, ", then lost in the bridge")
    case .prerouting where last.point.priority >= -99:
      return seen(journey, ", then lost in the routing decision")
    case .postrouting: return seen(journey, ", never sent through \(device)")
    default: return seen(journey, ", not at the point after it")
    }
  }

  /// The rule behind a sentence that has its chain already: its text, else its number.
  static func brief(_ decider: Decider) -> String {
    let step = decider.rule
    guard place(decider).hasSuffix(" \(RuleNames.brief(step.chain))") else { return name(step) }
    if let text = step.text { return text }
    return step.position.map { "rule \($0)" } ?? step.handle.map { "rule handle \($0)" }
      ?? name(step)
  }

  /// A rule or policy in a list of what ended packets.
  static func name(_ step: RuleStep) -> String {
    let place =
      "\(RuleNames.brief(step.chain)) (\(NFProto.name(step.family)) \(Escape.name(step.table)))"
    switch step.ref {
    case .policy, .legacyPolicy: return "the policy of \(place)"
    case .nft(let handle):
      if let text = step.text { return "\(text)  in \(place)" }
      return (step.position.map { "rule \($0)" } ?? "rule handle \(Int(clamping: handle))")
        + " of \(place)"
    case .legacy(let position):
      return step.text.map { "\($0)  in \(place)" } ?? "rule \(position) of \(place)"
    case .legacyTable: return step.text.map { "\($0)  in \(place)" } ?? "a rule of \(place)"
    }
  }
}
