internal import Wire

/// Sessions as pcapng: one section whose comment is the session's header, three interfaces.
/// Where the header is long, the section has the beginning of it, and all of it stands with the first packet.
/// Interface 0 has the NFLOG messages, 1 all other netlink messages, 2 the packets sent and read; of the next
/// network namespace, 3, 4 and 5 have the same.
package enum SessionFile {
  /// The octets that begin a session.
  package static func beginning(_ header: SessionHeader) -> [UInt8] {
    let interfaces = ([header] + header.others).flatMap(interfaces)
    let whole = section(header)
    if whole.count < mostOctets { return whole + interfaces }
    let short = section(header.short)
    var octets = (short.count < mostOctets ? short : section(header.shortest)) + interfaces
    let nothing = NetlinkMessage(type: nothing, payload: [])
    append(
      Record(time: header.started ?? 0, .netlink(nothing)), nothing,
      comment: headerPrefix + header.json, to: &octets)
    return octets
  }

  /// A section's first block is shorter than this, in octets: dumpcap takes no longer one from a pipe.
  package static let mostOctets = 1900

  /// What begins the comment of the packet that bears the header: a message in which nothing is, NLMSG_NOOP.
  static let headerPrefix = "nftrace session "
  private static let nothing: UInt16 = 1

  private static func section(_ header: SessionHeader) -> [UInt8] {
    CaptureBlock.section(
      CaptureSection(
        os: "Linux \(header.kernel)", application: "nftrace \(header.version)",
        comments: [header.json])
    ).bytes
  }

  /// Interfaces of one network namespace.
  static let interfacesOfPlace = 3

  private static func interfaces(_ header: SessionHeader) -> [UInt8] {
    let blocks: [CaptureBlock] = [
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
    var octets: [UInt8] = []
    append(record, to: &octets)
    return octets
  }

  /// Appends the octets of one record.
  package static func append(_ record: Record, to octets: inout [UInt8]) {
    switch record.content {
    case .log(let payload): append(record, 0, payload, to: &octets)
    // The kernel log's own text is what keeps these.
    case .line: break
    case .netlink(let message):
      append(record, message, comment: comment(message), to: &octets)
    case .sent(let bytes): append(record, 2, bytes, direction: .outbound, to: &octets)
    case .received(let bytes): append(record, 2, bytes, direction: .inbound, to: &octets)
    case .lost(let count):
      CaptureBlock.statistics(
        CaptureStatistics(
          interface: interface(0, record), time: record.time, dropped: UInt64(clamping: count ?? 0),
          comment: lostComment)
      ).append(to: &octets)
    case .note(let note):
      CaptureBlock.statistics(
        CaptureStatistics(
          interface: interface(1, record), time: record.time, comment: notePrefix + note.json)
      ).append(to: &octets)
    }
  }

  /// What begins the comment of a statistics block that holds a note.
  static let notePrefix = "nftrace note "

  static let lostComment = "the kernel reported lost messages here"

  private static func append(
    _ record: Record, _ number: Int, _ data: [UInt8], direction: CaptureDirection? = nil,
    to octets: inout [UInt8]
  ) {
    CapturedPacket.append(
      to: &octets, interface: interface(number, record), time: record.time, count: data.count,
      direction: direction
    ) { $0 += data }
  }

  /// LINKTYPE_NETLINK: packet type 0, ARPHRD_NETLINK 824, ten zeros, the netlink family, all in
  /// network order; then the message. Types below 0x100 are rtnetlink's, the others nfnetlink's.
  private static func append(
    _ record: Record, _ message: NetlinkMessage, comment: String?, to octets: inout [UInt8]
  ) {
    CapturedPacket.append(
      to: &octets, interface: interface(1, record), time: record.time,
      count: cooked.count + 1 + NetlinkMessage.headerLength + message.payload.count,
      comment: comment
    ) { octets in
      octets += cooked
      octets.append(message.type < 0x100 ? 0 : 12)
      message.append(to: &octets)
    }
  }

  private static let cooked: [UInt8] = [0, 0, 3, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]

  private static func interface(_ number: Int, _ record: Record) -> Int {
    record.place * interfacesOfPlace + number
  }

  /// What Wireshark does not decode is said in words. Of nftrace's own rules there is nothing to say that their log
  /// messages do not, and they are half of all there is.
  private static func comment(_ message: NetlinkMessage) -> String? {
    guard message.type == TraceMessage.type,
      let trace = try? TraceMessage(message.payload, unlessOf: OwnTable.prefix)
    else { return nil }
    let rule = trace.handle.map { "rule handle \($0)" } ?? "\(trace.kind)"
    let target = trace.target.map { " \($0)" } ?? ""
    return "trace \(String(trace.id, radix: 16)) \(NFProto.name(trace.family)) \(trace.table)"
      + " \(trace.chain) \(rule) verdict \(trace.verdict)\(target)"
  }
}
