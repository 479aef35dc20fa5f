internal import Wire

// What answered a probe, and when.
extension PingStory {
  /// Where no device can be read, an answer is what the hooks saw arrive; and a probe that is not to
  /// leave ends where it would have.
  mutating func lookForEnds(_ time: UInt64) {
    for (sequence, entry) in open
    where (entry.answered == nil || entry.isUnsent) && time <= entry.deadline {
      if plan.dryRun {
        guard
          story.isThrough(probe: sequence) || story.isProxied(probe: sequence)
            || isDropped(sequence)
        else { continue }
      } else {
        for packet in story.arrived(probe: sequence) {
          noteHandshake(packet, of: sequence)
          if story.isAnswer(packet) { note(packet, to: sequence, time) }
        }
        if plan.hasPickedClient, open[sequence]?.answered == nil {
          for packet in story.handedOn(probe: sequence) {
            noteHandshake(packet, of: sequence)
            guard story.isAnswer(packet) else { continue }
            note(packet, to: sequence, time)
            let isAnswered = open[sequence]?.answered != nil
            open[sequence]?.isUnsent = isAnswered
          }
        }
        continue
      }
      open[sequence]?.answered = time
    }
  }

  /// Takes down what answered a probe, and when.
  mutating func note(_ answer: Packet, to sequence: Int, _ time: UInt64) {
    // What acknowledges data is no answer to it, as long as there may come one.
    if plan.carriesData(sequence), answer.isBareAcknowledgment || isBehindGap(answer, sequence) {
      guard open[sequence]?.acknowledged == nil, !isOfPart(answer, sequence) else { return }
      open[sequence]?.answer = answer
      open[sequence]?.acknowledged = time
      return
    }
    if open[sequence]?.answered != nil, open[sequence]?.isUnsent != true { return }
    open[sequence]?.isUnsent = false
    let isOnItsWay = stories.contains {
      !$0.isThrough(probe: sequence) && !$0.openJourneys(probe: sequence).isEmpty
    }
    open[sequence]?.answer = answer
    open[sequence]?.answered = time
    open[sequence]?.isEarly = answer.tcp != nil && isOnItsWay
  }
}
