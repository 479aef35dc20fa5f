internal import Wire

extension FindingID {
  static let broadcastNotForwarded = FindingID(rawValue: "broadcast-not-forwarded")
}

extension InterfaceSetting {
  fileprivate static let forwardsBroadcasts = InterfaceSetting("bc_forwarding", versions: [4])
}

/// A packet for all in another subnet of this host's was taken for this host, and went no further.
enum BroadcastNotForwarded: Cause {
  static let page = FindingPage(
    .broadcastNotForwarded, "A broadcast for another subnet is not forwarded",
    meaning: """
      The destination is the broadcast address of a subnet that this host is in by another interface than the
      packet came in by: Wake-on-LAN through a router is sent so. A router takes such a packet for itself, and
      does not send it on, unless it is told to.
      """,
    certainty: """
      Always certain: the settings were read, and the packet was seen to be delivered here.
      """,
    conclusion: """
      The packet was delivered to this host, its destination is the last address of another interface's
      subnet, and `bc_forwarding` of "all" or of the interface that it came in by is 0.
      """,
    advice: """
      Run the remedy: both settings must be 1. Who may send there can then have all in the subnet answer at once, so let
      the firewall take such packets from those alone who need it. What sends Wake-on-LAN from this host itself needs
      no such setting.
      """)

  static let needs: [Need] = [.interfaceSetting(.forwardsBroadcasts)]

  static func examine(_ lost: LostPacket) -> Finding? {
    let destination = lost.packet.destination
    guard lost.stage == .delivered, !lost.isReply, let input = lost.inDevice,
      let output = lost.snapshot.device(broadcastingTo: destination),
      !lost.snapshot.isSamePlace(input, output)
    else { return nil }
    let settings = ["all", input].compactMap { lost.setting(.forwardsBroadcasts, of: $0) }
    guard settings.contains(where: { $0.value == "0" }) else { return nil }
    return error(
      "\(destination) is for all who are on \(output), and this host took it for itself: what comes in by \(input) for "
        + "another subnet's broadcast address is not forwarded",
      evidence: settings.map { .setting($0.name, value: $0.value) },
      remedy: try remedy(settings.map(\.name)))
  }

  private static func remedy(_ names: [String]) throws(Word.Unspeakable) -> Command {
    var words: [Command] = ["sysctl -w"]
    for name in names { words.append("\(try Word.sysctl(name))=1") }
    return words.joined(separator: " ")
  }
}

extension Snapshot {
  /// The interface in whose IPv4 subnet this is the last address.
  fileprivate func device(broadcastingTo address: IPAddress) -> String? {
    guard addresses.isBroadcast(address) else { return nil }
    return links.values.sorted { $0.index < $1.index }.first {
      addresses.networks(of: $0.index).contains { $0.length < 31 && $0.last == address }
    }?.name
  }
}
