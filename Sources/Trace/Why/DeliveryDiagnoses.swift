internal import Wire

/// Causes that lie on this host as the packet's destination.
enum DeliveryDiagnoses {
  static let all: [Diagnosis.Cause] = refusals + [echoIgnored]

  /// Those that the refusal itself tells.
  static let refusals: [Diagnosis.Cause] = [noListener, unknownProtocol]

  /// This host, or the one behind it that answered, has nobody at the port.
  static func noListener(_ examined: Case) -> Finding? {
    guard examined.stage == .delivered || examined.stage == .sent, !examined.isReply,
      let refusal = examined.refusal, let port = examined.packet.destinationPort
    else { return nil }
    if let icmp = refusal.packet.icmp {
      guard icmp.isPortUnreachable(refusal.packet.proto) else { return nil }
    }
    let isHere = examined.stage == .delivered
    guard isHere == refusal.isOurs else { return nil }
    let proto = examined.packet.proto == .tcp ? "TCP" : "UDP"
    var evidence = [
      (RuleNames.error(refusal.packet) ?? "a TCP reset")
        + (isHere ? " was sent by this host" : " came back from \(refusal.packet.source)")
    ]
    if examined.delta("UdpNoPorts") > 0 {
      evidence.append("UdpNoPorts went up by \(examined.delta("UdpNoPorts"))")
    }
    let address = examined.packet.destination
    let isReject = examined.packet.proto == .tcp && refusal.packet.icmp != nil
    return .error(
      "no-listener",
      isHere
        ? "this host refused it: nothing listens on \(proto) port \(port) of \(address) here; see "
          + "'ss -ln\(examined.packet.proto == .tcp ? "t" : "u")'"
        : "\(refusal.packet.source) refused it, not this host: "
          + (isReject
            ? "a firewall there rejects it (an absent listener would answer with RST)"
            : "nothing listens on \(proto) port \(port) there, or a firewall there says so"),
      confidence: isHere ? .certain : .likely, evidence: evidence + examined.reasonEvidence)
  }

  /// This host, or the one behind it that answered, has no use for the packet's IP protocol.
  static func unknownProtocol(_ examined: Case) -> Finding? {
    guard examined.stage == .delivered || examined.stage == .sent, !examined.isReply,
      let error = examined.error, error.icmp?.isProtocolUnreachable(error.proto) == true,
      let name = RuleNames.error(error), let refusal = examined.refusal,
      (examined.stage == .delivered) == refusal.isOurs
    else { return nil }
    let proto = "the IP protocol \(examined.packet.proto)"
    return .error(
      "unknown-protocol",
      refusal.isOurs
        ? "this host refused it: nothing here takes \(proto); a module of the kernel, or a program "
          + "with a raw socket, would"
        : "\(error.source) refused it, not this host: nothing there takes \(proto)",
      confidence: refusal.isOurs ? .certain : .likely,
      evidence: [
        name + (refusal.isOurs ? " was sent by this host" : " came back from \(error.source)")
      ] + examined.reasonEvidence)
  }

  static func echoIgnored(_ examined: Case) -> Finding? {
    guard examined.stage == .delivered, let icmp = examined.packet.icmp,
      icmp.isEchoRequest(examined.packet.proto)
    else { return nil }
    var names = [
      examined.version == 4 ? "net.ipv4.icmp_echo_ignore_all" : "net.ipv6.icmp.echo_ignore_all"
    ]
    if isForMany(examined) {
      names.append(
        examined.version == 4
          ? "net.ipv4.icmp_echo_ignore_broadcasts" : "net.ipv6.icmp.echo_ignore_multicast")
    }
    guard let name = names.first(where: { examined.sysctl($0) == "1" }) else { return nil }
    return .error(
      "echo-ignored", "this host ignores echo requests: \(name) is 1",
      evidence: ["\(name) = 1", "delivered at INPUT, and no reply was made"],
      remedy: try "sysctl -w \(Word.sysctl(name))=0")
  }

  /// Whether the packet is for a group, or for everybody in a subnet.
  private static func isForMany(_ examined: Case) -> Bool {
    let destination = examined.packet.destination
    if destination.isMulticast || destination == IPAddress("255.255.255.255") { return true }
    return examined.version == 4
      && examined.environment.addresses.isBroadcast(destination)
  }
}
