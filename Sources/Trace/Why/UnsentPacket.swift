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

  /// The rule that changed it on its way, where it is no sender who was told the errno.
  var markSetter: RuleStep?

  /// Whether it was routing that refused it: of what a rule drops, the sender is told that it is not permitted.
  var isRefusedByRouting: Bool { errno != RouteErrno.notPermitted }

  /// What sending said, or what had it routed anew.
  var evidence: [Evidence] {
    markSetter.map { [.markSet($0.mark ?? 0, by: $0)] } ?? [.sendingRefused(errno)]
  }
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
      policy: PolicyRouting(sending: packet, mark: plan?.senderMark ?? 0, snapshot).sent(by: plan),
      snapshot: snapshot)
  }
}

extension LostPacket {
  /// The packet that OUTPUT has changed, so that it was routed once more, and refused; nil if it is
  /// none.
  var unsent: UnsentPacket? {
    guard stage == .within(.output) else { return nil }
    // A mark that a rule has set since is in the trace of that rule.
    let setter = journey.way.trailingRules.last { $0.mark != nil }
    var packet = packet
    packet.destination =
      journey.way.trailingRules.lazy.compactMap(\.translationTarget).last ?? packet.destination
    let policy = PolicyRouting(sending: packet, mark: setter?.mark ?? last.mark, snapshot)
      .sent(by: header?.probe)
    // Nobody is told so of what the kernel itself sends.
    let isOwn = refused == nil
    guard let errno = refused ?? (setter?.mark != last.mark ? policy.errno : nil) else {
      return nil
    }
    return UnsentPacket(
      packet: packet, errno: errno, plan: header?.probe, policy: policy, snapshot: snapshot,
      markSetter: isOwn ? setter : nil)
  }
}
