internal import Wire

/// A tunnel that this kernel makes over IP, of which it sends what carries the packet itself: VXLAN, Geneve, GRE and the like.
extension HandedToTunnel {
  /// What carries it is one of this host's own packets, and did not leave.
  enum Unsent: Cause {
    static var page: FindingPage { HandedToTunnel.page }
    static let needs: [Need] = [.plainRoute, .neighbours]

    static func examine(_ lost: LostPacket) -> Finding? {
      guard let outer = OuterPacket(lost), !lost.isReply, !lost.hasComeBack,
        ["IP_OUTNOROUTES", "IPV6_OUTNOROUTES"].contains(lost.dropReason)
      else { return nil }
      return error(
        "\(outer.device), \(outer.kind), could not send what carries it to \(outer.end), for routing keeps that here: "
          + "\(outer.question) says why",
        evidence: outer.evidence(lost) + lost.reasonEvidence)
    }
  }

  /// Nothing keeps it here, as far as that is seen.
  enum OverIP: Cause {
    static var page: FindingPage { HandedToTunnel.page }
    static let needs: [Need] = [
      .plainRoute, .neighbours, .interfaceCounter(.sendingDropped),
    ]

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.stage == .sent, !lost.isReply, lost.refusal == nil, let outer = OuterPacket(lost)
      else { return nil }
      // It counts there as well what it has no other end for, as groups of neighbour discovery.
      let dropped = lost.delta(.sendingDropped, of: outer.device)
      return error(
        "it was handed to \(outer.device), \(outer.kind), and nothing came back: what carries it goes to \(outer.end)"
          + (dropped > 0
            ? ", if no rule for this host's own packets keeps it here (\(outer.device) counts what it could not send); else "
            : ", where ")
          + "a firewall may not let it in, or the far side may not know the way back; \(outer.question) follows it",
        confidence: .likely, evidence: outer.evidence(lost))
    }
  }

  /// What carries a packet.
  private struct OuterPacket {
    let device: String
    /// "a VXLAN tunnel".
    let kind: String
    private let remote: IPAddress
    private let tunnel: TunnelAttributes

    init?(_ lost: LostPacket) {
      guard lost.stage == .sent || lost.stage == .behindEgress, let device = lost.outDevice,
        let link = lost.snapshot.link(device), let kind = link.kind, let tunnel = link.tunnel
      else { return nil }
      let hardware = lost.nextHop.flatMap {
        lost.snapshot.neighbour($0, on: device)?.hardwareAddress
      }
      let everybody = HardwareAddress([0, 0, 0, 0, 0, 0])
      let known = [hardware, everybody].compactMap(\.self).lazy.compactMap { address in
        lost.snapshot.forwarding[address]?.first { $0.port == link.index }?.remote
      }.first
      guard let remote = known ?? tunnel.remote else { return nil }
      self.device = device
      self.remote = remote
      self.tunnel = tunnel
      let names = ["vxlan": "a VXLAN tunnel", "geneve": "a Geneve tunnel"]
      self.kind = names[kind] ?? "a tunnel (\(kind))"
    }

    /// Where it goes.
    var end: String {
      tunnel.port.map { "\(remote) by UDP, port \($0)" } ?? "\(remote), as \(tunnel.proto)"
    }

    /// The command that asks for its way.
    var question: String {
      let port = tunnel.port.map { " --dport \($0)" } ?? ""
      return "'nftrace ping -p \(tunnel.proto)\(port) \(remote)'"
    }

    func evidence(_ lost: LostPacket) -> [Evidence] {
      [.sent(through: device, source: lost.packet.source)]
    }
  }
}
