internal import Wire

extension FindingID {
  static let reversePathFilter = FindingID(rawValue: "reverse-path-filter")
}

extension InterfaceSetting {
  static let rpFilter = InterfaceSetting("rp_filter", versions: [4])
  static let validMark = InterfaceSetting("src_valid_mark", versions: [4])
}

extension Counter {
  fileprivate static let rpFilter = Counter("TcpExtIPReversePathFilter")
}

/// The packet came in by an interface that does not lead back to its source.
enum ReversePathFilter: Cause {
  static let page = FindingPage(
    .reversePathFilter, "The reverse path filter dropped the packet",
    meaning: """
      With `rp_filter`, the kernel looks up the way back to the source of each IPv4 packet that comes
      in. In strict mode (1) that must be the interface it came in by; in loose mode (2) there must be
      some way. The packet failed that test. Nobody is told.
      """,
    certainty: """
      Always certain: the settings were read, and the way back was looked up.
      """,
    conclusion: """
      The lookup of the packet as it came in is refused (EINVAL, or EXDEV on older kernels), the greater
      of `rp_filter` of "all" and of the interface is above 0, and the lookup of the source leads to
      another interface, or nowhere. The counter `TcpExtIPReversePathFilter` confirms it.
      """,
    advice: """
      If the source really is behind that interface, give it a route there: that is the remedy for a
      request. If it is a host on the Internet that asked by a second uplink, the remedy lets what has that
      uplink's address leave by it. If answers come back by another way than requests leave, as with two uplinks or a VPN,
      use loose mode: the remedy for an answer. Note that the greater of the two settings counts, so to
      switch the filter off both must be 0.
      """)

  static let needs: [Need] = [
    .wayBack, .routes, .neighbours, .interfaceSetting(.rpFilter), .interfaceSetting(.validMark),
    .counter(.rpFilter),
  ]

  static let isToldByRouting = true

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let packet = lost.packetInRouting, let hop = lost.routed, lost.version == 4,
      let device = hop.inDevice, let errno = lost.route?.errno,
      // The latter of older kernels: of 5.10 and 6.1, and not of 6.18.
      errno == RouteErrno.invalid || errno == RouteErrno.crossDevice
    else { return nil }
    let all = lost.setting(.rpFilter, of: "all")
    let own = lost.setting(.rpFilter, of: device)
    let settings = [all, own].compactMap { $0 }
    let mode = settings.compactMap { Int($0.value) }.max() ?? 0
    guard mode > 0 else { return nil }
    // With the packet's mark where either of two settings has it so.
    let marked = ["all", device].compactMap { lost.setting(.validMark, of: $0) }
      .filter { $0.value == "1" }
    guard let back = ReversePath(lost, mark: marked.isEmpty ? 0 : hop.mark),
      mode == 2 ? back.route == nil : !lost.snapshot.isSamePlace(back.device, device)
    else { return nil }
    let why =
      back.device.map {
        "the way back to \(packet.source) is \($0)\(back.tableWords), not \(device)"
      } ?? "there is no way back to \(packet.source)"
    let setting = (own ?? all)!.name
    let loosened = { () throws(Word.Unspeakable) -> Command? in
      mode == 2 ? nil : "sysctl -w \(try Word.sysctl(setting))=2"
    }
    let remedy = { () throws(Word.Unspeakable) -> Command? in
      try back.remedy(loosened: try loosened())
    }
    return error(
      "the reverse path filter dropped the \(RuleNames.what(lost)): \(why)",
      evidence: (settings + (hop.mark == 0 ? [] : marked)).map {
        .setting($0.name, value: $0.value)
      } + back.evidence
        + lost.rises([.rpFilter]) + lost.reasonEvidence,
      remedy: try remedy(), alternatives: [try? remedy(), try? loosened()]
    ).inShort(
      (lost.isReply ? "its answer was " : "") + "dropped by the reverse path filter of \(device)")
  }
}
