internal import Wire

extension FindingID {
  static let acceptQueueFull = FindingID(rawValue: "accept-queue-full")
}

extension Counter {
  static let listenOverflows = Counter("TcpExtListenOverflows")
}

/// A program listens on the port, and has no room for another connection.
enum AcceptQueueFull: Cause {
  static let page = FindingPage(
    .acceptQueueFull, "The program that listens does not take its connections",
    meaning: """
      The SYN was delivered to this host, and a program listens on that TCP port. Connections that are
      established wait in a queue until the program accepts them; the queue is full, so the kernel drops
      every further SYN without an answer. To the client it looks as if a firewall dropped it.
      """,
    certainty: """
      Certain where the listener's queue was seen to be full. Likely otherwise: the kernel counts such
      drops for all ports of the namespace together.
      """,
    conclusion: """
      A SYN was seen at INPUT, nothing answered it, and the listener's queue holds more connections than
      it may, or the counter `TcpExtListenOverflows` went up while the probe was on its way. A port on
      which nobody listens would have answered with a reset.
      """,
    advice: """
      `ss -lnt` shows the queue of each listener: `Recv-Q` is how many wait, `Send-Q` how many may. See
      why the program does not accept: it hangs, it waits for a database, it has too few threads or no
      file descriptors left. If it is only slow at times, a longer queue helps: the program's own backlog
      (in nginx `listen … backlog=`), which `net.core.somaxconn` bounds.
      """)

  static let needs: [Need] = [.counter(.listenOverflows), .host(.sockets)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .delivered, !lost.isReply, lost.packet.tcp?.flags == .syn,
      lost.refusal == nil, let port = lost.packet.destinationPort
    else { return nil }
    let rises = lost.rises([.listenOverflows])
    let listeners = lost.listeners
    // Of several at one port, each has its share of the clients.
    let full = listeners.filter(\.isFull)
    guard !rises.isEmpty || !full.isEmpty else { return nil }
    let socket = full.first ?? listeners.first
    let who =
      socket?.program.map { "\(Escape.name($0)), which listens on TCP port \(port) of this host," }
      ?? "the program that listens on TCP port \(port) of this host"
    return error(
      "\(who) does not take its connections: its "
        + "queue is full, and the kernel drops new ones; see 'ss -lnt'",
      confidence: !full.isEmpty && full.count == listeners.count ? .certain : .likely,
      evidence: [.notReplied]
        + (socket.map { [lost.evidence($0), .acceptQueue($0.queued, of: $0.limit)] } ?? [])
        + rises + lost.reasonEvidence)
  }
}
