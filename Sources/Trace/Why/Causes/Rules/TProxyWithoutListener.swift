internal import Wire

extension FindingID {
  static let tproxyWithoutListener = FindingID(rawValue: "tproxy-without-listener")
}

/// A rule gives the packet to a transparent proxy that is not there.
enum TProxyWithoutListener: Cause {
  static let page = FindingPage(
    .tproxyWithoutListener, "No transparent socket is there for a TPROXY rule",
    meaning: """
      A TPROXY rule gives packets that are for others to a proxy on this host (Squid, HAProxy, Envoy,
      sing-box). It asks for a socket at its port that was opened as transparent. There is none, so the
      rule drops the packet; a rule of nft passes it over, and the packet goes on to the next rule.
      """,
    certainty: """
      Certain where the trace has the rule's verdict, likely where the rule passed it over: no trace tells of that.
      """,
    conclusion: """
      A rule with the target TPROXY dropped the packet, which it does where it finds no such socket. Or the
      packet came to this host, and a rule of nft with `tproxy` that fits it names a port without such a
      socket. What listens at that port without being transparent is in the evidence.
      """,
    advice: """
      Start the proxy, and see that it listens on the rule's port (`ss -lntp`) and IP version, and opens
      its socket as transparent (IP_TRANSPARENT, which takes CAP_NET_ADMIN): in Squid `tproxy` behind the
      port, in HAProxy `transparent`.
      """)

  static let needs: [Need] = [.host(.sockets)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let step = lost.decider, step.verdict == .drop, let proxy = TransparentProxy(step) else {
      return nil
    }
    let port = proxy.port.flatMap { $0 == 0 ? nil : $0 } ?? lost.packet.destinationPort ?? 0
    let near = near(port, lost)
    return error(
      "\(RuleNames.rule(step)) gives it to a transparent proxy on \(lost.portName(port)), and no "
        + "transparent socket listens there" + words(near, lost),
      evidence: step.evidence + near.map { lost.evidence($0) } + lost.reasonEvidence,
      at: RuleNames.place(step, lost))
  }

  /// The sockets at the proxy's port.
  static func near(_ port: UInt16, _ lost: LostPacket) -> [HostSocket] {
    (lost.host(.sockets).sockets ?? []).filter {
      $0.port == port && $0.proto == lost.packet.proto
    }
  }

  /// Why these do not do, behind a sentence.
  static func words(_ near: [HostSocket], _ lost: LostPacket) -> String {
    let opaque = near.first { $0.isTransparent == false && $0.takes(version: lost.version) }
    let otherwise = near.first { !$0.takes(version: lost.version) }
    return opaque.map { ": that of \($0.programName) is none (IP_TRANSPARENT)" }
      ?? otherwise.map { ": \($0.programName) listens on \($0.place), for the other IP version" }
      ?? ""
  }
}
