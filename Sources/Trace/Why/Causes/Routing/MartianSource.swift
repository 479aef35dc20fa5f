internal import Wire

extension FindingID {
  static let martianSource = FindingID(rawValue: "martian-source")
}

/// The source is one that no packet may have on a wire: 127/8, 0/8, multicast, broadcast.
enum MartianSource: Cause {
  static let page = FindingPage(
    .martianSource, "No packet may come in, or leave, with this source",
    meaning: """
      The packet's source is one that cannot belong to another machine: a loopback address, `0.0.0.0`, a
      group, or the broadcast address. The kernel drops such a packet without a word. In IPv6, a
      link-local source (`fe80::/10`) is good on its own link, and is not forwarded.
      """,
    certainty: """
      Always certain: the address alone decides.
      """,
    conclusion: """
      The packet stopped on arrival or in the routing decision, has such a source, and a route lookup
      does not find a way for it. A packet of this host's own with a loopback source is refused with
      EINVAL when it is sent elsewhere.
      """,
    advice: """
      Find out who sends with this address: a program that is bound to 127.0.0.1 and sends to others, a
      tunnel that passes on what it should not, a forged packet. Use an address that is reached from
      outside.
      """)

  static let needs: [Need] = [.routes, .neighbours]

  static func examine(_ lost: LostPacket) -> Finding? {
    if let translated = translatedAway(lost) { return translated }
    guard lost.stage == .routing || lost.stage == .arrival else { return nil }
    let source = lost.packet.source
    // Addresses that are good for the link alone are not forwarded: RFC 4291 section 2.5.6.
    let isBoundToLink =
      lost.version == 6 && source.isLinkLocal && !lost.packet.destination.isMulticast
    guard
      source.isMulticast || source.isLoopback || source.isThisNetwork || isBoundToLink
        || source == IPAddress("255.255.255.255"),
      lost.version == 6 || lost.route?.route == nil
    else { return nil }
    return error(
      isBoundToLink
        ? "the source \(source) is good for its own link only, and is not forwarded"
        : "no packet may come in with the source \(source): the kernel drops it unseen",
      evidence: lost.reasonEvidence)
  }

  /// A published port of 127.0.0.1: OUTPUT translated the destination to another host, and the source stays
  /// behind.
  private static func translatedAway(_ lost: LostPacket) -> Finding? {
    let source = lost.journey.packet.source
    guard lost.version == 4, source.isLoopback, lost.journey.way.first.point.hook == .output,
      lost.stage != .sent, lost.stage != .delivered,
      let rule = lost.journey.way.rules.last(where: { $0.translation == .dnat }),
      let target = rule.translationTarget, !target.isLoopback, !lost.snapshot.isLocal(target)
    else { return nil }
    let device = lost.snapshot.device(onLinkWith: target)
    return error(
      "\(lost.journey.packet.destination) is translated to \(target), and a packet with the source \(source) may not leave "
        + "by \(device ?? "an interface") unless its route_localnet is 1",
      evidence: rule.evidence + lost.reasonEvidence,
      remedy: try device.map { (device) throws(Word.Unspeakable) -> Command in
        "sysctl -w \(try Word.sysctl("net.ipv4.conf.\(device).route_localnet"))=1"
      })
  }

  static func examine(_ unsent: UnsentPacket) -> Finding? {
    let source = unsent.packet.source
    guard unsent.errno == RouteErrno.invalid, source.isLoopback,
      !unsent.packet.destination.isLoopback
    else { return nil }
    return error(
      "nothing may leave this host with the source \(source)", evidence: unsent.evidence)
  }
}

extension IPAddress {
  /// 0.0.0.0/8, "this network" of RFC 1122, or ::.
  var isThisNetwork: Bool {
    if case .v4(let value) = self { value >> 24 == 0 } else { isUnspecified }
  }
}
