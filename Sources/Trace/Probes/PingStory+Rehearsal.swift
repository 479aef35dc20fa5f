package import Wire

// What a copy of the network namespace is for, and how probes fare there.
extension PingStory {
  /// What may help against what a probe was lost for, the narrowest first, if nobody has tried it yet; nil where there is nothing,
  /// or it is for another network namespace, or the probe cannot be sent again.
  package func remediesToTry(_ sequence: Int) -> RemediesToTry? {
    guard isRehearsable(sequence) else { return nil }
    var preview = self
    let cause = preview.settle(sequence).findings.first {
      $0.severity == .error && !$0.remedies.isEmpty
    }
    guard let cause, cause.site == nil, cause.isRehearsed == nil else { return nil }
    let commands = cause.remedies.map(\.text).filter(RemedyTrial.isConfined)
    return commands.isEmpty
      ? nil : RemediesToTry(commands: commands, unreturned: cause.unreturned)
  }

  /// Whether nothing is known that helps a probe, which was lost, and it can be asked again in a copy.
  package func wantsSearch(_ sequence: Int) -> Bool {
    guard isRehearsable(sequence) else { return false }
    var preview = self
    let result = preview.settle(sequence)
    return result.isWithoutRemedy && result.found == nil
  }

  private func isRehearsable(_ sequence: Int) -> Bool {
    !plan.dryRun && stories.count == 1 && plan.like == nil
      && story.header?.isRehearsal != true && isLost(sequence)
  }

  /// Notes what came of it.
  mutating func note(_ trial: RemedyTrial) { trials[trial.remedy] = trial }

  /// A finding with the remedy that got the probe through, and what came of it.
  func tried(_ finding: Finding) -> Finding {
    for remedy in finding.remedies {
      guard let trial = trials[remedy.text] else { continue }
      var finding = finding
      finding.remedy = remedy
      finding.isRehearsed = true
      finding.obstacles = trial.obstacles
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
package struct RemediesToTry: Sendable, Hashable {
  /// The commands, the narrowest first.
  package var commands: [String]
  /// A source that nobody out there knows a way back to.
  package var unreturned: IPAddress?
}

extension ProbeResult {
  /// Whether it did not get through, and no command is known that helps.
  package var isWithoutRemedy: Bool {
    [.lost, .rejected].contains(outcome) && findings.allSatisfy { $0.remedy == nil }
  }
}
