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
}
