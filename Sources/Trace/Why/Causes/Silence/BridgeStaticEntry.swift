internal import Wire

extension FindingID {
  static let bridgeStaticEntry = FindingID(rawValue: "bridge-static-entry")
}

/// A bridge sends the answer out of another port than the one by which its receiver asked: somebody wrote that down.
enum BridgeStaticEntry: Cause {
  static let page = FindingPage(
    .bridgeStaticEntry, "A static entry of the bridge leads to another port",
    meaning: """
      A bridge sends a frame out of the port behind which its forwarding table has the MAC address. It learns that
      from what comes in, but for static entries, which somebody wrote down. Such an entry names another port than
      the one behind which the machine is, so that what is for it goes elsewhere: left over of a virtual machine
      that was moved, for instance.
      """,
    certainty: """
      Certain where the client's MAC address is known. Likely where this host has forgotten it meanwhile, and the port
      has one such entry.
      """,
    conclusion: """
      The answer was sent by the port that a static entry names, and the question had come in by another one.
      """,
    advice: """
      Run the remedy: it removes the entry, and the bridge learns by itself where the machine is. Where entries are
      managed (libvirt's `macTableManager`, a hypervisor's network agent), let that one write it anew.
      """)

  static let needs: [Need] = [.neighbours]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.isReply, lost.stage == .sent,
      let port = lost.lowestDevice, let bridge = lost.snapshot.bridge(of: port),
      let came = lost.request?.journey.hops.first(where: { $0.point.hook == .ingress })?.inDevice,
      came != port, lost.snapshot.bridge(of: came) == bridge
    else { return nil }
    let known = lost.snapshot.neighbour(lost.packet.destination, on: bridge)?.hardwareAddress
    // Who does not hear the question whether he is still there is soon forgotten.
    let entries = lost.snapshot.staticEntries(at: port)
    guard
      let address = known.map({ known in entries.first { $0 == known } })
        ?? (entries.count == 1 ? entries.first : nil)
    else { return nil }
    return error(
      "\(bridge) sent the answer by \(port), for a static entry of its forwarding table has \(address) "
        + "there, and \(lost.packet.destination) asked by \(came)",
      confidence: known == nil ? .likely : .certain,
      evidence: [.staticEntry(address, port: port)],
      remedy: "bridge fdb del \(address) dev \(try Word.device(port)) master")
  }

  /// What to say of a packet that a port sent because somebody wrote down who is behind it: behind a sentence.
  static func words(_ lost: LostPacket) -> String {
    guard let port = lost.lowestDevice, let bridge = lost.snapshot.bridge(of: port),
      let hop = lost.journey.route?.gateway ?? Optional(lost.packet.destination),
      let address = lost.snapshot.neighbour(hop, on: bridge)?.hardwareAddress,
      lost.snapshot.staticEntries(at: port).contains(address)
    else { return "" }
    return
      "; \(bridge) sends it by \(port), for a static entry of its forwarding table has \(address) "
      + "there: see that it is right ('bridge fdb show br \(bridge)')"
  }
}
