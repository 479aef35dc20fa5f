internal import Trace
internal import Wire

/// The first line of a probe's report: the answer in words.
struct Headline {
  let style: TextStyle

  func line(_ probe: ProbeResult, plan: ProbePlan) -> StyledLine {
    let target = plan.target
    switch probe.outcome {
    case .replied:
      let isProxied = probe.exchange.journeys.contains(where: \.isProxied)
      let time = probe.roundTrip.map { " in \(Phrases.milliseconds($0))" } ?? ""
      return StyledLine("\(target) answered\(time)", .good)
        + (isProxied ? proxy(plan) : way(probe.exchange.request)) + namespaces(probe.exchange)
        + (probe.isSilent
          ? "; it acknowledged the data, and sent nothing within \(Phrases.seconds(plan.timeout))"
          : "")
    case .rejected:
      let what = probe.answer.map { Phrases.name($0) } ?? "an error"
      if isRefusal(probe, plan) { return StyledLine("\(target) refused: \(what)", .bad) }
      if let request = probe.exchange.rejectedRequest {
        let place = request.site.map { ", \($0.place)" } ?? ""
        return StyledLine("\(target) did not answer: ", .bad)
          + "\(fate(request))\(place), with \(what)"
      }
      let who = probe.answeredBy.map { " from \($0)" } ?? ""
      return StyledLine("\(target) did not answer: \(what)\(who)", .bad)
    case .sent where probe.exchange.request?.isProxied == true:
      return StyledLine("dry run, nothing was sent: ", .good)
        + "this host's SYN proxy answers in the server's place"
    case .sent where probe.exchange.request?.end.isDryRun == true:
      return StyledLine("dry run, nothing was sent: ", .good) + prospect(probe.exchange)
    case .sent:
      return StyledLine("\(target): sent", .good) + way(probe.exchange.request)
        + "; nothing answers such a packet as a rule"
    case .localError where probe.exchange.request?.end.isStopped == true:
      return StyledLine("\(target) did not answer: ", .bad)
        + "\(fate(probe.exchange)), before it left this host"
    case .localError:
      let why = probe.errno.map { ": " + ErrorName.words($0) } ?? ""
      return StyledLine("\(target): the probe could not be sent\(why)", .bad)
    case .lost:
      return StyledLine("\(target) did not answer: ", .bad) + (short(probe) ?? fate(probe.exchange))
    case .unknown: return "\(target): \(Phrases.cutOff)"
    }
  }

  /// Whether the destination itself said no.
  private func isRefusal(_ probe: ProbeResult, _ plan: ProbePlan) -> Bool {
    probe.outcome == .rejected && probe.exchange.request?.end.isThrough == true
      && probe.exchange.rejectedRequest == nil
      && probe.answeredBy == plan.destination
  }

  /// The first line when it is all there is: with the cause.
  func quietLine(_ probe: ProbeResult, plan: ProbePlan) -> StyledLine {
    guard let cause = probe.findings.first(where: { $0.severity == .error }) else {
      return line(probe, plan: plan)
    }
    if probe.outcome == .lost, short(probe) != nil { return line(probe, plan: plan) }
    // The cause of a refusal says who refused.
    if isRefusal(probe, plan) { return StyledLine(cause.summary, .bad) }
    return StyledLine("\(plan.target) did not answer: ", .bad) + cause.summary
  }

  /// The cause, where it is one that is said in a few words.
  private func short(_ probe: ProbeResult) -> String? {
    probe.findings.first { $0.severity == .error }.flatMap { cause in
      cause.short.map { $0 + (cause.site.map { ", \($0.place)" } ?? "") }
    }
  }

