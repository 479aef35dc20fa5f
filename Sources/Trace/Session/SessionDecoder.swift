package import Wire

/// Reads sessions, and NFLOG captures that other programs made, as their octets come in.
package struct SessionDecoder: Sendable {
  private var decoder = CaptureDecoder()
  private var interfaces: [LinkType] = []
  /// Network namespaces of the section, of which each has interfaces of its own.
  private var places = 1

  /// What a file yields.
  package enum Element: Sendable {
    /// A new section; with nil, one that other programs made.
    case header(SessionHeader?)
    case record(Record)
  }

  /// A decoder before its first octet.
  package init() {}

  /// Whether any interface so far holds what nftrace reads.
  package private(set) var holdsNetfilter = false

  /// Takes in the next octets of the file.
  package mutating func feed(_ bytes: [UInt8]) { decoder.feed(bytes) }

  /// The next element; nil when more octets are needed. Throws where the file is damaged.
  package mutating func next() throws(CaptureDamage) -> Element? {
    while let block = try decoder.next() {
      switch block {
      case .section(let section):
        interfaces = []
        let header = section.comments.lazy.compactMap { SessionHeader(json: $0) }.first
        places = (header?.others.count ?? 0) + 1
        return .header(header)
      case .interface(let interface):
        interfaces.append(interface.linkType)
        holdsNetfilter = holdsNetfilter || interface.linkType == .nflog
      case .packet(let packet):
        if let record = record(packet) { return .record(record) }
      case .statistics(let statistics):
        if let comment = statistics.comment, comment.hasPrefix(SessionFile.notePrefix) {
          guard let note = Note(json: String(comment.dropFirst(SessionFile.notePrefix.count)))
          else { continue }
          return .record(
            Record(time: statistics.time, .note(note), at: place(statistics.interface)))
        }
        guard statistics.comment == SessionFile.lostComment else { continue }
        let count = statistics.dropped.map { Int(clamping: $0) } ?? 0
        return .record(
          Record(
            time: statistics.time, .lost(count == 0 ? nil : count),
            at: place(statistics.interface)))
      case .unknown: continue
      }
    }
    return nil
  }

  /// Throws if the file ends in the middle of a block.
  package mutating func finish() throws(CaptureDamage) { try decoder.finish() }

  private func place(_ interface: Int) -> Int {
    min(interface / SessionFile.interfacesOfPlace, places - 1)
  }

  private func record(_ packet: CapturedPacket) -> Record? {
    content(packet).map { Record(time: packet.time, $0, at: place(packet.interface)) }
  }

  private func content(_ packet: CapturedPacket) -> Record.Content? {
    guard interfaces.indices.contains(packet.interface) else { return nil }
    switch interfaces[packet.interface] {
    case .nflog: return .log(packet.data)
    case .netlink:
      var reader = ByteReader(packet.data.span)
      guard (try? reader.skip(16)) != nil,
        let message = try? NetlinkMessage(parsing: &reader)
      else { return nil }
      return .netlink(message)
    case .raw:
      return packet.direction == .inbound ? .received(packet.data) : .sent(packet.data)
    default: return nil
    }
  }
}
