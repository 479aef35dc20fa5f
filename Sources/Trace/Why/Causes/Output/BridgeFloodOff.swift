internal import Wire

extension FindingID {
  static let bridgeFloodOff = FindingID(rawValue: "bridge-flood-off")
}

/// Questions for a MAC address do not leave by the port behind which its owner is.
enum BridgeFloodOff: Cause {
  static let page = FindingPage(
    .bridgeFloodOff, "The bridge sends no broadcasts by the port",
    meaning: """
      Neighbours ask all others for a MAC address: by ARP in a broadcast, by IPv6 in a message to a group. With
      `bcast_flood off` a bridge sends no broadcasts by a port, with `mcast_flood off` nothing to groups of which it
      knows no members. So nobody who does not know the MAC address already can begin to speak to who is behind that
      port. nftrace knew it, and was answered.
      """,
    certainty: """
      Likely: who asked may still know the MAC address from before, and the members of a group may be known where
      somebody asks for them (an MLD querier).
      """,
    conclusion: """
      The probe went through a bridge from one port to another, at which `bcast_flood` (IPv4) or `mcast_flood` (IPv6)
      is off. Or a neighbour of another network namespace, through whose bridge the question goes, does not answer, and
      one of the bridge's ports is so.
      """,
    advice: """
      Run the remedy. Where it is meant, as in networks of virtual machines that know all addresses (EVPN), the bridge
      has to answer in the place of its guests: `neigh_suppress on`, with entries in the forwarding table and the
      neighbour table.
      """)

  static let needs: [Need] = [.neighbours]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.isReply, lost.stage == .sent, let plan = lost.header?.probe,
      let request = lost.exchange.request, let port = port(of: request, of: plan, lost.snapshot)
    else { return nil }
    return finding(
      port, "so that \(plan.source) asks for \(plan.destination) in vain, and sends nothing",
      version: lost.version)
  }

  static func finding(_ port: LinkMessage, _ consequence: String, version: Int) -> Finding {
    let setting: Command = version == 4 ? "bcast_flood" : "mcast_flood"
    let what = version == 4 ? "broadcasts" : "messages to groups"
    return error(
      "the bridge sends no \(what) by \(Escape.name(port.name)) (\(setting.text) is off), \(consequence)",
      confidence: .likely,
      evidence: [.floodOff(port.name, setting: setting.text)],
      remedy: try "bridge link set dev \(Word.device(port.name)) \(setting) on")
  }

  /// The port by which a probe left its bridge, and by which its client's question does not.
  static func port(
    of request: Journey, of plan: ProbePlan, _ snapshot: Snapshot
  ) -> LinkMessage? {
    guard plan.entrance == .arriving, !plan.hasChosenReceiver, !plan.destination.isMulticast,
      let output = snapshot.link(request.exit), let bridge = snapshot.bridge(of: output.name),
      bridge == snapshot.bridge(of: request.hops.first?.inDevice),
      request.isBridged || !request.metIP
    else { return nil }
    return output.isQuiet(version: plan.version) ? output : nil
  }
}

extension Story {
  /// Whether the client of a probe asks its neighbour behind the same bridge in vain.
  func isUnheard(probe sequence: Int) -> Bool {
    guard let plan = header?.probe else { return false }
    return openJourneys(probe: sequence).contains {
      $0.direction == .request && BridgeFloodOff.port(of: $0, of: plan, snapshot) != nil
    }
  }

  /// That a bridge here does not hand on the question for a neighbour.
  func questionKept(of neighbour: IPAddress) -> Finding? {
    let bridges = snapshot.links.values.filter { $0.kind == "bridge" }.map(\.name).sorted()
    let port = bridges.lazy.compactMap {
      snapshot.quietPort(of: $0, version: neighbour.family)
    }.first
    return port.map {
      told(
        BridgeFloodOff.finding(
          $0, "so that \(neighbour), if it is there, does not hear that it is asked for",
          version: neighbour.family))
    }
  }
}

extension Snapshot {
  /// A port of a bridge by which neighbours are not asked.
  fileprivate func quietPort(of bridge: String, version: Int) -> LinkMessage? {
    ports(of: bridge).first { $0.isQuiet(version: version) }
  }
}

extension LinkMessage {
  fileprivate func isQuiet(version: Int) -> Bool {
    (version == 4 ? floodsBroadcasts : floodsGroups) == false
  }
}

extension Journey {
  /// Whether it came to a hook of IP, and not only to those of its interfaces.
  var metIP: Bool { places.contains { ![.ingress, .egress].contains($0.point.hook) } }
}
