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

  /// What a cause that looks at it needs.
  static let needs: [Need] = [
    .answerRoute, .routes, .setting(.reflectMark4), .setting(.reflectMark6), .setting(.acceptMark),
  ]

  /// nil where the packet was not delivered, or was answered, or the answer has a way.
  init?(_ lost: LostPacket) {
    guard let hop = lost.journey.answered, !lost.isReply, lost.stage == .delivered,
      lost.exchange.reply == nil, lost.refusal == nil,
      lost.snapshot.isLocal(hop.packet.destination)
    else { return nil }
    let mark = Self.keepsMark(hop, lost) ? hop.mark : 0
    guard let errno = lost.answerRoute(mark: mark)?.errno else { return nil }
    packet = hop.packet.answer
    self.errno = errno
    policy = PolicyRouting(sending: packet, mark: mark, lost.snapshot)
  }

  /// Whether the kernel has its answers carry the mark of what they answer.
  private static func keepsMark(_ hop: Hop, _ lost: LostPacket) -> Bool {
    let reflects = lost.version == 4 ? Setting.reflectMark4 : .reflectMark6
    return hop.mark != 0
      && (lost.value(of: reflects) == "1"
        || hop.packet.tcp != nil && lost.value(of: .acceptMark) == "1")
  }
}

extension Setting {
  fileprivate static let reflectMark4 = Setting("net/ipv4/fwmark_reflect")
  fileprivate static let reflectMark6 = Setting("net/ipv6/fwmark_reflect")
  /// Of both IP versions.
  fileprivate static let acceptMark = Setting("net/ipv4/tcp_fwmark_accept")
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
