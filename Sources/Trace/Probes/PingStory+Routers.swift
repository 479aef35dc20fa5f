internal import Wire

// What routers on the way wrote into probes, and the packet that the destination is to send back for that.
extension PingStory {
  /// The packet that is to be sent now beside the probes; nil for none.
  package func oneMore(_ now: UInt64) -> Int? {
    if wantsWitness(now) { return plan.witness }
    return wantsSurvey(now) ? plan.survey : nil
  }

  /// Whether the destination is to be asked for what routers wrote: it has answered, and has not sent the probe back.
  func wantsSurvey(_ now: UInt64) -> Bool {
    guard plan.survey != nil, !plan.dryRun, survey.sent == nil, !survey.returned.contains(1),
      let first = open[1], first.isOver(now), first.answer != nil
    else { return false }
    return !waitsForWitness(now)
  }

  /// Whether the first probe waits for that packet.
  func waitsForSurvey(_ now: UInt64) -> Bool {
    survey.end(plan).map { now <= $0 } ?? wantsSurvey(now)
  }
}
