internal import Wire

extension PingStory {
  /// What is known of a probe that was sent and is not settled.
  struct Entry {
    var sent: UInt64
    var deadline: UInt64
    var answer: Packet?
    /// The SYN-ACK, whose numbers what follows goes on with.
    var handshake: TCPHeader?
    /// When data was acknowledged, of which an answer may still come.
    var acknowledged: UInt64?
    /// When nothing more was to come.
    var answered: UInt64?
    /// Whether the answer came while the probe was still on its way through this host.
    var isEarly = false
    /// Whether the answer was not seen to leave, though it is through with all hooks, to a client that nftrace picked:
    /// his MAC address may be asked for in vain.
    var isUnsent = false
    /// The errno that refused to send it.
    var refused: Int32?
    /// Whether it is in a copy, where nobody keeps the kernel from what comes next.
    var isInCopy = false

    /// Until when more of it may come: a rule that refuses a packet sends the refusal first, and then drops the packet;
    /// and a SYN proxy answers before its rule has taken the packet.
    var end: UInt64 {
      guard let answered else { return deadline }
      if isUnsent { return answered.later(by: PingStory.afterHooks) }
      if isInCopy { return answered.later(by: PingStory.inCopy) }
      return answered.later(
        by: answer?.isRefusal == true || isEarly ? PingStory.afterRefusal : PingStory.afterAnswer)
    }

    /// Whether it may be settled.
    func isOver(_ now: UInt64) -> Bool { now > end }
  }
}
