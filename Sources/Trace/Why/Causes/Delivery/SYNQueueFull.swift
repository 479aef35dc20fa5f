internal import Wire

extension FindingID {
  static let synQueueFull = FindingID(rawValue: "syn-queue-full")
}

extension Counter {
  fileprivate static let listenDrops = Counter("TcpExtListenDrops")
}

extension Setting {
  fileprivate static let synCookies = Setting("net/ipv4/tcp_syncookies")
}

/// A program listens on the port, and too many handshakes are under way.
enum SYNQueueFull: Cause {
  static let page = FindingPage(
    .synQueueFull, "Too many handshakes are under way for a new one",
    meaning: """
      The SYN was delivered to this host, and a program listens on that TCP port. Connections whose handshake is not
      over take up room (`net.ipv4.tcp_max_syn_backlog`, and the listener's own backlog). It is used up, as in a
      SYN flood, and SYN cookies, with which the kernel does without that room, are off: so it drops every further
      SYN without an answer.
      """,
    certainty: """
      Likely: the kernel counts such drops for all ports of the namespace together.
      """,
    conclusion: """
      A SYN was seen at INPUT, a program listens, nothing answered, `TcpExtListenDrops` went up meanwhile,
      `TcpExtListenOverflows` did not, and `net.ipv4.tcp_syncookies` is 0.
      """,
    advice: """
      Run the remedy. `ss -nt state syn-recv` lists the handshakes; many from addresses that never go on are a flood.
      """)

  static let needs: [Need] = [
    .counter(.listenDrops), .counter(.listenOverflows), .setting(.synCookies), .host(.sockets),
  ]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .delivered, !lost.isReply, lost.packet.tcp?.flags == .syn,
      lost.refusal == nil, let port = lost.packet.destinationPort,
      let socket = lost.listeners.first, lost.delta(.listenDrops) > 0,
      lost.delta(.listenOverflows) == 0, lost.value(of: .synCookies) == "0"
    else { return nil }
    return error(
      "\(socket.programName) listens on TCP port \(port) of this host, and the kernel drops new connections: too "
        + "many handshakes are under way, and SYN cookies are off", confidence: .likely,
      evidence: [.notReplied, lost.evidence(socket)] + lost.rises([.listenDrops])
        + [.setting(Setting.synCookies.name, value: "0")] + lost.reasonEvidence,
      remedy: "sysctl -w net.ipv4.tcp_syncookies=1")
  }
}
