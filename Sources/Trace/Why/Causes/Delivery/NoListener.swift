internal import Wire

extension FindingID {
  static let noListener = FindingID(rawValue: "no-listener")
}

extension Counter {
  fileprivate static let udpNoPorts = Counter("UdpNoPorts")
}

/// This host, or the one behind it that answered, has nobody at the port.
enum NoListener: Cause {
  static let page = FindingPage(
    .noListener, "Nobody listens on the port",
    meaning: """
      The packet arrived where it was to go, and was refused: no program there listens on that TCP or
      UDP port. The finding says whether this host or the far end refused it. A TCP port that is refused
      with an ICMP error instead of a reset is refused by a firewall.
      """,
    certainty: """
      Certain where this host refused it. Likely where another machine did: a firewall there may answer
      in the same way.
      """,
    conclusion: """
      A TCP reset, or an ICMP error "port unreachable", answered the packet, and it was this host that
      sent it if the packet was delivered here, another if not. `UdpNoPorts` confirms it for UDP.
      """,
    advice: """
      On the machine that refused it: start the service, and look with `ss -lnt` or `ss -lnu` whether it
      listens on this address. One that is bound to 127.0.0.1, or to the other IP version alone, is not
      reached. If it was this host and should not have been, a rule that forwards the port is missing,
      or does not fit this interface or address.
      """)

  static let needs: [Need] = [.counter(.udpNoPorts)]

  static let isToldByRefusal = true

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .delivered || lost.stage == .sent, !lost.isReply,
      let refusal = lost.refusal, let port = lost.packet.destinationPort
    else { return nil }
    if let icmp = refusal.packet.icmp {
      guard icmp.isPortUnreachable(refusal.packet.proto) else { return nil }
    }
    let isHere = lost.stage == .delivered
    guard isHere == refusal.isOurs else { return nil }
    let proto = lost.packet.proto == .tcp ? "TCP" : "UDP"
    let address = lost.packet.destination
    let isReject = lost.packet.proto == .tcp && refusal.packet.icmp != nil
    return error(
      isHere
        ? "this host refused it: nothing listens on \(proto) port \(port) of \(address) here; see "
          + "'ss -ln\(lost.packet.proto == .tcp ? "t" : "u")'"
        : "\(refusal.packet.source) refused it, not this host: "
          + (isReject
            ? "a firewall there rejects it (an absent listener would answer with RST)"
            : "nothing listens on \(proto) port \(port) there, or a firewall there says so"),
      confidence: isHere ? .certain : .likely,
      evidence: [.refusal(refusal.packet, isOurs: isHere)] + lost.rises([.udpNoPorts])
        + lost.reasonEvidence)
  }
}
