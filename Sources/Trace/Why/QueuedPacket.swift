internal import Wire

/// A packet that a rule handed to user space, and that did not come out again. A cause that looks for
/// it needs `.host(.queues)`.
struct QueuedPacket {
  /// The rule.
  let step: RuleStep
  /// The queue's number; nil where only an iptables-legacy rule's text would tell it, and does not.
  let number: UInt16?
  /// Who reads it, as far as that is known.
  let reader: QueueReader?
  /// Whether it is known who reads it, if anybody does.
  let isKnown: Bool
  /// Whether the rule lets packets pass while nobody reads the queue.
  let bypasses: Bool

  /// nil if no rule did that to the packet last.
  init?(_ lost: LostPacket) {
    guard let step = lost.decider else { return nil }
    if step.isLegacy {
      // Of iptables-legacy only the rule's text tells that it did.
      guard let text = step.text, text.contains("-j NFQUEUE") else { return nil }
      let words = text.split(separator: " ")
      let place = words.firstIndex { $0 == "--queue-num" || $0 == "--queue-balance" }
      number =
        place.flatMap { words.dropFirst($0 + 1).first }
        .flatMap { $0.split(separator: ":").first }.flatMap { UInt16($0) } ?? 0
      bypasses = text.contains("--queue-bypass")
    } else {
      guard let queue = step.verdict.queueNumber else { return nil }
      number = queue
      bypasses = step.verdict.bypasses
    }
    self.step = step
    let queues = lost.host(.queues).queues
    let number = number
    reader = queues?.first { $0.number == number }
    isKnown =
      queues != nil || lost.journey.end.kernelDrop?.location?.hasPrefix("nf_queue") == true
  }

  /// "queue 7".
  var name: String { number.map { "queue \($0)" } ?? "a queue" }
}
