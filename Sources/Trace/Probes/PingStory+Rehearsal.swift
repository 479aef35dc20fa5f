package import Wire

// What a copy of the network namespace is for, and how probes fare there.
extension PingStory {
  /// What may help against what a probe was lost for, the narrowest first, if nobody has tried it yet; nil where there is nothing,
  /// or it is for another machine, or the probe cannot be sent again.
  package func remediesToTry(_ sequence: Int) -> RemediesToTry? {
    guard isRehearsable(sequence) else { return nil }
    var preview = self
    let result = preview.settle(sequence)
    let cause = result.findings.first { $0.severity == .error && !$0.remedies.isEmpty }
    guard let cause, cause.trial == nil else { return nil }
    let place = cause.site.map { places.firstIndex(of: $0) } ?? 0
    guard let place, cause.site?.kind != .machine, let plan = plan(at: place, result.exchange)
    else { return nil }
    let commands = cause.remedies.map(\.text)
      .filter { cause.site != nil || RemedyTrial.isConfined($0) }
    guard !commands.isEmpty else { return nil }
    var remedies = RemediesToTry(
      commands: commands, place: place, plan: plan, unreturned: cause.unreturned,
      silent: cause.silent)
    // What a rule refuses here is not yet refused by who would have had it.
    var isByRule = false
    if case .rejected? = result.exchange.request?.end { isByRule = true }
    guard result.outcome == .lost || isByRule else { return remedies }
    if let refusal = result.exchange.lostRefusal {
      remedies.isRefused = true
      let isOwn = refusal.way.first.point.hook == .output
      remedies.refusal = isOwn ? nil : FarRefusal(refusal.packet)
    } else if isByRule || result.exchange.reply == nil,
      result.exchange.request?.isForThisHost == true
    {
      // What this host would say to it is not known; that it can say so is what was asked for.
      remedies.isRefused = true
    }
    return remedies
  }

  /// Whether nothing is known that helps a probe, which was lost, and it can be asked again in a copy.
  package func wantsSearch(_ sequence: Int) -> Bool {
    guard isRehearsable(sequence) else { return false }
    var preview = self
    let result = preview.settle(sequence)
    return places.isEmpty && plan.like == nil && result.isWithoutRemedy && result.found == nil
  }

  private func isRehearsable(_ sequence: Int) -> Bool {
    !plan.dryRun && isLost(sequence)
  }

  /// What sends the probe as it came into a place; nil where it did not come in there.
  private func plan(at place: Int, _ exchange: Exchange) -> ProbePlan? {
    if place == 0 { return plan }
    return exchange.journeys.first { $0.direction == .request && $0.site == places[place] }
      .flatMap(plan.arriving)
  }

  /// Notes what came of it.
  mutating func note(_ trial: RemedyTrial) {
    let site = places.indices.contains(trial.place) ? places[trial.place] : nil
    guard let told = trial.told(of: site) else { return }
    trials[told.remedy] = told
  }

  /// Whether it is one of these that came of a trial.
  package func isOne(_ trial: RemedyTrial, of remedies: RemediesToTry) -> Bool {
    let site = places.isEmpty ? nil : places[remedies.place]
    return trial.told(of: site).map { remedies.commands.contains($0.remedy) } ?? false
  }

  /// A finding with the remedy that got the probe through, and what came of it.
  func tried(_ finding: Finding) -> Finding {
    for remedy in finding.remedies {
      guard let trial = trials[remedy.text] else { continue }
      var finding = finding
      finding.remedy = trial.isVain ? nil : remedy
      if trial.isVain { finding.alternatives = [] }
      finding.trial = trial
      return finding
    }
    return finding
  }

  /// In a copy nothing more comes of a probe that the kernel has dropped.
  mutating func hasten(afterDrop record: Record) {
    guard story.header?.rehearsal != nil, case .netlink(let message) = record.content,
      message.type == DropEvent.messageType, let drop = try? DropEvent(parsing: message),
      let packet = try? Packet(drop.packet), let sequence = plan.sequence(of: packet),
      open[sequence] != nil
    else { return }
    open[sequence]!.deadline = min(open[sequence]!.deadline, record.time.later(by: Self.patience))
  }

  /// Nanoseconds that are waited once the kernel has dropped a packet of a probe in a copy.
  private static let patience: UInt64 = 20_000_000
}

/// What may help a lost probe, to be tried in a copy.
package struct RemediesToTry: Sendable, Equatable {
  /// The commands, the narrowest first.
  package var commands: [String]
  /// In which of the places where the probe was watched: where it was lost.
  package var place: Int
  /// What sends the probe as it came in there.
  package var plan: ProbePlan
  /// A source that nobody out there knows a way back to.
  package var unreturned: IPAddress?
  /// The interface behind which nobody answered what was sent there.
  package var silent: String?
  /// Whether the probe was refused, and that was lost: then it is cured where whoever asked is told so.
  package var isRefused = false
  /// Who refused it and how, if that was not this host, which does so in a copy as well.
  package var refusal: FarRefusal?
}

extension Exchange {
  /// What said that the request was not wanted, where no rule refused it here.
  fileprivate var lostRefusal: Journey? {
    if request?.end.kind == .rejected { return nil }
    return journeys.first { $0.direction != .request && $0.packet.isRefusal }
  }
}

extension Journey {
  /// Whether it was delivered to this host, or on its way to that.
  fileprivate var isForThisHost: Bool {
    end.kind == .delivered || way.hops.last?.point.hook == .input
  }
}

extension ProbeResult {
  /// Whether it did not get through, and no command is known that helps.
  package var isWithoutRemedy: Bool {
    [.lost, .rejected].contains(outcome) && findings.allSatisfy { $0.remedy == nil }
  }
}
