import Testing
import Trace
import Wire

/// Where what is recorded ends, nobody knows what became of the packets that were on their way.
@Suite struct CutSessionTests {
  private let second: UInt64 = 1_000_000_000

  private func onItsWay() -> Script {
    var script = Script()
    script.see(echo(), at: "PREROUTING", id: 1, in: 3)
    script.see(echo(), at: "raw-PREROUTING", id: 1, in: 3)
    return script
  }

  @Test func thePacketAtTheCutIsNotLost() {
    let exchange = onItsWay().story()[0]
    #expect(exchange.journeys.map(\.end.kind) == [.unknown])
    #expect(exchange.journeys.map(\.end.unseen) == [.recordingEnded])
    #expect(exchange.findings.isEmpty)
    #expect(!ExchangeFilter(onlyLost: true).matches(exchange))
  }

  /// A recorder that was told to end says so: until then it had all there was.
  @Test func whatEndedInTimeLostIt() {
    var script = onItsWay()
    let end = RecordingEnd(events: 4, lost: 0, ended: 0)
    script.records.append(Record(time: script.time + second, .note(.ended(end))))
    let exchange = script.story()[0]
    #expect(exchange.journeys.map(\.end.kind) == [.unknown])
    #expect(exchange.journeys.map(\.end.unseen) == [nil])
    #expect(ExchangeFilter(onlyLost: true).matches(exchange))
  }

  /// So is what is read while it goes on.
  @Test func whatWasReadInTimeLostIt() {
    let script = onItsWay()
    var story = Story(header: script.header)
    for record in script.records { story.take(record) }
    story.pass(to: script.time + second)
    #expect(story.finish().flatMap(\.journeys).map(\.end.unseen) == [nil])
  }

  /// What a rule did, and what came to its end, is certain wherever the recording ends.
  @Test func whatIsCertainStaysSo() throws {
    var script = onItsWay()
    script.step(
      TraceMessage(
        family: NFProto.ipv4, id: 1, kind: .rule, table: "filter", chain: "FORWARD", handle: 7,
        verdict: .drop))
    let dropped = script.story()[0]
    #expect(dropped.journeys.map(\.end.kind) == [.dropped])
    #expect(dropped.findings.map(\.id.rawValue) == ["rule-drop"])
    script = onItsWay()
    script.see(echo(), at: "EGRESS", id: 1, out: 2)
    #expect(script.story()[0].journeys.map(\.end.kind) == [.transmitted])
  }

  /// Of several namespaces the one whose recording ends before the others has its end there.
  @Test func oneOfSeveralEnds() {
    let script = onItsWay()
    var stories = NamespacesStory(
      namespaces: ["a", "b"].map { Site(name: $0) })
    var told: [Exchange] = []
    for source in [0, 1] { told += stories.begin(script.header, from: source) }
    for record in script.records { told += stories.take(record, from: 0) }
    told += stories.end(0)
    told += stories.pass(to: script.time + 5 * second)
    told += stories.finish()
    #expect(told.flatMap(\.journeys).map(\.end.unseen) == [.recordingEnded])
  }

  /// The rules were laid out anew: the packets on their way are told of no more.
  @Test func anotherSectionBegins() {
    let script = onItsWay()
    var stories = NamespacesStory()
    _ = stories.begin(script.header, from: 0)
    for record in script.records { _ = stories.take(record, from: 0) }
    var next = script.header
    next.points.removeLast()
    let told = stories.begin(next, from: 0)
    #expect(told.flatMap(\.journeys).map(\.end.unseen) == [.recordingEnded])
  }

  @Test func theEndIsKept() {
    let end = RecordingEnd(
      reason: "the disk is full", events: 7, lost: 2, unwritten: 3,
      dropped: DroppedRecords(records: 5, octets: 900), ended: 1_795_733_669)
    let record = Record(time: 5, .note(.ended(end)))
    var decoder = SessionDecoder()
    decoder.feed(SessionFile.beginning(Script().header) + SessionFile.bytes(record))
    _ = try? decoder.next()
    guard case .record(let read)? = try? decoder.next() else {
      Issue.record("it is not read")
      return
    }
    #expect(read == record)
    let finding = Finding.ended(end)
    #expect(finding?.severity == .note && finding?.summary.contains("the disk is full") == true)
    #expect(Finding.ended(RecordingEnd(events: 7, lost: 0, ended: 0)) == nil)
  }
}

/// Counting a session without decoding it.
@Suite struct SessionTallyTests {
  private static func session() -> (octets: [UInt8], ends: [Int], events: Int, last: UInt64) {
    var script = Script()
    for id in 1...20 {
      script.see(echo(), at: "PREROUTING", id: UInt32(id), in: 3)
      script.see(echo(), at: "EGRESS", id: UInt32(id), out: 2)
    }
    let listing = Record(
      time: 1,
      .netlink(NetlinkMessage(type: 0x0a03, payload: [UInt8](repeating: 0, count: 5000))))
    let lost = Record(time: 2, .lost(6))
    let end = RecordingEnd(reason: "x", events: 80, lost: 6, ended: 9)
    var octets = SessionFile.beginning(script.header)
    var ends = [octets.count]
    for record in [listing] + script.records + [lost, Record(time: 3, .note(.ended(end)))] {
      octets += SessionFile.bytes(record)
      ends.append(octets.count)
    }
    return (octets, ends, script.records.count, script.records.last!.time)
  }

  @Test(arguments: [1, 7, 12, 50, 51, 333, 4096, 1 << 20])
  func inPieces(_ size: Int) {
    let session = Self.session()
    var tally = SessionTally()
    var rest = session.octets[...]
    while !rest.isEmpty {
      tally.feed(Array(rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
    #expect(tally.events == session.events && tally.lost == 6)
    #expect(tally.last == session.last && tally.first == 1_000_000_001_000)
    #expect(tally.header?.table == "nftrace_test" && tally.end?.events == 80)
  }

  /// A block of which a part is missing does not count, and nothing traps.
  @Test func cutAnywhere() {
    let session = Self.session()
    for length in stride(from: 0, to: session.octets.count, by: 13) {
      var tally = SessionTally()
      tally.feed(Array(session.octets[..<length]))
      let whole = session.ends.count { $0 <= length }
      // The beginning and the listing are no events; what was lost and the end come last.
      #expect(tally.events == min(max(whole - 2, 0), session.events))
      _ = SessionTally.tail(Array(session.octets[..<length]))
    }
  }

  /// The last octets alone tell when it ended and how.
  @Test func fromTheEnd() {
    let session = Self.session()
    let part = SessionTally.tail(Array(session.octets.suffix(2000)))
    #expect(part.last == session.last && part.end?.reason == "x")
    let nothing = SessionTally.tail([UInt8](repeating: 7, count: 100))
    #expect(nothing.last == nil && nothing.end == nil)
  }

  /// Another file of the same recording goes on where the first was cut off.
  @Test func twoFiles() {
    let session = Self.session()
    var tally = SessionTally()
    tally.feed(Array(session.octets.dropLast(5)))
    tally.begin()
    tally.feed(session.octets)
    #expect(tally.events == 2 * session.events)
  }
}
