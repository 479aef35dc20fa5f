internal import Wire

/// What one place tells of the other end of an interface, where that end is in another.
extension PingStory {
  /// Where an interface has no carrier for its other end is down there, what that one says.
  func peerDown(_ finding: Finding, at place: Int) -> Finding? {
    guard finding.id == .noCarrier, places.indices.contains(place) else { return nil }
    return finding.evidence.lazy.compactMap { evidence -> Finding? in
      guard case .interfaceState(let device, _) = evidence,
        let link = stories[place].snapshot.link(device), link.kind == "veth",
        link.flags.contains(.up)
      else { return nil }
      // The kernel does not say the number of the other end where it is its own.
      let number = link.link ?? link.index
      return stories.indices.lazy.filter { $0 != place }.compactMap { other in
        guard let peer = stories[other].snapshot.links[number], peer.kind == "veth",
          peer.link ?? peer.index == link.index, !peer.flags.contains(.up)
        else { return nil }
        return stories[other].told(
          NoCarrier.peerDown(peer, of: "\(device) \(places[place].place)"))
      }.first
    }.first
  }
}
