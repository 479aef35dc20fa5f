internal import Wire

/// The story of a ping: which probes were sent, what answered them, and the path of each. The same
/// records give the same results, live and replayed.
package struct PingStory: Sendable {
  /// What the records of each network namespace tell of packets: the probes enter in the first.
  var stories: [Story]
  /// The places, where there are several.
  let places: [Site]
  /// Packets that were told of, where several namespaces number them.
  private var told = 0
  let plan: ProbePlan
  var open: [Int: Entry] = [:]
  /// The SYN-ACKs of connections whose data was not answered yet.
  var handshakes: [Int: TCPHeader] = [:]
  /// Connections whose other end has sent something before it was asked.
  var greeted: Set<Int> = []
  /// Connections whose handshake is over on the client's side.
  var acknowledged: Set<Int> = []
  /// Probes with data that were sent.
  package private(set) var carried: Set<Int> = []
  /// Nanoseconds from a refusal to the end of what it is about.
  static let afterRefusal: UInt64 = 3_000_000
  /// The same of both in a copy, in nanoseconds.
  static let inCopy: UInt64 = 300_000
  /// Nanoseconds in which the kernel says that it dropped an answer behind the hook where it was seen.
  static let afterAnswer: UInt64 = 1_000_000
  /// Nanoseconds in which what is through with all hooks leaves, if somebody is there to take it.
  static let afterHooks: UInt64 = 50_000_000
  /// The probe that was sent last.
  private var latest = 0
  /// When the last record was received, nanoseconds since the epoch.
  private var now: UInt64 = 0
  /// The places whose kernel's answers so far are about probes that are settled.
  private var oldAnswers: Set<Int> = []
  /// When the witness was sent, nanoseconds since the epoch: the packet that shows what becomes of a new
  /// connection, where an unanswered probe belongs to one that was there.
  private var witnessSent: UInt64?
  /// What became of that packet, in each of the places.
  private(set) var witnesses: [Journey?] = []
  /// What came of remedies, by their commands.
  var trials: [String: RemedyTrial] = [:]
  /// What was found for probes that nothing is known to help.
  var searches: [Int: ChangesFound] = [:]
  /// What packets have told of the clocks of the places; nil where there is one clock.
  var clocks: ClockConstraints?
  /// Machines that are missing.
  private var missing: [Finding] = []
  /// What routers on the way have written into probes.
  var survey = RouterSurvey()
  /// Whether the session is over before its time.
  var isCut = false

  /// The story of the ping that `header` describes; nil if it describes none.
  package init?(header: SessionHeader) {
    guard let plan = header.probe else { return nil }
    self.plan = plan
    let sites = header.sites
    places = sites
    clocks = sites.contains { $0.kind == .machine } ? ClockConstraints(places: sites.count) : nil
    stories = header.places.enumerated().map { place, header in
      Story(header: header, at: sites.isEmpty ? nil : sites[place])
    }
  }

  /// What the records tell of packets where the probes enter.
  package var story: Story { stories[0] }

  /// Messages so far, of all network namespaces.
  package var counts: EventCounts {
    stories.reduce(into: EventCounts()) { $0.add($1.counts) }
  }

  /// Rules of the user that decided over open journeys in one of the namespaces, and whose texts are not known yet.
  package func unknownDeciders(at place: Int) -> [RuleStep] { stories[place].unknownDeciders }

  /// Takes in a record.
  package mutating func take(_ record: Record) {
    now = max(now, record.time)
    let place = stories.indices.contains(record.place) ? record.place : 0
    if record.isAnswer, oldAnswers.remove(place) != nil {
      stories[place].snapshot.forgetAnswers()
    }
    let drops = stories[place].verdictsOfDrop
    // What was sent last, all have to know.
    let concerned = if case .sent = record.content { stories.indices } else { place..<place + 1 }
    for index in concerned { stories[index].take(record) }
    if stories[place].verdictsOfDrop != drops { hasten(record.time) }
    hasten(afterDrop: record)
    if plan.ioam != nil { survey.take(record, plan) }
    switch record.content {
    case .sent(let bytes):
      // What ends a connection is sent as well, and is no probe.
      guard let packet = try? Packet(bytes), let sequence = plan.sequence(of: packet),
        packet.tcp?.flags.contains(.rst) != true
      else { return }
      if sequence == plan.witness {
        witnessSent = record.time
        return
      }
      if sequence == plan.survey { return survey.begin(record.time) }
      latest = sequence
      if plan.carriesData(sequence) { carried.insert(sequence) }
      open[sequence] = Entry(
        sent: record.time, deadline: record.time.later(by: UInt64(nearest: plan.timeout * 1e9)),
        isInCopy: story.header?.rehearsal != nil)
    case .received(let bytes):
      noteGreeting(bytes)
      guard let packet = try? Packet(bytes),
        let sequence = plan.sequence(of: packet, latest: latest),
        let entry = open[sequence], entry.answered == nil, record.time <= entry.deadline
      else { return }
      noteHandshake(packet, of: sequence)
      if story.isAnswer(packet) { note(packet, to: sequence, record.time) }
    case .note(.notSent(let sequence, let errno)):
      open[sequence]?.refused = errno
      if open[sequence]?.answered == nil { open[sequence]?.answered = record.time }
    case .note(.missing(let machine, let why)):
      missing.append(MachineMissing.finding(machine, why))
    case .note(.rehearsed(let trial)): note(trial)
    case .note(.searched(let sequence, let found)): searches[sequence] = found
    case .log, .netlink:
      noteArrivalElsewhere(record)
      if plan.entrance != .tun || plan.dryRun { lookForEnds(record.time) }
    default: break
    }
  }

  /// What comes of a packet that a rule dropped, an ICMP error, comes soon.
  private mutating func hasten(_ now: UInt64) {
    for sequence in open.keys where isDropped(sequence) {
      open[sequence]!.deadline = min(open[sequence]!.deadline, now.later(by: aftermath))
    }
  }

  /// Whether a rule dropped a packet of this probe, anywhere.
  func isDropped(_ sequence: Int) -> Bool {
    stories.contains { $0.isDropped(probe: sequence) }
  }

  /// Nanoseconds that are waited once a rule has dropped a packet of a probe. In a copy nobody else keeps the kernel from
  /// its answer.
  private var aftermath: UInt64 { story.header?.rehearsal == nil ? 20_000_000 : 1_000_000 }

  /// The client may be a network namespace of this machine, to which the answer came by a way that is not this host's.
  private mutating func noteArrivalElsewhere(_ record: Record) {
    guard places.isEmpty, plan.data == nil, case .netlink(let message) = record.content,
      message.type == DropEvent.messageType, let drop = try? DropEvent(parsing: message),
      story.header?.isElsewhere(drop) == true, let packet = drop.arrived,
      let sequence = plan.sequence(of: packet), plan.isAnswer(arrived: packet, to: sequence),
      let entry = open[sequence], entry.answered == nil, drop.time <= entry.deadline
    else { return }
    // The kernel is asked for its drops when the probe is over.
    note(packet, to: sequence, max(drop.time, entry.sent))
  }

  /// Whether a packet read from the device is a probe's, or answers one.
  package func concerns(_ bytes: [UInt8]) -> Bool {
    (try? Packet(bytes)).flatMap { plan.sequence(of: $0, latest: latest) } != nil
  }

  /// Probes sent and not settled.
  package var outstanding: Int { open.count }

  /// When waiting for the first of the outstanding probes ends, nanoseconds since the epoch.
  package var nextDeadline: UInt64? {
    open.map { sequence, entry in
      if wantsSegments(sequence) { return entry.deadline }
      return max(entry.end, sequence == 1 ? max(witnessEnd ?? 0, survey.end(plan) ?? 0) : 0)
    }.min()
  }

  /// Whether the witness is to be sent now: the first probe is over, was not answered, and belongs to a
  /// connection that conntrack knew before.
  package func wantsWitness(_ now: UInt64) -> Bool {
    guard plan.witness != nil, witnessSent == nil, let first = open[1], first.isOver(now),
      first.refused == nil, first.answer?.isRefusal != false
    else { return false }
    return stories.contains { $0.hasKnownConnection(probe: 1) }
  }

  /// Whether the witness was sent.
  package var hasWitness: Bool { witnessSent != nil }

  /// Until when the first probe waits for what becomes of its witness.
  private var witnessEnd: UInt64? { witnessSent?.later(by: aftermath) }

  /// The probes of which nothing more is to come, in the order in which that came about: so it does
  /// not matter how often somebody asks.
  package func ready(_ now: UInt64) -> [Int] {
    open.filter { sequence, entry in
      if wantsSegments(sequence), now <= entry.deadline { return false }
      return entry.isOver(now)
        && (sequence != 1 || !waitsForWitness(now) && !waitsForSurvey(now))
    }
    .map { (end: $0.value.answered ?? $0.value.deadline, sequence: $0.key) }.sorted(by: <)
    .map(\.sequence)
  }

  func waitsForWitness(_ now: UInt64) -> Bool {
    witnessEnd.map { now <= $0 } ?? wantsWitness(now)
  }

  /// Whether a probe that is about to be settled has come to its answer.
  package func isAnswered(_ sequence: Int) -> Bool {
    let outcome = outcome(sequence)
    return outcome == .replied || outcome == .sent
  }

  /// What to ask the kernel before a probe is settled, in one of the places. `isAnswered` is whether it has come to its
  /// answer, where somebody else knows that.
  package func questions(_ sequence: Int, at place: Int = 0, isAnswered: Bool? = nil) -> [Question]
  {
    // Where it did not come to, nothing is to be known but what keeps it from being sent there.
    if place > 0, stories[place].openJourneys(probe: sequence).isEmpty {
      return stories[place].questions(ofSilenceAbout: plan.destination)
    }
    return stories[place].questions(
      probe: sequence, isAnswered: isAnswered ?? self.isAnswered(sequence))
  }

  /// Whether a probe has come to its end, and to no answer.
  func isLost(_ sequence: Int) -> Bool { ![.replied, .sent, .unknown].contains(outcome(sequence)) }

  private func outcome(_ sequence: Int) -> ProbeResult.Outcome {
    if plan.dryRun, story.isThrough(probe: sequence) || story.isProxied(probe: sequence) {
      return .sent
    }
    guard let answer = open[sequence]?.answer else {
      if isCut, open[sequence]?.refused == nil, !isDropped(sequence) {
        return .unknown
      }
      return open[sequence]?.refused == nil ? .lost : .localError
    }
    if plan.entrance == .local, story.isKeptFromSockets(answer) { return .lost }
    if story.isOfNobody(probe: sequence) || story.isUnheard(probe: sequence) { return .lost }
    if story.isSilentToClient || story.isDeafToClient { return .lost }
    if plan.entrance == .arriving, story.isKeptFromClient(answer, to: sequence) { return .lost }
    if open[sequence]?.answered == nil, stories.contains(where: { $0.hasLostData(probe: sequence) })
    {
      return .lost
    }
    return answer.isRefusal ? .rejected : .replied
  }

  /// What came of a probe, and why. It is forgotten.
  package mutating func settle(_ sequence: Int) -> ProbeResult {
    var outcome = outcome(sequence)
    var parts = stories.indices.map { stories[$0].closeProbe(sequence) }
    // What ends a connection, nftrace's own or the client's, is no part of the question.
    if !plan.tcpFlags.contains(.rst) {
      for place in parts.indices {
        parts[place].journeys.removeAll {
          $0.direction == .request && $0.packet.tcp?.flags.contains(.rst) == true
        }
      }
    }
    if plan.data != nil {
      for place in parts.indices { parts[place] = parts[place].withoutRepeats }
    }
    if witnessSent != nil, witnesses.isEmpty, let sequence = plan.witness {
      witnesses = stories.indices.map { stories[$0].closeProbe(sequence).request }
    }
    if sequence == 1, survey.sent != nil, let sequence = plan.survey {
      for place in stories.indices { _ = stories[place].closeProbe(sequence) }
    }
    let walk = walk(of: parts, sent: open[sequence]?.sent)
    var exchange = walk?.exchange ?? parts[0]
    // What nobody answers has done what was hoped for when it is through here.
    let end = exchange.journeys.last { $0.direction == .request }?.end.kind
    if outcome == .lost, !plan.proto.kind.isAnswered, exchange.reply == nil,
      end == .transmitted || end == .delivered
    {
      outcome = .sent
    }
    let entry = open.removeValue(forKey: sequence)
    if plan.carriesData(sequence) { forgetConnection(plan.connection(of: sequence)) }
    oldAnswers = Set(stories.indices)
    for place in stories.indices {
      stories[place].pass(to: now)
      stories[place].forgetIdle(except: Set(open.keys))
    }
    let isAnswered = [.replied, .sent, .unknown].contains(outcome)
    let suspect =
      walk?.suspect {
        !stories[$0].unseenDrops(probe: sequence, parts[$0]).isEmpty
      } ?? 0
    var findings = stories.indices.flatMap { place in
      let isSuspect = place == suspect && !isAnswered
      if places.count > 1, !isSuspect, parts[place].journeys.isEmpty { return [] as [Finding] }
      return stories[place].findings(
        ofProbe: sequence, plan.data == nil ? parts[place] : parts[place].behindProxy,
        of: parts[place], isAnswered: !isSuspect, answer: entry?.answer,
        refused: outcome == .localError ? entry?.refused : nil,
        isKept: outcome == .lost && entry?.answer != nil,
        witness: witnesses.isEmpty ? nil : witnesses[place], elsewhere: dropsElsewhere(than: place)
      )
      // Of a connection that the probe itself began, nothing else is expected.
      .filter { plan.data == nil || $0.id != .natOncePerFlow }
    }
    for index in findings.indices {
      findings[index] =
        silence(findings[index], asked: suspect) ?? peerDown(findings[index], at: suspect)
        ?? findings[index]
    }
    if !places.isEmpty {
      // What one place warns of is not told before the cause that another one knows.
      findings =
        findings.filter { $0.severity == .error } + findings.filter { $0.severity != .error }
      for index in exchange.journeys.indices {
        told += 1
        exchange.journeys[index].id = told
      }
    }
    var roundTrip: Double?
    if let entry, let answered = entry.answered ?? entry.acknowledged, entry.answer != nil {
      let measured =
        plan.data == nil
        ? exchange.roundTrip : exchange.roundTripBehindProxy ?? exchange.roundTrip
      roundTrip = Double(measured ?? answered.since(entry.sent)) / 1000
    }
    var result = ProbeResult(
      sequence: sequence, outcome: outcome, roundTrip: roundTrip, answer: entry?.answer,
      exchange: exchange, findings: findings.map(tried) + missing,
      errno: outcome == .localError ? entry?.refused : nil)
    result.clocks = offsets
    result.entrance = plan.entrance
    result.interface = plan.device
    result.isClientAbsent = exchange.journeys.contains { story.isSentToNobody($0) }
    result.routers = survey.settle(sequence, plan)
    result.found = searches.removeValue(forKey: sequence)
    result.isSilent = entry?.answered == nil && entry?.acknowledged != nil
    return result
  }

  /// Where a neighbour is silent for what another place does, through which it is asked for or which it is, what that
  /// one says.
  private func silence(_ finding: Finding, asked place: Int) -> Finding? {
    guard finding.id == .neighbourUnresolved else { return nil }
    return finding.evidence.lazy.compactMap { evidence -> Finding? in
      guard case .neighbour(let neighbour, let device, _) = evidence else { return nil }
      let link = stories[place].snapshot.link(device)
      let asker = link.flatMap {
        stories[place].snapshot.addresses.address(of: $0.index, version: neighbour.family)
      }?.address
      let others = stories.indices.lazy.filter { $0 != place }
      return others.compactMap { stories[$0].discoveryFiltered(of: neighbour) }.first
        ?? others.compactMap { other in
          asker.flatMap { stories[other].discoveryUnanswered(of: neighbour, to: $0) }
        }.first ?? others.compactMap { stories[$0].questionKept(of: neighbour) }.first
    }.first
  }

  /// What was heard in the other places of drops in namespaces that are none of them.
  private func dropsElsewhere(than place: Int) -> [DropEvent] {
    stories.indices.filter { $0 != place }.flatMap { stories[$0].snapshot.dropsElsewhere }
  }
}
