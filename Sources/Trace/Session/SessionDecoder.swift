package import Wire

/// Reads sessions, and NFLOG captures that other programs made, as their octets come in.
package struct SessionDecoder: Sendable {
  private var decoder = CaptureDecoder()
  private var interfaces: [LinkType] = []
  /// Network namespaces of the section, of which each has interfaces of its own.
  private var places = 1
  /// What a section begins with whose header follows whole: one at most. (To ask whether an optional one is there would copy
  /// it, and a header is large.)
  private var begun: [SessionHeader] = []
  /// What comes next, if that is known already.
  private var following: Element?

  private var isOfPackets = false

  /// What a file yields.
  package enum Element: Sendable {
    /// A new section; with nil, one that other programs made. (It is much larger than a record, and comes once.)
    indirect case header(SessionHeader?)
    case record(Record)
  }

  /// A decoder before its first octet.
  package init() {}

  /// Whether any interface so far holds what nftrace reads.
  package private(set) var holdsNetfilter = false

  /// Takes in the next octets of the file.
  package mutating func feed(_ bytes: [UInt8]) { decoder.feed(bytes) }

  /// A decoder of what can be a packet alone, for who looks through much for little: netlink messages are left out.
  package init(packetsAlone: Bool) { isOfPackets = packetsAlone }

  /// The next element; nil when more octets are needed. Throws where the file is damaged.
  package mutating func next() throws(CaptureDamage) -> Element? {
    if let element = following.take() { return element }
    decoder.readsComments = awaitsHeader
    while let block = try decoder.next() {
      let isPacket = if case .packet = block { true } else { false }
      guard let element = element(block) else { continue }
      if !awaitsHeader, case .record = element { return element }
      defer { decoder.readsComments = awaitsHeader }
      let short = begun.first
      begun = []
      if case .header(let header?) = element {
        if header.isContinued == true {
          begun = [header]
          if short == nil { continue }
        } else if isPacket {
          return element
        } else if short != nil {
          following = element
        }
      } else if short != nil {
        following = element
      }
      // Where the rest does not follow, what there is of it has to do.
      return short.map { .header($0) } ?? element
    }
    return nil
  }

  /// The same, but messages about packets are only counted.
  package mutating func next(passing: inout PassedRecords) throws(CaptureDamage) -> Element? {
    if following == nil, !awaitsHeader {
      let interfaces = interfaces
      decoder.pass { packet, octets in
        guard interfaces.indices.contains(packet.interface) else { return false }
        return passing.take(packet, in: octets, as: interfaces[packet.interface])
      }
    }
    return try next()
  }

  /// The same, but what is no packet is left where it is, and so is what `pass` says that nothing else is to be known of.
  package mutating func next(
    passing pass: (PacketInFile, [UInt8], LinkType) -> Bool
  ) throws(CaptureDamage) -> Element? {
    if following == nil, !awaitsHeader {
      let interfaces = interfaces
      decoder.pass { packet, octets in
        guard interfaces.indices.contains(packet.interface) else { return false }
        let link = interfaces[packet.interface]
        return link == .netlink || pass(packet, octets, link)
      }
    }
    return try next()
  }

  private mutating func element(_ block: consuming CaptureBlock) -> Element? {
    switch block {
    case .section(let section):
      interfaces = []
      let header = section.comments.lazy.compactMap { SessionHeader(json: $0) }.first
      places = (header?.others.count ?? 0) + 1
      return .header(header)
    case .interface(let interface):
      interfaces.append(interface.linkType)
      holdsNetfilter = holdsNetfilter || interface.linkType == .nflog
      return nil
    case .packet(let packet):
      if awaitsHeader, let comment = packet.comment, comment.hasPrefix(SessionFile.headerPrefix),
        var header = SessionHeader(json: String(comment.dropFirst(SessionFile.headerPrefix.count)))
      {
        header.isContinued = nil
        places = header.others.count + 1
        return .header(header)
      }
      return record(packet).map { .record($0) }
    case .statistics(let statistics): return record(statistics).map { .record($0) }
    case .unknown: return nil
    }
  }

  private func record(_ statistics: CaptureStatistics) -> Record? {
    if let comment = statistics.comment, comment.hasPrefix(SessionFile.notePrefix) {
      return Note(json: String(comment.dropFirst(SessionFile.notePrefix.count))).map {
        Record(time: statistics.time, .note($0), at: place(statistics.interface))
      }
    }
    guard statistics.comment == SessionFile.lostComment else { return nil }
    let count = statistics.dropped.map { Int(clamping: $0) } ?? 0
    return Record(
      time: statistics.time, .lost(count == 0 ? nil : count), at: place(statistics.interface))
  }

  /// Whether a section has begun whose header is to follow whole.
  package var awaitsHeader: Bool { !begun.isEmpty }

  /// Throws if the file ends in the middle of a block.
  package mutating func finish() throws(CaptureDamage) { try decoder.finish() }

  private func place(_ interface: Int) -> Int {
    min(interface / SessionFile.interfacesOfPlace, places - 1)
  }

  private func record(_ packet: consuming CapturedPacket) -> Record? {
    let (time, place) = (packet.time, place(packet.interface))
    return content(packet).map { Record(time: time, $0, at: place) }
  }

  private func content(_ packet: consuming CapturedPacket) -> Record.Content? {
    guard interfaces.indices.contains(packet.interface) else { return nil }
    switch interfaces[packet.interface] {
    case .nflog: return .log(packet.data)
    case .netlink:
      if isOfPackets { return nil }
      return (try? NetlinkMessage(packet.data, from: 16)).map { .netlink($0) }
    case .raw:
      return packet.direction == .inbound ? .received(packet.data) : .sent(packet.data)
    default: return nil
    }
  }
}
