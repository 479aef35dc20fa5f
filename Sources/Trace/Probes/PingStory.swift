internal import Wire

/// The story of a ping: which probes were sent, what answered them, and the path of each. The same
/// records give the same results, live and replayed.
package struct PingStory: Sendable {
  /// What the records tell of packets.
  package private(set) var story: Story
  private let plan: ProbePlan
  private var open: [Int: Entry] = [:]
  /// Nanoseconds from a refusal to the end of what it is about.
  private static let afterRefusal: UInt64 = 3_000_000
  /// The probe that was sent last.
  private var latest = 0
  /// Whether the kernel's answers so far are about probes that are settled.
  private var areAnswersOld = false
  /// When the witness was sent, nanoseconds since the epoch: the packet that shows what becomes of a new
  /// connection, where an unanswered probe belongs to one that was there.
  private var witnessSent: UInt64?
  /// What became of that packet.
  private(set) var witness: Journey?
  /// Whether the session is over before its time.
  private var isCut = false

  private struct Entry {
    var sent: UInt64
    var deadline: UInt64
    var answer: Packet?
    /// When nothing more was to come.
    var answered: UInt64?
    /// Whether the answer came while the probe was still on its way through this host.
    var isEarly = false
    /// The errno that refused to send it.
    var refused: Int32?

    /// Whether it may be settled: a rule that refuses a packet sends the refusal first, and then drops
    /// the packet; and a SYN proxy answers before its rule has taken the packet.
    func isOver(_ now: UInt64) -> Bool {
      guard let answered else { return now > deadline }
      return (answer?.isRefusal != true && !isEarly)
        || now > answered.later(by: PingStory.afterRefusal)
    }
  }

  /// The story of the ping that `header` describes; nil if it describes none.
  package init?(header: SessionHeader) {
    guard let plan = header.probe else { return nil }
    self.plan = plan
    story = Story(header: header)
  }

  /// Takes in a record.
  package mutating func take(_ record: Record) {
    if areAnswersOld, Self.isAnswer(record) {
      story.snapshot.forgetAnswers()
      areAnswersOld = false
    }
    let drops = story.verdictsOfDrop
    story.take(record)
    if story.verdictsOfDrop != drops { hasten(record.time) }
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
      latest = sequence
      open[sequence] = Entry(
        sent: record.time, deadline: record.time.later(by: UInt64(nearest: plan.timeout * 1e9)))
    case .received(let bytes):
      guard let packet = try? Packet(bytes),
        let sequence = plan.sequence(of: packet, latest: latest),
        let entry = open[sequence], entry.answered == nil, record.time <= entry.deadline,
        story.isAnswer(packet)
      else { return }
      note(packet, to: sequence, record.time)
    case .note(.notSent(let sequence, let errno)):
      open[sequence]?.refused = errno
      if open[sequence]?.answered == nil { open[sequence]?.answered = record.time }
    case .log, .netlink:
      if plan.entrance != .tun || plan.dryRun { lookForEnds(record.time) }
    default: break
    }
  }

  /// What comes of a packet that a rule dropped, an ICMP error, comes soon.
  private mutating func hasten(_ now: UInt64) {
    for sequence in open.keys where story.isDropped(probe: sequence) {
      open[sequence]!.deadline = min(open[sequence]!.deadline, now.later(by: Self.aftermath))
    }
  }

  /// Nanoseconds that are waited once a rule has dropped a packet of a probe.
  private static let aftermath: UInt64 = 20_000_000

  /// Where no device can be read, an answer is what the hooks saw arrive; and a probe that is not to
  /// leave ends where it would have.
  private mutating func lookForEnds(_ time: UInt64) {
    for (sequence, entry) in open where entry.answered == nil && time <= entry.deadline {
      if plan.dryRun {
        guard story.isThrough(probe: sequence) || story.isDropped(probe: sequence) else { continue }
      } else {
        guard let answer = story.arrivedAnswer(probe: sequence) else { continue }
        note(answer, to: sequence, time)
        continue
      }
      open[sequence]?.answered = time
    }
  }

  /// Takes down what answered a probe, and when.
  private mutating func note(_ answer: Packet, to sequence: Int, _ time: UInt64) {
    open[sequence]?.answer = answer
    open[sequence]?.answered = time
    open[sequence]?.isEarly = answer.tcp != nil && !story.isThrough(probe: sequence)
  }

  /// Whether a packet read from the device is a probe's, or answers one.
  package func concerns(_ bytes: [UInt8]) -> Bool {
    (try? Packet(bytes)).flatMap { plan.sequence(of: $0, latest: latest) } != nil
  }

  /// Probes sent and not settled.
  package var outstanding: Int { open.count }

  /// When waiting for the first of the outstanding probes ends, nanoseconds since the epoch.
  package var nextDeadline: UInt64? {
    open.map { max(Self.moment($0.value), $0.key == 1 ? witnessEnd ?? 0 : 0) }.min()
  }

  private static func moment(_ entry: Entry) -> UInt64 {
    entry.answered.map { $0.later(by: afterRefusal) } ?? entry.deadline
  }

  /// Whether the witness is to be sent now: the first probe is over, was not answered, and belongs to a
  /// connection that conntrack knew before.
  package func wantsWitness(_ now: UInt64) -> Bool {
    guard plan.witness != nil, witnessSent == nil, let first = open[1], first.isOver(now),
      first.refused == nil, first.answer?.isRefusal != false
    else { return false }
    return story.hasKnownConnection(probe: 1)
  }

  /// Whether the witness was sent.
  package var hasWitness: Bool { witnessSent != nil }

  /// Until when the first probe waits for what becomes of its witness.
  private var witnessEnd: UInt64? { witnessSent?.later(by: Self.aftermath) }

  /// The probes of which nothing more is to come, in the order in which that came about: so it does
  /// not matter how often somebody asks.
  package func ready(_ now: UInt64) -> [Int] {
    open.filter { $0.value.isOver(now) && ($0.key != 1 || !waitsForWitness(now)) }
      .map { (end: $0.value.answered ?? $0.value.deadline, sequence: $0.key) }.sorted(by: <)
      .map(\.sequence)
  }

  private func waitsForWitness(_ now: UInt64) -> Bool {
    witnessEnd.map { now <= $0 } ?? wantsWitness(now)
  }

  /// What to ask the kernel before a probe is settled.
  package func questions(_ sequence: Int) -> [Question] {
    let outcome = outcome(sequence)
    return story.questions(
      probe: sequence, isAnswered: outcome == .replied || outcome == .sent)
  }

  private func outcome(_ sequence: Int) -> ProbeResult.Outcome {
    if plan.dryRun, story.isThrough(probe: sequence) { return .sent }
    guard let answer = open[sequence]?.answer else {
      if isCut, open[sequence]?.refused == nil, !story.isDropped(probe: sequence) {
        return .unknown
      }
      return open[sequence]?.refused == nil ? .lost : .localError
    }
    return answer.isRefusal ? .rejected : .replied
  }

  /// What came of a probe, and why. It is forgotten.
  package mutating func settle(_ sequence: Int) -> ProbeResult {
    var outcome = outcome(sequence)
    var exchange = story.closeProbe(sequence)
    // What ends a connection, nftrace's own or the client's, is no part of the question.
    if !plan.tcpFlags.contains(.rst) {
      exchange.journeys.removeAll {
        $0.direction == .request && $0.packet.tcp?.flags.contains(.rst) == true
      }
    }
    if witnessSent != nil, witness == nil, let sequence = plan.witness {
      witness = story.closeProbe(sequence).request
    }
    // What nobody answers has done what was hoped for when it is through here.
    let end = exchange.request?.end.kind
    if outcome == .lost, !plan.proto.kind.isAnswered, end == .transmitted || end == .delivered {
      outcome = .sent
    }
    let entry = open.removeValue(forKey: sequence)
    areAnswersOld = true
    story.forgetIdle(except: Set(open.keys))
    let findings = Examination.findings(
      exchange, isAnswered: [.replied, .sent, .unknown].contains(outcome), answer: entry?.answer,
      refused: outcome == .localError ? entry?.refused : nil,
      unseen: story.unseenDrops(probe: sequence, exchange), witness: witness, header: story.header,
      snapshot: story.snapshot)
    var roundTrip: Double?
    if let entry, let answered = entry.answered, entry.answer != nil {
      roundTrip = Double(answered.since(entry.sent)) / 1000
    }
    var result = ProbeResult(
      sequence: sequence, outcome: outcome, roundTrip: roundTrip, answer: entry?.answer,
      exchange: exchange, findings: findings,
      errno: outcome == .localError ? entry?.refused : nil)
    result.entrance = plan.entrance
    result.interface = plan.device
    return result
  }

  /// Takes in the next record of a session that is over. Returns the probes that were settled
  /// before it came: live, they were settled once the rules that decided over them were read.
  package mutating func replay(_ record: Record) -> [ProbeResult] {
    var results: [ProbeResult] = []
    if !Self.isAnswer(record) { results = ready(record.time).map { settle($0) } }
    take(record)
    return results
  }

  /// The probes that were not settled when the session ended. Where it is cut off, what might have
  /// come of them is not known.
  package mutating func finishReplay(isCut: Bool = false) -> [ProbeResult] {
    self.isCut = isCut
    if isCut { story.noteEnd() }
    return unsettled.map { settle($0) }
  }

  /// The probes that were sent and are not settled.
  package var unsettled: [Int] { open.keys.sorted() }

  /// Whether a record is an answer to a question of nftrace's.
  private static func isAnswer(_ record: Record) -> Bool {
    switch record.content {
    case .note: true
    case .netlink(let message):
      message.type < 0x100 || message.type == NFTRuleMessage.newType
        || message.type == DropEvent.messageType
    default: false
    }
  }
}
