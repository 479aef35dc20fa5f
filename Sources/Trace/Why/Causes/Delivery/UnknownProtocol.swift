internal import Wire

extension FindingID {
  static let unknownProtocol = FindingID(rawValue: "unknown-protocol")
}

/// This host, or the one behind it that answered, has no use for the packet's IP protocol.
enum UnknownProtocol: Cause {
  static let page = FindingPage(
    .unknownProtocol, "Nobody takes the IP protocol",
    meaning: """
      The packet arrived where it was to go, and its IP protocol, neither TCP nor UDP nor ICMP, is one
      that nothing there handles. It was refused with an ICMP error (3/2; ICMPv6 4/1).
      """,
    certainty: """
      Certain where this host refused it, likely where another machine did.
      """,
    conclusion: """
      An ICMP error "protocol unreachable" (ICMPv6: "unrecognized next header") answered the packet, and
      it was this host that sent it if the packet was delivered here, another if not.
      """,
    advice: """
      Load the kernel module that handles the protocol (`modprobe ip_gre`, `sctp`, `esp4` …), or start
      the program that has a raw socket for it. Behind a router with NAT, such protocols need an
      explicit DNAT, for they have no ports to tell clients apart.
      """)

  static let isToldByRefusal = true

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .delivered || lost.stage == .sent, !lost.isReply,
      let error = lost.error, error.icmp?.isProtocolUnreachable(error.proto) == true,
      let refusal = lost.refusal, (lost.stage == .delivered) == refusal.isOurs
    else { return nil }
    let proto = "the IP protocol \(lost.packet.proto)"
    return Self.error(
      refusal.isOurs
        ? "this host refused it: nothing here takes \(proto); a module of the kernel, or a program "
          + "with a raw socket, would"
        : "\(error.source) refused it, not this host: nothing there takes \(proto)",
      confidence: refusal.isOurs ? .certain : .likely,
      evidence: [.refusal(error, isOurs: refusal.isOurs)] + lost.reasonEvidence)
  }
}
