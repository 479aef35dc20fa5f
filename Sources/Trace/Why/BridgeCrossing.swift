internal import Wire

/// A packet within a bridge that did not come out of the port it was to leave by.
struct BridgeCrossing {
  /// The bridge.
  let bridge: String
  /// The port that it came in by; nil for what this host sent into the bridge.
  let input: LinkMessage?
  /// The port behind which its next hop is, as far as the bridge knows.
  let output: LinkMessage?

  /// The crossing of a packet that was given to a bridge, and that no port of it was seen to send.
  init?(_ lost: LostPacket) {
    let snapshot = lost.snapshot
    let hops = lost.journey.hops
    let arrived = hops.first { $0.point.hook == .ingress }?.inDevice
    let port = snapshot.bridge(of: arrived) == nil ? nil : snapshot.link(arrived)
    let isSentByPort = hops.contains {
      $0.point.hook == .egress && snapshot.bridge(of: $0.outDevice) != nil
    }
    // Into a bridge it was routed, or it came by one of its ports and was not for this host.
    let routed = snapshot.link(lost.outDevice).flatMap { $0.kind == "bridge" ? $0.name : nil }
    guard !isSentByPort, let bridge = routed ?? snapshot.bridge(of: port?.name),
      lost.journey.end.decider == nil,
      routed != nil || lost.stage == .arrival || lost.stage == .bridging
    else { return nil }
    self.bridge = bridge
    let isBridged =
      lost.journey.isBridged || !lost.metIP || lost.stage == .bridging
      || lost.destinationChange != nil
    input = isBridged && snapshot.bridge(of: port?.name) == bridge ? port : nil
    output = Self.output(lost, bridge)
  }

  /// The port behind which the packet's next hop is, as far as the bridge knows.
  static func output(_ lost: LostPacket, _ bridge: String) -> LinkMessage? {
    let hop = lost.journey.route?.gateway ?? lost.packet.destination
    return lost.snapshot.neighbour(hop, on: bridge)?.hardwareAddress.flatMap {
      lost.snapshot.port(of: $0, bridge: bridge)
    }
  }
}
