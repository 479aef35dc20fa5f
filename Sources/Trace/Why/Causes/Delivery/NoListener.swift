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
      with an ICMP error instead of a reset is refused by a firewall. A segment from within a TCP
      connection is refused by whoever does not know that connection, whether or not a program listens.
      """,
    certainty: """
      Certain where this host refused it. Likely where another machine did: a firewall there may answer
      in the same way.
      """,
    conclusion: """
      A TCP reset, or an ICMP error "port unreachable", answered the packet, and it was this host that
      sent it if the packet was delivered here, another if not. `UdpNoPorts` confirms it for UDP. What
      nearly fits is said: a socket at that port with another address, interface or IP version, or one that
      is connected to somebody else, and a NAT rule for the port that asks for something else.
      """,
    advice: """
      On the machine that refused it: start the service, and look with `ss -lnt` or `ss -lnu` whether it
      listens on this address. One that is bound to 127.0.0.1, or to the other IP version alone, is not
      reached. If it was this host and should not have been, a rule that forwards the port is missing,
      or does not fit this interface or address.
      """)

  static let needs: [Need] = [
    .counter(.udpNoPorts), .host(.sockets), .host(.portForwards),
  ]

  static let isToldByRefusal = true

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .delivered || lost.stage == .sent, !lost.isReply,
      let port = lost.packet.destinationPort
    else { return nil }
    guard let refusal = lost.refusal else { return unrefused(lost, port) }
    if let icmp = refusal.packet.icmp {
      guard icmp.isPortUnreachable(refusal.packet.proto) else { return nil }
    }
    let isHere = lost.stage == .delivered
    guard isHere == refusal.isOurs else { return nil }
    if let segment = lost.segmentWithin, refusal.packet.icmp == nil {
      return strayed(segment, lost, port, refusal)
    }
    let isReject = lost.packet.proto == .tcp && refusal.packet.icmp != nil
    let near = NearMiss.listeners(lost) + NearMiss.portForwards(lost)
    return error(
      isHere
        ? "this host refused it: nothing listens on \(lost.portName(port)) of "
          + "\(lost.packet.destination) here" + led(lost) + near.map { "; \($0.words)" }.joined()
          + (isNotForwarded(lost) ? ", and no DNAT rule forwards that port" : "")
          + "; see 'ss -ln\(lost.packet.proto == .tcp ? "t" : "u")'"
        : "\(refusal.packet.source) refused it, not this host: "
          + (isReject
            ? "a firewall there rejects it (an absent listener would answer with RST)"
            : "nothing listens on \(lost.portName(port)) there, or a firewall there says so"),
      confidence: isHere ? .certain : .likely,
      evidence: [.refusal(refusal.packet, isOurs: isHere)]
        + (isHere ? near.map(\.evidence) + translation(lost) : [])
        + lost.rises([.udpNoPorts]) + lost.reasonEvidence,
      remedy: try isHere ? NearMiss.ownPortForward(lost) : nil)
  }

  /// What belongs to a connection is refused by whoever does not know that, whoever listens.
  private static func strayed(
    _ segment: TCPHeader.Flags, _ lost: LostPacket, _ port: UInt16,
    _ refusal: (packet: Packet, isOurs: Bool)
  ) -> Finding {
    let who =
      refusal.isOurs ? "this host refused it" : "\(refusal.packet.source) refused it, not this host"
    let listener = refusal.isOurs ? lost.listeners.first : nil
    return error(
      "\(who): it is a segment from within a TCP connection (\(segment)) that is not known there, which is "
        + "answered with a reset whether or not a program listens on \(lost.portName(port))"
        + (listener.map { " (\($0.programName) does)" } ?? "") + ": a connection begins with a SYN",
      confidence: refusal.isOurs ? .certain : .likely,
      evidence: [.refusal(refusal.packet, isOurs: refusal.isOurs)]
        + (listener.map { [lost.evidence($0)] } ?? []) + lost.reasonEvidence)
  }

  /// What is for many is not refused, and what this host may not answer neither: the kernel says it.
  private static func unrefused(_ lost: LostPacket, _ port: UInt16) -> Finding? {
    guard lost.stage == .delivered, lost.socketReason == "NO_SOCKET" else { return nil }
    let near = NearMiss.listeners(lost)
    return error(
      "nothing listens on \(lost.portName(port)) of \(lost.packet.destination) here"
        + near.map { "; \($0.words)" }.joined() + ", and this host sent no refusal",
      evidence: [.notReplied] + near.map(\.evidence) + lost.socketReasonEvidence)
  }

  /// Whether other ports are forwarded, and this is not.
  private static func isNotForwarded(_ lost: LostPacket) -> Bool {
    lost.destinationChange == nil && lost.host(.portForwards).portForwards?.isEmpty == true
  }

  /// The rule that led it to this port.
  private static func translation(_ lost: LostPacket) -> [Evidence] {
    lost.translator?.evidence ?? []
  }

  /// Which rule led it to this port, where a client asked for another, and whose rule that is.
  private static func led(_ lost: LostPacket) -> String {
    guard let rule = lost.translator, let asked = lost.journey.packet.destinationPort,
      asked != lost.packet.destinationPort
    else { return "" }
    let owner = Owner(rule).map { ", which is \($0.rawValue)'s," } ?? ""
    return ", to which \(RuleNames.rule(rule))\(owner) led it from port \(asked)"
  }
}

extension LostPacket {
  /// The flags of a segment that is of a connection which began before; nil for another packet.
  fileprivate var segmentWithin: TCPHeader.Flags? {
    packet.tcp.flatMap { $0.flags.contains(.ack) ? $0.flags : nil }
  }

  /// The rule that gave the packet another destination.
  var translator: RuleStep? {
    let leg = journey.way.legs.first { leg in
      leg.hop.point.hook != .ingress
        && leg.changes.contains {
          [.destination, .destinationPort].contains($0.field) && $0.cause != .natReply
        }
    }
    return leg?.rules.last { $0.translation != nil } ?? leg?.rules.last { $0.verdict == .accept }
  }
}