  /// The first line of recorded traffic: nobody knows what the sender hoped for.
  static func traffic(_ exchange: Exchange, _ style: TextStyle) -> StyledLine {
    let journey = exchange.request ?? exchange.journeys[0]
    let headline = Headline(style: style)
    let packet = journey.packet
    let what =
      "\(Phrases.name(packet)) \(Phrases.endpoint(packet, .source)) \(style.arrow) "
      + Phrases.endpoint(packet, .destination)
    if let words = headline.crossing(exchange) {
      let isBad = exchange.journeys.contains { !$0.end.isThrough && !$0.isCut }
      return isBad ? StyledLine("\(what): ", .bad) + words : "\(what): " + words
    }
    let place = journey.site.map { ", \($0.place)" } ?? ""
    if journey.end.unseen == .behindNAT || journey.isCut, exchange.reply == nil {
      return StyledLine("\(what): " + headline.fate(journey) + place)
    }
    if case .refused = journey.end, let error = exchange.error?.packet {
      return StyledLine("\(what): \(Phrases.name(error)) from \(error.source)", .bad) + place
    }
    guard journey.end.isThrough || journey.end.unseen == .behindNAT else {
      return StyledLine("\(what): ", .bad) + headline.fate(journey) + place
    }
    if let fragment = exchange.stoppedFragment {
      return StyledLine("\(what): a fragment ", .bad) + headline.fate(fragment) + place
    }
    if let refusal = exchange.reply?.packet, refusal.tcp?.flags.contains(.rst) == true,
      journey.direction == .request
    {
      return StyledLine("\(what): refused with \(Phrases.name(refusal))", .bad) + place
    }
    if let answer = exchange.lostAnswer, journey.direction == .request {
      return StyledLine("\(what): ", .bad) + headline.answerFate(answer) + place
    }
    if let stopped = exchange.stoppedLater, journey.direction == .request {
      return StyledLine("\(what): ", .bad)
        + "answered, and then its \(Phrases.name(stopped.packet)) was "
        + headline.fate(stopped) + place
    }
    if exchange.reply != nil, journey.direction == .request {
      return StyledLine("\(what): answered", .good) + headline.way(journey) + place
    }
    if let error = exchange.error?.packet, journey.direction != .error {
      return StyledLine("\(what): \(Phrases.name(error)) from \(error.source)", .bad) + place
    }
    return StyledLine(what + headline.way(journey) + place)
  }

  /// The way through several network namespaces; nil for what was seen in one alone.
  private func crossing(_ exchange: Exchange) -> StyledLine? {
    var sites: [Site] = []
    for site in exchange.journeys.compactMap(\.site) where !sites.contains(site) {
      sites.append(site)
    }
    guard sites.count > 1 else { return nil }
    if let stopped = exchange.journeys.first(where: { !$0.end.isThrough }) {
      let words = stopped.direction == .reply ? answerFate(stopped) : fate(stopped)
      return StyledLine(words + (stopped.site.map { ", \($0.place)" } ?? ""))
    }
    let way = "through " + sites.words(joinedBy: " \(style.arrow) ")
    let isRequest = exchange.request != nil
    if let refusal = exchange.reply?.packet, refusal.tcp?.flags.contains(.rst) == true, isRequest {
      return StyledLine("refused with \(Phrases.name(refusal))", .bad) + ", " + way
    }
    if exchange.reply != nil { return StyledLine("answered", .good) + ", " + way }
    guard let error = exchange.error?.packet, isRequest else { return StyledLine(way) }
    return StyledLine("\(Phrases.name(error)) from \(error.source)", .bad) + ", " + way
  }

  /// What would have become of a probe that was not to leave.
  private func prospect(_ exchange: Exchange) -> String {
    guard let request = exchange.request else { return "" }
    let last = request.way.last.packet
    if request.end.kind == .delivered {
      return "it would be delivered to this host, as \(Phrases.endpoint(last, .destination))"
    }
    let via = request.route?.gateway.map { " via \($0)" } ?? ""
    return "it would leave through \(request.end.place.out ?? "?")\(via), "
      + "\(Phrases.endpoint(last, .source)) \(style.arrow) "
      + "\(Phrases.endpoint(last, .destination)), ttl \(last.ttl)"
  }

  /// What an answer by a SYN proxy says of the server.
  private func proxy(_ plan: ProbePlan) -> String {
    plan.data == nil
      ? ": this host's SYN proxy did in its place, and has not asked it yet (--data has it ask)"
      : ", by way of this host's SYN proxy"
  }

