internal import Wire

/// Messages about packets of which nobody is told, for all that was asked for is known: they are counted where they are.
package struct PassedRecords: Sendable {
  /// How many there were.
  private(set) var counts = EventCounts()
  /// What was lost, before them and among them.
  private(set) var loss: LossCount
  /// When the last of them was received, nanoseconds since the epoch.
  private(set) var latest: UInt64 = 0

  /// None yet, after what was lost before.
  init(after loss: LossCount) { self.loss = loss }

  /// Octets of a netlink message in a file before its type.
  private static let beforeType = 16 + 4

  /// Takes in a packet that stands in these octets of a file. Returns whether nothing else is to be known of it.
  mutating func take(_ packet: PacketInFile, in octets: [UInt8], as link: LinkType) -> Bool {
    switch link {
    case .nflog:
      guard let message = LogMessage.number(octets, in: packet.octets) else { return false }
      loss.take(message)
      counts.nflog += 1
    case .netlink:
      guard packet.octets.count >= Self.beforeType + 2 else { return false }
      let place = packet.octets.lowerBound + Self.beforeType
      let type = UInt16(octets[place]) | UInt16(octets[place + 1]) << 8
      if type == TraceMessage.type {
        counts.trace += 1
      } else if ConntrackMessage.isOne(type) {
        counts.conntrack += 1
      } else if type == DropEvent.messageType {
        counts.drops += 1
      } else {
        return false
      }
    default: return false
    }
    latest = max(latest, packet.time)
    return true
  }
}
