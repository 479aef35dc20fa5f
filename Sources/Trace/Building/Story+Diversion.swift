internal import Wire

// What became of packets that went into a diversion and did not come back from it.

extension Story {
  /// Takes in what was done with a packet that was read from the diversion's device: `octets` are
  /// those that were read.
  package mutating func take(_ fate: Interception.Fate, of octets: [UInt8]) {
    guard let packet = try? Packet(octets) else { return }
    fates.note(fate, of: PacketIdentity(packet))
  }

  /// Whether more is to come of a packet that went into the diversion. It may wait there for long, when
  /// packets come faster than they can be told.
  func isInDiversion(_ open: OpenJourney) -> Bool {
    guard let device = header?.diversion else { return false }
    return open.lastPoint.hook == .egress && open.way.last.outDevice == device
      && fates[open.identity] == nil
  }

  /// The end of a packet that went into the diversion and was not seen to come back. What is answered
  /// there stays what was sent; of what was neither answered nor dropped, more should have come.
  func endInDiversion(_ open: OpenJourney, out device: String) -> End {
    let place = End.Place(hook: .egress, out: device)
    switch fates[open.identity] {
    case .answered: return .sent(place)
    case .dropped: return .kept(.interception, place)
    default: return .unknown(place, open.unseen, nil)
    }
  }
}
