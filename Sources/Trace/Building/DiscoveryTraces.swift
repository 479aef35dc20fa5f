internal import Wire

/// Trace ids of ARP and neighbour discovery packets on their way. They are traced, not logged: only that
/// a rule drops them is of interest.
struct DiscoveryTraces: Sendable {
  private var ids: Set<UInt32> = []
  /// Trace ids are used again: what was long ago does not count.
  private static let most = 4096

  /// Takes in that a packet with this trace id is such a one.
  mutating func insert(_ id: UInt32) {
    if ids.count >= Self.most { ids.removeAll(keepingCapacity: true) }
    ids.insert(id)
  }

  /// The step at which a rule dropped such a packet, if that is what the message tells.
  func drop(_ trace: TraceMessage) -> RuleStep? {
    guard trace.family == NFProto.arp || ids.contains(trace.id), trace.verdict == .drop,
      let ref = RuleRef(handle: trace.handle, isPolicy: trace.kind == .policy)
    else { return nil }
    return RuleStep(
      family: trace.family, table: trace.table, chain: trace.chain, ref, verdict: .drop)
  }
}

/// A question or an answer of neighbour discovery, by which it is known again: it has no number.
struct DiscoveryPacket: Hashable {
  private var source: IPAddress
  private var destination: IPAddress
  private var type: UInt8

  /// nil for another packet.
  init?(_ packet: Packet) {
    guard packet.isNeighbourDiscovery, let type = packet.icmp?.type else { return nil }
    source = packet.source
    destination = packet.destination
    self.type = type
  }
}
