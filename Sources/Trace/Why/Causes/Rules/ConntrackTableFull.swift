internal import Wire

extension FindingID {
  static let conntrackTableFull = FindingID(rawValue: "conntrack-table-full")
}

extension Setting {
  fileprivate static let mostConnections = Setting("net/netfilter/nf_conntrack_max")
  fileprivate static let connections = Setting("net/netfilter/nf_conntrack_count")
}

/// Conntrack had no room for the packet's connection: it drops it between raw and mangle.
enum ConntrackTableFull: Cause {
  static let page = FindingPage(
    .conntrackTableFull, "The connection table is full",
    meaning: """
      Conntrack remembers every connection in a table of limited size. The table is full, so the first
      packet of each new connection is dropped; connections that are known go on. The kernel log says
      `nf_conntrack: table full, dropping packet`.
      """,
    certainty: """
      Certain if the table holds as many connections as it may. Likely if only conntrack's counter of
      drops went up meanwhile: the table was full when the packet came, and had room again afterwards.
      """,
    conclusion: """
      The packet was seen before conntrack (at raw) and not behind it, `nf_conntrack_count` has reached
      `nf_conntrack_max`, or conntrack's counter `drop` went up.
      """,
    advice: """
      Run the remedy, which doubles the limit; each connection takes some 300 octets of memory. Then
      look for what fills the table: `conntrack -L` sorted by source shows a scan or an attack, and
      long timeouts (`nf_conntrack_tcp_timeout_established`: five days) keep what is long over. In a
      container, the limit can be raised in the machine's own namespace only.
      """)

  static let needs: [Need] = [
    .setting(.mostConnections), .setting(.connections), .counter(.conntrackDrop),
  ]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard case .within(let hook) = lost.stage, hook == .prerouting || hook == .output,
      // Before conntrack, and behind the user's chains there, if there are any.
      lost.last.point.priority < -199,
      // A fragment that waits for others does so before that.
      lost.packet.fragment == nil || lost.delta(.conntrackDrop) > 0
    else { return nil }
    let most = lost.value(of: .mostConnections).flatMap { Int($0) }
    let count = lost.value(of: .connections).flatMap { Int($0) }
    let isFull = most.map { count ?? 0 >= $0 } ?? false
    guard isFull || lost.delta(.conntrackDrop) > 0 else { return nil }
    let name = Setting.mostConnections.name
    let isOurs = !lost.snapshot.isReadOnly(name)
    return error(
      "the connection table is full: conntrack drops packets of new connections"
        + (isOurs ? "" : "; \(name) can be raised in the machine's own namespace only"),
      confidence: isFull ? .certain : .likely,
      evidence: [.connectionCount(count ?? 0, of: most ?? 0)]
        + (lost.delta(.conntrackDrop) > 0 ? [.conntrackDropped] : []) + lost.reasonEvidence,
      remedy: try isOurs
        ? most.map { (most) throws(Word.Unspeakable) in
          "sysctl -w \(try Word.sysctl(name))=\(max(2 * most, 65536))"
        } : nil)
  }
}
