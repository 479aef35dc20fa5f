internal import Wire

extension BridgePortState {
  /// A neighbour behind a bridge does not answer, and a port of that is down.
  enum Down: Cause {
    static var page: FindingPage { BridgePortState.page }
    static let needs: [Need] = [.plainRoute, .neighbours, .routes, .host(.whereabouts)]

    static func examine(_ lost: LostPacket) -> Finding? {
      guard let (hop, neighbour, device) = lost.silentHop, lost.snapshot.isBridge(device),
        lost.whereabouts?.owners.contains(where: { $0.relation != .connected || !$0.isUp }) != true
      else { return nil }
      return finding(
        hop, behind: device, lost.snapshot,
        evidence: [.neighbour(hop, device: device, neighbour.state)] + lost.reasonEvidence)
    }

    /// That nobody behind a bridge answers for an address, where a port of it is down: who has it may be there.
    static func finding(
      _ hop: IPAddress, behind bridge: String, _ snapshot: Snapshot, evidence: [Evidence]
    ) -> Finding? {
      let ports = snapshot.ports(of: bridge).filter { !$0.flags.contains(.up) }
      guard let port = ports.first else { return nil }
      let names = ports.map { Escape.name($0.name) }.joined(separator: ", ")
      let asks = hop.family == 4 ? "ARP" : "neighbour discovery"
      return error(
        "\(hop) does not answer \(asks) on \(bridge), and "
          + (ports.count == 1
            ? "\(names), a port of that, is down: whoever is behind it is not asked"
            : "ports of that are down (\(names)): whoever is behind them is not asked"),
        confidence: .likely,
        evidence: ports.prefix(8).map { .interfaceState($0.name, $0.state) } + evidence,
        remedy: try ports.count == 1 ? "ip link set dev \(Word.device(port.name)) up" : nil)
    }
  }
}

extension NeighbourUnresolved {
  /// The client and whom he asks for are both behind a bridge here, and nobody there answers: what would have been handed to him by
  /// the bridge came to this host.
  enum BehindBridge: Cause {
    static var page: FindingPage { NeighbourUnresolved.page }
    static let needs: [Need] = [.neighbours]

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.stage == .routing, let plan = lost.header?.probe, plan.entrance == .arriving,
        !plan.hasChosenReceiver, let bridge = lost.snapshot.bridge(of: plan.device),
        let link = lost.snapshot.link(bridge), case let packet = lost.packet,
        !lost.snapshot.isLocal(packet.destination), packet.destination == plan.destination,
        lost.snapshot.addresses.networks(of: link.index).contains(where: {
          $0.contains(packet.source) && $0.contains(packet.destination)
        }),
        lost.snapshot.addresses.neighbour(packet.destination, on: link.index)?.hardwareAddress
          == nil
      else { return nil }
      let evidence: [Evidence] = [.interfaceState(bridge, link.state)] + lost.reasonEvidence
      if let down = BridgePortState.Down.finding(
        packet.destination, behind: bridge, lost.snapshot, evidence: evidence)
      {
        return down
      }
      let asks = packet.source.family == 4 ? "ARP" : "neighbour discovery"
      return error(
        "nobody behind \(bridge) answers \(asks) for \(packet.destination), which is in the subnet of who asks: see that it "
          + "is there and up", confidence: .likely, evidence: evidence)
    }
  }
}
