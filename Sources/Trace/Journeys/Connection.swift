package import Wire

/// A packet's connection, as conntrack keeps it.
package struct Connection: Sendable, Equatable {
  /// ctnetlink's id of it; nil for what conntrack does not follow.
  package var id: UInt32?
  /// Of this packet: new, established, related, invalid, untracked; nil where unknown.
  package var state: State?
  /// Whether the packet goes in the reply direction.
  package var isReply: Bool?
  /// Its addresses as the first packet had them.
  package var original: ConntrackTuple?
  /// The addresses that answers are expected to have.
  package var reply: ConntrackTuple?
  /// IPS_… bits, as last heard of.
  package var status: ConntrackMessage.Status
  /// IPS_… bits that trace messages of this packet had.
  package var tracedStatus: ConntrackMessage.Status = []
  /// Whether an earlier packet had made the connection's entry when this one came.
  package var wasKnown = false

  /// enum ip_conntrack_info, as the bits of NF_CT_STATE_BIT.
  package enum State: String, Sendable {
    case invalid, established, related, new, untracked

    /// The state of a trace message's bit.
    package init?(bit: UInt32) {
      switch bit {
      case 1: self = .invalid
      case 2: self = .established
      case 4: self = .related
      case 8: self = .new
      case 64: self = .untracked
      default: return nil
      }
    }
  }

  /// A connection of these fields.
  package init(
    id: UInt32?, state: State? = nil, isReply: Bool? = nil, original: ConntrackTuple? = nil,
    reply: ConntrackTuple? = nil, status: ConntrackMessage.Status = []
  ) {
    self.id = id
    self.state = state
    self.isReply = isReply
    self.original = original
    self.reply = reply
    self.status = status
  }
}
