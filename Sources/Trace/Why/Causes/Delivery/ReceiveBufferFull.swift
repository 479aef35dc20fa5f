internal import Wire

extension FindingID {
  static let receiveBufferFull = FindingID(rawValue: "receive-buffer-full")
}

extension Counter {
  fileprivate static let bufferErrors4 = Counter("UdpRcvbufErrors")
  fileprivate static let bufferErrors6 = Counter("Udp6RcvbufErrors")
}

/// A program has the socket, and does not read what comes.
enum ReceiveBufferFull: Cause {
  static let page = FindingPage(
    .receiveBufferFull, "The program that should read the packet does not",
    meaning: """
      The packet was delivered to this host, and a program has a socket for it. What comes waits in the
      socket's receive buffer until the program reads it; the buffer is full, so the kernel drops every
      further packet without a word. To the client it looks as if a firewall dropped it.
      """,
    certainty: """
      Certain where the kernel gave this reason for the drop. Likely where it may not be asked for its
      reasons: its counter is one for all ports.
      """,
    conclusion: """
      The packet was seen at INPUT, nothing answered it, and the kernel's drop reason is
      SOCKET_RCVBUFF or PROTO_MEM; or the counter `UdpRcvbufErrors` (IPv6: `Udp6RcvbufErrors`) went up
      and the socket's buffer is as full as it may be.
      """,
    advice: """
      `ss -lnup` shows each socket's queue: `Recv-Q` is what waits there. See why the program does not
      read: it hangs, waits for something else, or is too slow. If packets come in bursts, a larger buffer
      helps: the program's own setting (SO_RCVBUF), which `net.core.rmem_max` bounds. PROTO_MEM is
      the memory of all such sockets together: `net.ipv4.udp_mem`.
      """)

  static let needs: [Need] = [
    .counter(.bufferErrors4), .counter(.bufferErrors6), .host(.sockets),
  ]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .delivered, lost.refusal == nil else { return nil }
    let reasons = ["SOCKET_RCVBUFF", "PROTO_MEM"]
    let isNamed = lost.socketReason.map { reasons.contains($0) } ?? false
    let rises = lost.rises([lost.version == 4 ? .bufferErrors4 : .bufferErrors6])
    // The next packet was too long for what room there was.
    let full = lost.listeners.filter { $0.isFull || $0.queued > $0.limit / 2 }
    guard isNamed || lost.packet.proto == .udp && !rises.isEmpty && !full.isEmpty else {
      return nil
    }
    let socket = full.first ?? lost.listeners.first
    let program = socket?.program.map { Escape.name($0) } ?? "the program"
    let port = lost.packet.destinationPort
    let place = port.map { lost.portName($0) } ?? "the IP protocol \(lost.packet.proto)"
    return error(
      "\(program), which has \(place) of this host, does not read what comes: its receive buffer is "
        + "full, and the kernel drops more; see 'ss -lnup'",
      confidence: isNamed ? .certain : .likely,
      evidence: [.notReplied] + (socket.map { evidence($0, lost) } ?? []) + rises
        + lost.socketReasonEvidence)
  }

  private static func evidence(_ socket: HostSocket, _ lost: LostPacket) -> [Evidence] {
    [lost.evidence(socket), .receiveBuffer(socket.queued, of: socket.limit)]
  }
}
