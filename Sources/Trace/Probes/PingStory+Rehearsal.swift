internal import Wire

// What a copy of the network namespace is for, and how probes fare there.
extension PingStory {
  /// The remedy of what a probe was lost for, which nobody has tried yet; nil where there is none, or it is for another
  /// network namespace, or the probe cannot be sent again.
  package func remedyToTry(_ sequence: Int) -> String? {
    guard plan.data == nil, !plan.dryRun, stories.count == 1, plan.like == nil,
      story.header?.isRehearsal != true, isLost(sequence)
    else { return nil }
    var preview = self
    let cause = preview.settle(sequence).findings.first {
      $0.severity == .error && $0.remedy != nil
    }
    guard let remedy = cause?.remedy?.text, cause?.netns == nil, trials[remedy] == nil,
      RemedyTrial.isConfined(remedy)
    else {
      return nil
    }
    return remedy
  }

  /// Notes what came of it.
  mutating func note(_ trial: RemedyTrial) { trials[trial.remedy] = trial }

  /// A finding with what came of its remedy.
  func tried(_ finding: Finding) -> Finding {
    guard let remedy = finding.remedy?.text, let trial = trials[remedy] else { return finding }
    var finding = finding
    finding.isRehearsed = true
    finding.obstacles = trial.obstacles
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
