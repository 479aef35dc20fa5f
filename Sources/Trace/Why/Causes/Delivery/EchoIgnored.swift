internal import Wire

extension FindingID {
  static let echoIgnored = FindingID(rawValue: "echo-ignored")
}

extension Setting {
  fileprivate static let ignoreAll4 = Setting("net/ipv4/icmp_echo_ignore_all")
  fileprivate static let ignoreAll6 = Setting("net/ipv6/icmp/echo_ignore_all")
  fileprivate static let ignoreBroadcasts = Setting("net/ipv4/icmp_echo_ignore_broadcasts")
  fileprivate static let ignoreMulticast = Setting("net/ipv6/icmp/echo_ignore_multicast")
}

/// This host does not answer pings.
enum EchoIgnored: Cause {
  static let page = FindingPage(
    .echoIgnored, "This host is set not to answer pings",
    meaning: """
      The echo request was delivered to this host, past all rules. A setting of the kernel has it ignore
      echo requests: all of them, or those to groups and broadcast addresses (which is the default in
      IPv4).
      """,
    certainty: """
      Always certain: the setting was read, and the request was seen at INPUT.
      """,
    conclusion: """
      The request was delivered, no reply was made, and `icmp_echo_ignore_all`, or for a group or
      broadcast address `icmp_echo_ignore_broadcasts` (IPv6: `echo_ignore_multicast`), is 1.
      """,
    advice: """
      Run the remedy if the host should answer. For broadcasts better not: a forged request makes every
      host of the subnet answer to a victim. Other protocols are not affected: try `-p tcp`.
      """)

  static let needs: [Need] = [
    .setting(.ignoreAll4), .setting(.ignoreAll6), .setting(.ignoreBroadcasts),
    .setting(.ignoreMulticast),
  ]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .delivered, let icmp = lost.packet.icmp,
      icmp.isEchoRequest(lost.packet.proto)
    else { return nil }
    var settings = [lost.version == 4 ? Setting.ignoreAll4 : .ignoreAll6]
    if isForMany(lost) {
      settings.append(lost.version == 4 ? .ignoreBroadcasts : .ignoreMulticast)
    }
    guard let name = settings.first(where: { lost.value(of: $0) == "1" })?.name else { return nil }
    return error(
      "this host ignores echo requests: \(name) is 1",
      evidence: [.setting(name, value: "1"), .notReplied],
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
