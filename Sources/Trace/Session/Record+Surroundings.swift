internal import Wire

extension Record {
  /// Whether it says something of the namespace rather than of a packet.
  package var tellsOfSurroundings: Bool {
    switch content {
    case .netlink(let message):
      message.type != TraceMessage.type && message.type != DropEvent.messageType
    case .note: true
    case .log, .line, .lost, .sent, .received: false
    }
  }
}
