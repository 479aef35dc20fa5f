internal import Wire

/// The way that an answer of this host would go to who sent a packet that was delivered here: routing refuses it, and
/// so none was ever seen.
struct AnswerRouting {
  /// The answer's addresses and ports.
  let packet: Packet
  /// What the lookup of it said.
  let errno: Int32
  /// The rules and tables that it meets.
  let policy: PolicyRouting

  /// nil where the packet was not delivered, or was answered, or the answer has a way.
  init?(_ lost: LostPacket) {
    guard let hop = lost.journey.answered, !lost.isReply, lost.stage == .delivered,
      lost.exchange.reply == nil, lost.refusal == nil,
      lost.snapshot.isLocal(hop.packet.destination), let errno = lost.answerRoute?.errno
    else { return nil }
    packet = hop.packet.answer
    self.errno = errno
    policy = PolicyRouting(sending: packet, lost.snapshot)
  }
}

extension Journey {
  /// The packet as it was delivered to this host, which answers that.
  var answered: Hop? {
    guard let hop = hops.last, hop.point.hook == .input, !hop.packet.source.isUnspecified,
      !hop.packet.source.isMulticast, !hop.packet.destination.isMulticast
    else { return nil }
    return hop
  }
}
