internal import Wire

/// A packet of this host's own that it would not send: routing comes before OUTPUT, and again behind
/// it for a packet that was changed there, and says no with an errno.
struct UnsentPacket {
  let packet: Packet
  let errno: Int32
  /// The ping's plan, if it was a probe.
  let plan: ProbePlan?
  let policy: PolicyRouting
  let snapshot: Snapshot

  /// What sending said.
  var evidence: [Evidence] { [.sendingRefused(errno)] }
}

extension UnsentPacket {
  /// A probe that came to no hook; nil if there is none.
  init?(probeOf plan: ProbePlan?, errno: Int32, _ snapshot: Snapshot) {
    // Read back, it knows its length.
    guard let probe = plan?.packet(sequence: 1), let packet = try? Packet(probe.bytes) else {
      return nil
    }
    self.init(
      packet: packet, errno: errno, plan: plan,
      policy: PolicyRouting(sending: packet, snapshot), snapshot: snapshot)
  }
}

extension LostPacket {
  /// The packet that OUTPUT has changed, so that it was routed once more, and refused; nil if it is
  /// none.
  var unsent: UnsentPacket? {
    guard let errno = refused, stage == .within(.output) else { return nil }
    // A mark that a rule has set since is in the trace of that rule.
    let mark = journey.way.trailingRules.lazy.compactMap(\.mark).last ?? last.mark
    return UnsentPacket(
      packet: packet, errno: errno, plan: header?.probe,
      policy: PolicyRouting(sending: packet, mark: mark, snapshot), snapshot: snapshot)
  }
}
