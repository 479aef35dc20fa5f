import Foundation
import Kernel
import Report
import Simulator
import Testing
import Trace
import Wire

@testable import App

/// Traffic that is followed as it comes.
struct FollowTests {
  let loop = SimulatedLoop(1_800_000_000_000_000_000)
  let heard = HeardOutput()

  private func report(json: Bool = false, names: [String] = []) -> FollowReport {
    FollowReport(
      filter: ExchangeFilter(), style: TextStyle(unicode: true), format: json ? .jsonLines : .text,
      namespaces: names.map { Site(name: $0) })
  }

  /// What a router reported of one ping, from now on.
  private func traffic(
    _ events: SimulatedEvents, _ interfaces: SimulatedInterfaces = SimulatedInterfaces(),
    listing: @escaping () throws -> [Record] = { [] }
  ) throws -> LiveTraffic {
    let session = try RecordedSession("healthy-nft-v4")
    var header = session.header
    header.probe = nil
    let begin = session.records[session.firstSent].time
    events.add(
      session.records[session.firstSent...].filter { $0.origin == .event }.map {
        Record(time: loop.now + 100_000_000 + ($0.time - begin), $0.content)
      })
    let oracle = SimulatedOracle(loop)
    for record in session.records[session.firstSent...] {
      if case .answer(.rule) = record.origin { oracle.add(record, .rule) }
    }
    return LiveTraffic(
      header, listed: Array(session.opening), events: events, interfaces: interfaces,
      oracle: oracle, listing: listing)
  }

  @Test func itIsToldUntilASignalComes() throws {
    let events = SimulatedEvents(loop)
    let source = FollowedSource(try traffic(events), "10.1.0.0/16", in: nil) { nil }
    loop.signals = [(loop.now + 9_000_000_000, 2)]
    var follow = Follow(report())
    var kept: Capabilities?
    let signal = try Output.$place.withValue(heard) {
      try follow.run(loop, { [source] }, giveUp: { rights, _ in kept = rights })
    }
    #expect(signal == 2)
    #expect(kept == [])
    #expect(events.isStopped)
    #expect(heard.output.contains("echo request"), "\(heard.output)")
    #expect(heard.output.contains("PREROUTING"))
  }

  /// What is told goes to who keeps it as well, and what is still open in the end, too.
  @Test func itIsExported() throws {
    let path = "\(NSTemporaryDirectory())nftrace-follow-\(UUID().uuidString).jsonl"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let settings = try OTLPSettings(path, environment: { _ in nil })
    let context = TraceContext.ofCommand { _ in nil }.own
    let events = SimulatedEvents(loop)
    let source = FollowedSource(try traffic(events), "10.1.0.0/16", in: nil) { nil }
    loop.signals = [(loop.now + 9_000_000_000, 2)]
    try Output.$place.withValue(heard) {
      var follow = Follow(report(), export: try OTLPExport(settings, context: context))
      _ = try follow.run(loop, { [source] }, giveUp: { _, _ in })
    }
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.split(separator: "\n").allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
    #expect(text.contains(#""name":"request in "#), "\(text.prefix(2000))")
    #expect(text.contains(#""name":"reply in "#))
    #expect(heard.output.contains("echo request"))
  }

  @Test func jsonLinesHaveTheirSummaryBeside() throws {
    let events = SimulatedEvents(loop)
    let source = FollowedSource(try traffic(events), "10.1.0.0/16", in: nil) { nil }
    loop.signals = [(loop.now + 9_000_000_000, 15)]
    var follow = Follow(report(json: true))
    _ = try Output.$place.withValue(heard) {
      try follow.run(loop, { [source] }, giveUp: { _, _ in })
    }
    let lines = heard.output.split(separator: "\n")
    #expect(!lines.isEmpty)
    #expect(lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
    #expect(!heard.errors.isEmpty)
  }

