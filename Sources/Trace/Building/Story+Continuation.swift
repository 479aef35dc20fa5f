internal import Wire

// Where a packet may be seen next, and whether it may be seen again at all.

extension Story {
  /// Whether the packet of an open journey can be the one observed, which has its identity.
  func continues(_ journey: OpenJourney, with next: Sighting) -> Bool {
    let last = journey.way.last
    if next.point.follows(last.point) { return journey.dropped == nil }
    if climbs(journey, to: next) { return journey.dropped == nil }
    // What comes in by a diversion's device, after the packet was answered there, is the answer.
    if diversion.holds(journey) { return false }
    // Out through the loopback interface and in again is still the same packet.
    return (comesBack(last.outDevice) || isLoopedBack(journey)) && next.inDevice == last.outDevice
      && (next.point.hook == .ingress || next.point.hook == .prerouting)
  }

  /// The open journey with this trace id whose packet can be the one observed, although its sequence
  /// numbers or its payload are others now: SYNPROXY and conntrack's helpers change them as it leaves.
  func journey(rewrittenAs next: Sighting, traceID: UInt32?) -> Int? {
    // Of ICMP, another type or sequence number makes it another message.
    guard next.packet.fragment == nil, next.packet.sourcePort != nil,
      let index = traceID.flatMap(open.traced), open[index].way.last.packet.isSame(as: next.packet),
      now.since(open[index].last) <= Self.patience, !isOver(open[index]),
      continues(open[index], with: next)
    else { return nil }
    return index
  }

  /// Whether it can be the copy that this host gets of a multicast or broadcast of its own: it passes
  /// POSTROUTING, and comes in by that interface without having left by it.
  private func isLoopedBack(_ journey: OpenJourney) -> Bool {
    journey.lastPoint.hook == .postrouting && points.seesEgress
      && [.output, .postrouting].contains(journey.way.first.point.hook)
  }

  /// Whether it is seen at one interface after the other on its way in or out: at a port of a bridge
  /// and at the bridge.
  private func climbs(_ journey: OpenJourney, to next: Sighting) -> Bool {
    let last = journey.way.last
    switch (last.point.hook, next.point.hook) {
    case (.ingress, .ingress), (.prerouting, .ingress):
      let port = journey.hops.last { $0.point.hook == .ingress }?.inDevice
      return snapshot.isAbove(next.inDevice, port)
    case (.egress, .egress): return snapshot.isAbove(last.outDevice, next.outDevice)
    default: return false
    }
  }

  /// Whether what leaves by this device comes in by it again.
  private func comesBack(_ device: String?) -> Bool {
    device == "lo" || diversion.isThrough(device)
  }

  /// Whether a packet was seen where none goes on, or was dropped.
  func isOver(_ journey: borrowing OpenJourney) -> Bool {
    let last = journey.way.last
    if journey.dropped != nil { return !comesBack(last.outDevice) }
    guard points.isEnd(last.point) || points.isLastSight(last) else { return false }
    return !comesBack(last.outDevice) && !snapshot.isAboveOthers(last.outDevice)
  }
}
