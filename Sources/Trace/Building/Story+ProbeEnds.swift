internal import Wire

/// What the hooks tell of the end of a probe, where no device can be read.
extension Story {
  /// The answer to a probe that was delivered here, or sent on, as it was then.
  func arrivedAnswer(probe sequence: Int) -> Packet? {
    for journey in open where journey.dropped == nil {
      let last = journey.hops[journey.hops.count - 1]
      guard hasArrived(last), isForProber(last.packet), self.sequence(of: journey) == sequence
      else { continue }
      switch direction(journey) {
      case .reply, .error: return last.packet
      default: continue
      }
    }
    return nil
  }

  private func hasArrived(_ hop: Hop) -> Bool {
    if header?.probe?.entrance == .arriving, hop.point.hook == .egress, hop.outDevice != "lo" {
      return true
    }
    return hop.point.hook == .input && isLast(hop.point)
  }

  /// Whether it is addressed to whom the probe seemed to come from. What a server sent from another
  /// address than it was asked at, NAT does not put right, and it ends here.
  private func isForProber(_ packet: Packet) -> Bool {
    guard let plan = header?.probe, plan.entrance == .arriving else { return true }
    return packet.destination == plan.source
  }

  /// Whether the probe itself came to the end of its way through the hooks.
  func isThrough(probe sequence: Int) -> Bool {
    open.contains { journey in
      let point = journey.lastPoint
      return journey.dropped == nil
        && (point.hook == .postrouting || point.hook == .input) && isLast(point)
        && self.sequence(of: journey) == sequence && direction(journey) == .request
    }
  }
}
