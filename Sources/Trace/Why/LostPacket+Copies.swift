internal import Wire

// Copies that rules have made (`dup`, TEE): where they end is no cause of what became of the packet.
extension LostPacket {
  /// Whether a packet that another network namespace dropped is a copy of this exchange's: it has a copy's addresses and
  /// ports and not the packet's own, or it was dropped at the other end of the interface that a copy left by.
  func isCopy(_ packet: Packet, droppedAt device: UInt32) -> Bool {
    let fitting = exchange.journeys.filter { $0.way.last.packet.hasEnds(of: packet) }
    let copies = fitting.filter(\.isCopy)
    guard !copies.isEmpty else { return false }
    let originals = fitting.filter { !$0.isCopy }
    func leadsThere(_ journey: Journey) -> Bool {
      device != 0 && snapshot.link(journey.exit)?.link == device
    }
    return originals.isEmpty
      || copies.contains(where: leadsThere) && !originals.contains(where: leadsThere)
  }
}
