internal import Wire

extension FindingID {
  static let localSource = FindingID(rawValue: "local-source")
}

extension InterfaceSetting {
  fileprivate static let acceptLocal = InterfaceSetting("accept_local", versions: [4])
}

/// The packet came in with a source that is this host's own.
enum LocalSource: Cause {
  static let page = FindingPage(
    .localSource, "The source is an address of this host itself",
    meaning: """
      A packet came in by an interface, and its source is an address that this host has. It should not
      come from outside, and IPv4 drops it. Where such packets are accepted (`accept_local`), or in
      IPv6, the packet may be forwarded; its answer is then for this host and stays here.
      """,
    certainty: """
      Always certain: the address is among those of this host, or a route lookup says so.
      """,
    conclusion: """
      A lookup of the way back to the source says `local`, and the lookup of the packet itself was
      refused with EINVAL. Or the answer was delivered to this host, where the source of the request is
      an address of it.
      """,
    advice: """
      Use another source (`-s`): one that is behind the interface, and not the interface's own address.
      If another machine really sends with this address, two machines have the same one. To ping from
      this host itself, use `nftrace ping --local`.
      """)

  static let needs: [Need] = [.wayBack, .neighbours, .interfaceSetting(.acceptLocal)]

  static func examine(_ lost: LostPacket) -> Finding? {
    if let finding = answerThatStays(lost) { return finding }
    guard let packet = lost.packetInRouting, let hop = lost.routed,
      lost.version == 6 || lost.route?.errno == RouteErrno.invalid,
      lost.wayBack?.route?.kind == .local
    else { return nil }
    let device = hop.inDevice ?? "?"
    let setting = lost.setting(.acceptLocal, of: device)
    return finding(
      packet.source, "a packet with it may not come in from \(device)",
      evidence: (setting.map { [.setting($0.name, value: $0.value)] } ?? [])
        + [.foundLocal(packet.source)] + lost.reasonEvidence)
  }

  /// With accept_local it is forwarded all the same, and its answer is for this host.
  private static func answerThatStays(_ lost: LostPacket) -> Finding? {
    guard lost.isReply, lost.stage == .delivered, lost.header?.probe?.entrance != .local,
      let source = lost.exchange.request?.packet.source, lost.snapshot.isLocal(source)
    else { return nil }
    return finding(source, "the answer stays here", evidence: [.answerDelivered])
  }

  private static func finding(
    _ source: IPAddress, _ what: String, evidence: [Evidence]
  ) -> Finding {
    error(
      "the source \(source) is an address of this host itself: \(what)", evidence: evidence)
  }
}
