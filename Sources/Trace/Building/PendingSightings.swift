internal import Wire

/// Log messages whose trace message, which brings the trace id, has not come yet.
struct PendingSightings: Sendable {
  private var waiting: [Sighting] = []
  /// Those whose trace messages were lost, it seems, are not waited for.
  private static let most = 256
  private static let usual = 32

  /// When the first sighting was made that waits.
  var earliest: UInt64? { waiting.first?.time }

  /// One more waits.
  mutating func append(_ sighting: Sighting) { waiting.append(sighting) }

  /// The one of which a trace message tells that has these headers and is of a chain of this point.
  mutating func remove(at point: ObservationPoint, _ header: Packet?) -> Sighting? {
    let found =
      waiting.firstIndex { $0.isAt(point, header) && $0.hasTransport(of: header) }
      ?? waiting.firstIndex { $0.isAt(point, header) }
    return found.map { waiting.remove(at: $0) }
  }

  /// All, for nothing more is waited for.
  mutating func removeAll() -> [Sighting] {
    if waiting.isEmpty { return [] }
    let all = waiting
    waiting = []
    // As many may come again.
    waiting.reserveCapacity(min(all.count, Self.usual))
    return all
  }

  /// Those that need not wait any more.
  mutating func removeOverdue(at now: UInt64) -> [Sighting] {
    if let earliest, now.since(earliest) > Story.patience { return removeAll() }
    guard waiting.count > Self.most else { return [] }
    // The trace messages of the newer half may still come.
    let older = Array(waiting.prefix(Self.most / 2))
    waiting.removeFirst(older.count)
    return older
  }
}

extension Sighting {
  fileprivate func isAt(_ point: ObservationPoint, _ header: Packet?) -> Bool {
    guard self.point.chain == point.chain else { return false }
    guard let header else { return true }
    return packet.source == header.source && packet.destination == header.destination
      && packet.identification == header.identification
      && (header.hidesTransport || packet.proto == header.proto)
  }

  /// IPv6's packets have no number, and two may be on their way between the same two hosts.
  fileprivate func hasTransport(of header: Packet?) -> Bool {
    guard let header, !header.hidesTransport, !packet.isLaterFragment else { return true }
    return packet.icmp?.type == header.icmp?.type && packet.sourcePort == header.sourcePort
      && packet.destinationPort == header.destinationPort
      && packet.tcp?.sequence == header.tcp?.sequence
  }
}
