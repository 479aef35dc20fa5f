internal import Wire

/// Causes that lie on this host as the packet's destination.
enum DeliveryDiagnoses {
  static let all: [Diagnosis.Cause] = refusals + [echoIgnored]

  /// Those that the refusal itself tells.
  static let refusals: [Diagnosis.Cause] = [noListener, unknownProtocol]

  /// This host, or the one behind it that answered, has nobody at the port.
  static func noListener(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .delivered || lost.stage == .sent, !lost.isReply,
      let refusal = lost.refusal, let port = lost.packet.destinationPort
    else { return nil }
    if let icmp = refusal.packet.icmp {
      guard icmp.isPortUnreachable(refusal.packet.proto) else { return nil }
    }
    let isHere = lost.stage == .delivered
    guard isHere == refusal.isOurs else { return nil }
    let proto = lost.packet.proto == .tcp ? "TCP" : "UDP"
    var evidence = [
      (RuleNames.error(refusal.packet) ?? "a TCP reset")
        + (isHere ? " was sent by this host" : " came back from \(refusal.packet.source)")
    ]
    if lost.delta("UdpNoPorts") > 0 {
      evidence.append("UdpNoPorts went up by \(lost.delta("UdpNoPorts"))")
    }
    let address = lost.packet.destination
    let isReject = lost.packet.proto == .tcp && refusal.packet.icmp != nil
    return .error(
      "no-listener",
      isHere
        ? "this host refused it: nothing listens on \(proto) port \(port) of \(address) here; see "
          + "'ss -ln\(lost.packet.proto == .tcp ? "t" : "u")'"
        : "\(refusal.packet.source) refused it, not this host: "
          + (isReject
            ? "a firewall there rejects it (an absent listener would answer with RST)"
            : "nothing listens on \(proto) port \(port) there, or a firewall there says so"),
      confidence: isHere ? .certain : .likely, evidence: evidence + lost.reasonEvidence)
  }

  /// This host, or the one behind it that answered, has no use for the packet's IP protocol.
  static func unknownProtocol(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .delivered || lost.stage == .sent, !lost.isReply,
      let error = lost.error, error.icmp?.isProtocolUnreachable(error.proto) == true,
      let name = RuleNames.error(error), let refusal = lost.refusal,
      (lost.stage == .delivered) == refusal.isOurs
    else { return nil }
    let proto = "the IP protocol \(lost.packet.proto)"
    return .error(
      "unknown-protocol",
      refusal.isOurs
        ? "this host refused it: nothing here takes \(proto); a module of the kernel, or a program "
          + "with a raw socket, would"
        : "\(error.source) refused it, not this host: nothing there takes \(proto)",
      confidence: refusal.isOurs ? .certain : .likely,
      evidence: [
        name + (refusal.isOurs ? " was sent by this host" : " came back from \(error.source)")
      ] + lost.reasonEvidence)
  }

  static func echoIgnored(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .delivered, let icmp = lost.packet.icmp,
      icmp.isEchoRequest(lost.packet.proto)
    else { return nil }
    var names = [
      lost.version == 4 ? "net.ipv4.icmp_echo_ignore_all" : "net.ipv6.icmp.echo_ignore_all"
    ]
    if isForMany(lost) {
      names.append(
        lost.version == 4
          ? "net.ipv4.icmp_echo_ignore_broadcasts" : "net.ipv6.icmp.echo_ignore_multicast")
    }
    guard let name = names.first(where: { lost.sysctl($0) == "1" }) else { return nil }
    return .error(
      "echo-ignored", "this host ignores echo requests: \(name) is 1",
      evidence: ["\(name) = 1", "delivered at INPUT, and no reply was made"],
      remedy: try "sysctl -w \(Word.sysctl(name))=0")
  }

  /// Whether the packet is for a group, or for everybody in a subnet.
  private static func isForMany(_ lost: LostPacket) -> Bool {
    let destination = lost.packet.destination
    if destination.isMulticast || destination == IPAddress("255.255.255.255") { return true }
    return lost.version == 4
      && lost.snapshot.addresses.isBroadcast(destination)
  }
}