  private func way(_ request: Journey?) -> String {
    guard let request else { return "" }
    var words = ""
    let input = request.inDevice
    if request.isProxied {
      return ": this host's SYN proxy answered in its place"
    }
    switch request.end.kind {
    case .transmitted:
      let out = request.end.place.out ?? request.way.last.outDevice
      words +=
        input.map { ", forwarded \($0) \(style.arrow) \(out ?? "?")" }
        ?? ", sent through \(out ?? "?")"
      if request.way.first.point.hook == .output {
        words = ", sent from this host through \(out ?? "?")"
      }
    case .delivered: words += ": it is an address of this host"
    default: break
    }
    let changes = request.way.changes
    if let change = changes.first(where: { $0.field == .source }) {
      words += ", source \(verb(change)) to \(change.to)"
    }
    if let change = changes.first(where: { $0.field == .destination }) {
      words += ", destination \(verb(change)) to \(change.to)"
    }
    return words
  }

  private func verb(_ change: Change) -> String {
    change.cause == .mangle ? "changed" : "translated"
  }

  /// What came of a probe, in a few words.
  func outcome(_ probe: ProbeResult) -> String {
    switch probe.outcome {
    case .replied: "answered"
    case .rejected: probe.answer.map { "refused: \(Phrases.name($0))" } ?? "refused"
    case .sent: "would get through"
    case .localError where probe.exchange.request?.end.isStopped == true: fate(probe.exchange)
    case .localError: "not sent" + (probe.errno.map { ": " + ErrorName.words($0) } ?? "")
    case .lost: fate(probe.exchange)
    case .unknown: Phrases.cutOff
    }
  }

  /// Where it stopped, of several network namespaces.
  private func fateOnTheWay(_ exchange: Exchange) -> String? {
    guard Set(exchange.journeys.compactMap(\.site)).count > 1,
      case let journeys = exchange.journeys.filter({ !$0.packet.isRedirect }),
      let stopped = journeys.first(where: { !$0.end.isThrough }) ?? journeys.last
    else { return nil }
    let words = stopped.direction == .reply ? answerFate(stopped) : fate(stopped)
    return words + (stopped.site.map { ", \($0.place)" } ?? "")
  }

  /// The places on the way, where there are several.
  private func namespaces(_ exchange: Exchange) -> String {
    var sites: [Site] = []
    for journey in exchange.journeys where journey.direction == .request {
      if let site = journey.site, !sites.contains(site) { sites.append(site) }
    }
    return sites.count > 1 ? ", through " + sites.words(joinedBy: " \(style.arrow) ") : ""
  }

  private func fate(_ exchange: Exchange) -> String {
    if let words = fateOnTheWay(exchange) { return words }
    guard let request = exchange.request ?? exchange.journeys.first else {
      return "the probe was not seen at any hook"
    }
    if let fragment = exchange.stoppedFragment, fragment.end.isStopped {
      return "a fragment " + fate(fragment)
    }
    let stopped = exchange.journeys.first { $0.direction == .reply && !$0.end.isThrough }
    return (stopped ?? exchange.reply).map(answerFate) ?? fate(request)
  }

  private func answerFate(_ reply: Journey) -> String {
    (reply.end.isThrough ? "its answer " : "its answer was ") + fate(reply)
  }

  private func fate(_ journey: Journey) -> String { EndText(journey, style).sentence }
}

extension Exchange {
  /// The request where a rule refused it, in one of the places that it came through.
  fileprivate var rejectedRequest: Journey? {
    journeys.first { journey in
      if case .rejected = journey.end { journey.direction == .request } else { false }
    }
  }

  /// The first packet of a connection behind its beginning that a rule stopped, where none like it got through.
  fileprivate var stoppedLater: Journey? {
    guard reply != nil else { return nil }
    let segments = journeys.filter {
      $0.direction == .request && $0.packet.tcp != nil && $0.packet.carriesData && !$0.isCopy
    }
    return segments.first { segment in
      segment.end.isStopped
        && !segments.contains {
          $0.end.isThrough && $0.packet.tcp?.sequence == segment.packet.tcp?.sequence
        }
    }
  }

  /// The first of its fragments that did not get through.
  fileprivate var stoppedFragment: Journey? {
    journeys.first { $0.packet.isLaterFragment && !$0.end.isThrough }
  }
}

extension Journey {
  /// Whether the recording ends while it was on its way.
  fileprivate var isCut: Bool { end.unseen == .recordingEnded }
}
