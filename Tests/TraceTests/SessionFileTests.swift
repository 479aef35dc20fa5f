import Testing
import Trace
import Wire

@Suite struct SessionFileTests {
  private func decode(_ bytes: [UInt8]) throws -> [SessionDecoder.Element] {
    var decoder = SessionDecoder()
    decoder.feed(bytes)
    var elements: [SessionDecoder.Element] = []
    while let element = try decoder.next() { elements.append(element) }
    try decoder.finish()
    return elements
  }

  @Test func everyRecordComesBack() throws {
    var script = Script()
    script.see(echo(), at: "PREROUTING", id: 1, in: 3)
    script.records += [
      Record(time: 5, .sent(echo().bytes)), Record(time: 6, .received(echo(reply: true).bytes)),
      Record(time: 7, .lost(12)), Record(time: 8, .lost(nil)),
      Record(
        time: 9, .netlink(NetlinkMessage(type: 16, sequence: 3, payload: [UInt8](1...20)))),
    ]
    let bytes = SessionFile.beginning(script.header) + script.records.flatMap(SessionFile.bytes)
    var header: SessionHeader?
    var records: [Record] = []
    for element in try decode(bytes) {
      switch element {
      case .header(let found): header = found
      case .record(let record): records.append(record)
      }
    }
    #expect(header == script.header)
    #expect(records == script.records)
  }

  /// A file cut off anywhere yields what came before the cut, and says at which block it is.
  @Test func everyTruncation() throws {
    var script = Script()
    script.see(echo(), at: "PREROUTING", id: 1, in: 3)
    let beginning = SessionFile.beginning(script.header)
    let blocks = script.records.map(SessionFile.bytes)
    let bytes = beginning + blocks.joined()
    for length in beginning.count..<bytes.count {
      var decoder = SessionDecoder()
      decoder.feed(Array(bytes[..<length]))
      var records = 0
      while let element = try decoder.next() { if case .record = element { records += 1 } }
      let whole = beginning.count + blocks.prefix(records).joined().count
      if whole == length {
        try decoder.finish()
        continue
      }
      let damage = #expect(throws: CaptureDamage.self) { try decoder.finish() }
      #expect(damage?.kind == .truncated)
      #expect(damage?.offset == whole)
    }
  }

  @Test func headersOfOtherProgramsAreNone() throws {
    let bytes = CaptureBlock.section(CaptureSection(comments: ["{\"schema\":\"x\"}"])).bytes
    guard case .header(let header)? = try decode(bytes).first else {
      Issue.record("no header")
      return
    }
    #expect(header == nil)
  }

  /// A header with so many points, and all that people may make long.
  private func long(points: Int, others: Int, name: String) -> SessionHeader {
    var header = Script().header
    header.points = (0..<points).map { number in
      var point = Script().header.points[0]
      point.label = "\(number)-\(point.label)"
      return point
    }
    header.netns = name
    header.netnsPath = "/run/netns/\(name)"
    header.started = 1_800_000_000_000_000_000
    header.targets = (0..<points).map { "10.\($0 / 256).\($0 % 256).0/24" }
    header.others = (0..<others).map { number in
      var other = header
      other.netns = "\(number)-\(name)"
      other.started = nil
      return other
    }
    return header
  }

  /// dumpcap takes no longer section header from a pipe. What is longer stands with the first packet.
  @Test(arguments: [(0, 0, 3), (60, 0, 3), (60, 63, 20), (4000, 1, 4000)])
  func headersOfAnyLength(points: Int, others: Int, length: Int) throws {
    let header = long(points: points, others: others, name: String(repeating: "ü", count: length))
    let record = Record(time: 7, .sent(echo().bytes), at: others)
    let bytes = SessionFile.beginning(header) + SessionFile.bytes(record)
    let first = bytes[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(first < 1900)
    let elements = try decode(bytes)
    #expect(elements.count == 2)
    guard case .header(let found?)? = elements.first, case .record(let again)? = elements.last
    else {
      Issue.record("\(elements.count) elements")
      return
    }
    #expect(found == header && again == record)
    // As many octets at a time as a slow pipe has.
    var tally = SessionTally()
    for start in stride(from: 0, to: bytes.count, by: 50) {
      tally.feed(Array(bytes[start..<min(start + 50, bytes.count)]))
    }
    #expect(tally.header == header && tally.events == 0)
  }

  /// Somebody left out the packet with which it stands: what the section has of it is told.
  @Test func aHeaderWithoutItsRest() throws {
    let header = long(points: 60, others: 0, name: "web")
    let bytes = SessionFile.beginning(header)
    let blocks = try CaptureBlock.all(in: bytes)
    #expect(blocks.count == 5)
    let record = Record(time: 7, .sent(echo().bytes))
    for again in [SessionFile.bytes(record), bytes + SessionFile.bytes(record)] {
      let elements = try decode(blocks.dropLast().flatMap(\.bytes) + again)
      guard case .header(let found?)? = elements.first, case .record(let last)? = elements.last
      else {
        Issue.record("\(elements.count) elements")
        return
      }
      #expect(found.netns == "web" && found.points.isEmpty && last == record)
    }
  }
}

extension SessionFileTests {
  /// What is counted as packets is what `show` tells of: not what neighbours ask each other.
  @Test func whatNeighboursAskIsNotCounted() throws {
    let header = SessionHeader(
      command: "record", version: "1", kernel: "6", points: [], table: "nftrace")
    var bytes = SessionFile.beginning(header)
    func icmp(_ type: UInt8, options: [UInt8] = []) -> [UInt8] {
      let ends: [UInt8] = [0xfe, 0x80] + [UInt8](repeating: 0, count: 13) + [1]
      let body: [UInt8] = [type, 0, 0, 0] + [UInt8](repeating: 7, count: 20)
      return [0x60, 0, 0, 0, 0, UInt8(options.count + body.count), options.isEmpty ? 58 : 0, 255]
        + ends + ends + options + body
    }
    let routerAlert: [UInt8] = [58, 0, 5, 2, 0, 0, 1, 0]
    let packets = [
      icmp(128), icmp(135), icmp(136), icmp(133), icmp(143, options: routerAlert), icmp(1),
    ]
    for (number, packet) in packets.enumerated() {
      for prefix in ["PREROUTING", "FORWARD"] {
        let message = LogMessage(
          family: 10, hookNumber: prefix == "FORWARD" ? 2 : 0, hardwareProtocol: 0x86dd,
          prefix: prefix, inDevice: 3, sequence: UInt32(number), payload: packet)
        bytes += SessionFile.bytes(Record(time: 9, .log(message.bytes)))
      }
    }
    for piece in [bytes.count, 50, 7] {
      var tally = SessionTally()
      for start in stride(from: 0, to: bytes.count, by: piece) {
        tally.feed(Array(bytes[start..<min(start + piece, bytes.count)]))
      }
      #expect(tally.events == 12 && tally.packets == 2)
    }
  }
}