  /// One that is over is told and let go of; the others go on. When none is left it ends by itself.
  @Test func itEndsWithTheLast() throws {
    let begin = loop.now
    let sources = try [2, 4].map { seconds in
      FollowedSource(try traffic(SimulatedEvents(loop)), "10.1.0.0/16", in: ChosenNamespace()) {
        [loop] in
        loop.now > begin + UInt64(seconds) * 1_000_000_000 ? "the setup was torn down" : nil
      }
    }
    var follow = Follow(report(names: ["a", "b"]), names: ["a", "b"])
    let signal = try Output.$place.withValue(heard) {
      try follow.run(loop, { sources }, giveUp: { _, _ in })
    }
    #expect(signal == nil)
    #expect((4_000_000_000..<7_000_000_000).contains(loop.now - begin))
    #expect(heard.errors.contains("netns a: the setup was torn down; the others go on"))
    #expect(heard.errors.contains("netns b: the setup was torn down\n"))
  }

  /// Traffic that never ends does not keep who interrupts it for long.
  @Test func noiseDoesNotKeepIt() throws {
    let source = FollowedSource(Endless(loop), "an endless file", in: nil) { nil }
    loop.signals = [(loop.now + 1_000_000_000, 2)]
    var follow = Follow(report())
    let begin = loop.now
    let signal = try Output.$place.withValue(heard) {
      try follow.run(loop, { [source] }, giveUp: { _, _ in })
    }
    #expect(signal == 2)
    #expect(loop.now - begin < 4_000_000_000)
    #expect(heard.errors.contains("interrupted before all that is recorded was shown"))
  }

  @Test func interfacesThatWereNotToldAreListed() throws {
    let interfaces = SimulatedInterfaces()
    interfaces.next.areAll = false
    var isListed = false
    let traffic = try traffic(SimulatedEvents(loop), interfaces) {
      isListed = true
      return []
    }
    _ = try traffic.read { _ in }
    #expect(isListed)
  }

  @Test func whatIsWaitingCanBeLeftOut() throws {
    let traffic = try traffic(SimulatedEvents(loop))
    loop.now += 5_000_000_000
    #expect(traffic.skip() > 0)
    var records = 0
    #expect(try traffic.read { if case .record = $0 { records += 1 } })
    #expect(records == (try RecordedSession("healthy-nft-v4")).opening.count)
  }

  // MARK: Files

  /// A file that grows, is emptied, and is replaced.
  @Test func aFileIsFollowed() throws {
    let directory = FileManager.default.temporaryDirectory.path + "/nftrace-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let path = directory + "/session.pcapng"
    let session = try RecordedSession("healthy-nft-v4")
    let beginning = SessionFile.beginning(session.header)
    func octets(_ range: Range<Int>) -> [UInt8] {
      session.records[range].flatMap { SessionFile.bytes($0) }
    }
    func append(_ bytes: [UInt8]) throws {
      let file = try #require(FileHandle(forWritingAtPath: path))
      try file.seekToEnd()
      try file.write(contentsOf: bytes)
    }
    func read(_ file: FollowedFile) throws -> (headers: Int, records: Int) {
      var count = (headers: 0, records: 0)
      while try !file.read({ element in
        if case .header = element { count.headers += 1 } else { count.records += 1 }
      }) {}
      return count
    }
    try Data(beginning + octets(0..<3)).write(to: URL(filePath: path))
    let file = try FollowedFile(path)
    #expect(try read(file) == (1, 3))
    // Half a record, and the rest.
    let next = octets(3..<5)
    try append(Array(next[..<7]))
    #expect(try read(file) == (0, 0))
    try append(Array(next[7...]))
    #expect(try read(file) == (0, 2))
    // Another takes its place, and what was written before comes first.
    try append(octets(5..<6))
    try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
    try Data(beginning + octets(6..<8)).write(to: URL(filePath: path))
    #expect(try read(file) == (1, 3))
    // Emptied, to begin anew.
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.truncate(atOffset: 0)
    try append(beginning)
    #expect(try read(file) == (1, 0))
  }
}

/// Traffic that has more each time.
private final class Endless: FollowedTraffic {
  private let loop: SimulatedLoop

  init(_ loop: SimulatedLoop) { self.loop = loop }

  var fileDescriptor: Int32? { nil }

  func stopListening() {}

  func read(_ body: (SessionDecoder.Element) throws -> Void) throws -> Bool {
    loop.now += 10_000_000
    return false
  }
}
