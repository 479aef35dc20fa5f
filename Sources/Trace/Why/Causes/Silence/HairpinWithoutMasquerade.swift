internal import Wire

extension FindingID {
  static let hairpinWithoutMasquerade = FindingID(rawValue: "hairpin-without-masquerade")
}

/// DNAT back into the client's own subnet, and the source stayed as it was.
enum HairpinWithoutMasquerade: Cause {
  static let page = FindingPage(
    .hairpinWithoutMasquerade, "Forwarded back into the client's own subnet, untranslated",
    meaning: """
      A client reaches a service by the public address, and DNAT leads it to a server in the client's own
      subnet. The server sees the client's address, and answers it directly, past this host. The client
      waits for an answer from the public address and throws this one away.
      """,
    certainty: """
      Certain where the answer was seen on its way to the client, as on a bridge of this host. Likely
      otherwise: it does not come by here.
      """,
    conclusion: """
      The destination was translated, the source was not, the packet was sent, and both the client and
      the new destination are in the subnet of the interface that it left by.
      """,
    advice: """
      Run the remedy: a masquerade rule for what goes from that subnet back into it, so that the answer
      comes back here. Or let clients inside have the server's own address from DNS (split horizon).
      """)

  static func examine(_ lost: LostPacket) -> Finding? {
    // An answer that was seen went past the translation.
    if lost.isReply {
      guard !lost.metIP, let request = lost.request else { return nil }
      let setting: Setting = lost.version == 4 ? .callIPTables : .callIP6Tables
      let bridge = lost.snapshot.bridge(of: lost.journey.inDevice)
      let isBridgedPast =
        bridge != nil && bridge == lost.snapshot.bridge(of: lost.lowestDevice)
        && lost.value(of: setting) == "0"
      return examine(request, answer: lost.last.packet, past: isBridgedPast ? setting : nil)
    }
    return examine(lost, answer: nil)
  }

  /// `past` is the setting by which the bridge did not show the answer to IP's hooks.
  private static func examine(
    _ lost: LostPacket, answer: Packet?, past: Setting? = nil
  ) -> Finding? {
    guard lost.stage == .sent, let change = lost.destinationChange,
      lost.sourceChange == nil, let device = lost.outDevice,
      let subnet = lost.snapshot.address(of: device, version: lost.version)?.network,
      subnet.contains(lost.packet.source), subnet.contains(lost.packet.destination)
    else { return nil }
    if let past {
      // Translated back, it comes from where the client asked, and nobody's address is hidden from the server.
      return error(
        "\(change.from) is translated to \(change.to) on the client's own bridge, which hands the answer over past IP's "
          + "hooks, so that it is not translated back: \(past.name) is 0",
        evidence: [
          .sameSubnet(source: lost.packet.source, target: change.to, subnet),
          .setting(past.name, value: "0"),
        ] + (answer.map { [.answerFrom($0)] } ?? []),
        remedy: try "sysctl -w \(Word.sysctl(past.name))=1")
    }
    return error(
      "\(change.from) is translated to \(change.to) in the client's own subnet, so the answer goes "
        + "to the client directly and is not recognised",
      confidence: answer == nil ? .likely : .certain,
      evidence: [.sameSubnet(source: lost.packet.source, target: change.to, subnet)]
        + (answer.map { [.answerFrom($0)] } ?? []),
      remedy: try Remedy.masquerade(lost, from: subnet, device: device),
      alternatives: [false, true].flatMap { first in
        [lost.packet.destination, nil].map {
          try? Remedy.masquerade(lost, from: subnet, to: $0, device: device, first: first)
        }
      })
  }

  static let needs: [Need] = [.neighbours, .setting(.callIPTables), .setting(.callIP6Tables)]
}
