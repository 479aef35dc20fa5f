internal import Wire

/// Sessions as pcapng: one section whose comment is the session's header, three interfaces.
/// Interface 0 has the NFLOG messages, 1 all other netlink messages, 2 the packets sent and read.
package enum SessionFile {
  /// The octets that begin a session.
  package static func beginning(_ header: SessionHeader) -> [UInt8] {
    let blocks: [CaptureBlock] = [
      .section(
        CaptureSection(
          os: "Linux \(header.kernel)", application: "nftrace \(header.version)",
          comments: [header.json])),
      .interface(
        CaptureInterface(
          linkType: .nflog, name: "nflog", description: "netfilter log messages of nftrace's rules")
      ),
      .interface(
        CaptureInterface(
          linkType: .netlink, name: "netlink",
          description: "nf_tables trace, conntrack, ruleset and routing messages")),
      .interface(
        CaptureInterface(
          linkType: .raw, name: header.probe?.device ?? "probe",
          description: "packets that nftrace sent and received")),
    ]
    return blocks.flatMap(\.bytes)
  }

  /// A beginning of which nobody knows anything: what comes behind it can be read.
  static var anyBeginning: [UInt8] {
    beginning(SessionHeader(command: "", version: "", kernel: "", points: [], table: ""))
  }

  /// The octets of one record.
  package static func bytes(_ record: Record) -> [UInt8] {
    switch record.content {
    case .log(let payload): packet(0, record.time, payload)
    // The kernel log's own text is what keeps these.
    case .line: []
    case .netlink(let message):
      packet(1, record.time, cooked(message), comment: comment(message))
    case .sent(let bytes): packet(2, record.time, bytes, direction: .outbound)
    case .received(let bytes): packet(2, record.time, bytes, direction: .inbound)
    case .lost(let count):
      CaptureBlock.statistics(
        CaptureStatistics(
          interface: 0, time: record.time, dropped: UInt64(clamping: count ?? 0),
          comment: lostComment)
      ).bytes
    case .note(let note):
      CaptureBlock.statistics(
        CaptureStatistics(
          interface: 1, time: record.time, comment: notePrefix + note.json)
      ).bytes
    }
  }

  /// What begins the comment of a statistics block that holds a note.
  static let notePrefix = "nftrace note "

  static let lostComment = "the kernel reported lost messages here"

  private static func packet(
    _ interface: Int, _ time: UInt64, _ data: [UInt8], direction: CaptureDirection? = nil,
    comment: String? = nil
  ) -> [UInt8] {
    CaptureBlock.packet(
      CapturedPacket(
        interface: interface, time: time, data: data, direction: direction, comment: comment)
    ).bytes
  }

  /// LINKTYPE_NETLINK: packet type 0, ARPHRD_NETLINK 824, ten zeros, the netlink family, all in
  /// network order; then the message. Types below 0x100 are rtnetlink's, the others nfnetlink's.
  private static func cooked(_ message: NetlinkMessage) -> [UInt8] {
    let family: UInt8 = message.type < 0x100 ? 0 : 12
    return [0, 0, 3, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, family] + message.bytes
  }

  /// What Wireshark does not decode is said in words.
  private static func comment(_ message: NetlinkMessage) -> String? {
    guard message.type == TraceMessage.type, let trace = try? TraceMessage(message.payload) else {
      return nil
    }
    let rule = trace.handle.map { "rule handle \($0)" } ?? "\(trace.kind)"
    let target = trace.target.map { " \($0)" } ?? ""
    return "trace \(String(trace.id, radix: 16)) \(NFProto.name(trace.family)) \(trace.table)"
      + " \(trace.chain) \(rule) verdict \(trace.verdict)\(target)"
  }
}
