internal import Wire

// A session that is over, told again.
extension PingStory {
  /// Takes in the next record of a session that is over. Returns the probes that were settled
  /// before it came: live, they were settled once the rules that decided over them were read.
  package mutating func replay(_ record: Record) -> [ProbeResult] {
    let record = timely(record)
    var results: [ProbeResult] = []
    if !record.isAnswer { results = ready(record.time).map { settle($0) } }
    take(record)
    return results
  }

  /// The probes that were not settled when the session ended. Where it is cut off, what might have
  /// come of them is not known.
  package mutating func finishReplay(isCut: Bool = false) -> [ProbeResult] {
    self.isCut = isCut
    if isCut { for place in stories.indices { stories[place].noteEnd() } }
    return unsettled.map { settle($0) }
  }

  /// The probes that were sent and are not settled.
  package var unsettled: [Int] { open.keys.sorted() }
}

extension Record {
  /// Whether a record is an answer to a question of nftrace's.
  var isAnswer: Bool {
    switch content {
    case .note: true
    case .netlink(let message):
      message.type < 0x100 || message.type == NFTRuleMessage.newType
        || message.type == DropEvent.messageType
    default: false
    }
  }
}
