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

    /// The same between two who are both behind the bridge: what it would have handed on came to this host.
    enum Between: Cause {
      static var page: FindingPage { BridgePortState.page }
      static let needs: [Need] = [.neighbours]

      static func examine(_ lost: LostPacket) -> Finding? {
        lost.soughtOnBridge.flatMap {
          finding(
            lost.packet.destination, behind: $0.name, lost.snapshot,
            evidence: [.interfaceState($0.name, $0.state)] + lost.reasonEvidence)
        }
      }
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
  /// The client and whom he asks for are both behind a bridge here, and nobody there answers.
  enum Between: Cause {
    static var page: FindingPage { NeighbourUnresolved.page }
    static let needs: [Need] = [.neighbours]

    static func examine(_ lost: LostPacket) -> Finding? {
      guard let bridge = lost.soughtOnBridge else { return nil }
      let asks = lost.version == 4 ? "ARP" : "neighbour discovery"
      return error(
        "nobody behind \(bridge.name) answers \(asks) for \(lost.packet.destination), which is in the subnet of who "
          + "asks: see that it is there and up", confidence: .likely,
        evidence: [.interfaceState(bridge.name, bridge.state)] + lost.reasonEvidence)
    }
  }
}

extension LostPacket {
  /// The bridge behind which both the client of a probe and its destination would be, where nobody there has answered for that: so
  /// the probe came to this host. A cause that looks at it needs `.neighbours`.
  fileprivate var soughtOnBridge: LinkMessage? {
    guard stage == .routing, let plan = header?.probe, plan.entrance == .arriving,
      !plan.hasChosenReceiver, packet.destination == plan.destination,
      let bridge = snapshot.link(snapshot.bridge(of: plan.device)),
      !snapshot.isLocal(packet.destination),
      snapshot.addresses.networks(of: bridge.index).contains(where: {
        $0.contains(packet.source) && $0.contains(packet.destination)
      }),
      snapshot.addresses.neighbour(packet.destination, on: bridge.index)?.hardwareAddress == nil
    else { return nil }
    return bridge
  }
}
