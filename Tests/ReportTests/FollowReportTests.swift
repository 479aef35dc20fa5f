import Foundation
import Report
import Testing
import Trace

@Suite struct FollowReportTests {
  private func elements() throws -> [SessionDecoder.Element] {
    var decoder = SessionDecoder()
    decoder.feed(
      Array(try Data(contentsOf: GoldenTests.directory.appending(path: "walk-ipv4.pcapng"))))
    var elements: [SessionDecoder.Element] = []
    while let element = try decoder.next() { elements.append(element) }
    return elements
  }

  private func follow(
    format: ReportFormat = .text, rate: Int? = nil, since: UInt64 = 0, parts: Int = 1
  ) throws -> (told: [String], summary: [String]) {
    var report = FollowReport(
      filter: ExchangeFilter(), style: TextStyle(), format: format, rate: rate, since: since)
    var lines: [String] = []
    let elements = try elements()
    for _ in 0..<parts { for element in elements { lines += report.take(element) } }
    lines += report.pass(to: .max)
    let end = report.finish()
    lines += end.lines
    guard end.remarks.isEmpty else { return (lines, end.remarks.map(\.text)) }
    let sum = try #require(lines.lastIndex(of: ""))
    return (Array(lines[..<sum]), Array(lines[(sum + 1)...]))
  }

  @Test func exchangesAsTheyClose() throws {
    let (told, summary) = try follow()
    #expect(told.count { $0.hasPrefix("#1-2  echo request") } == 1)
    #expect(summary[0] == "2 packets, 2 transmitted")
    #expect(summary.last?.hasSuffix(" events, 0 lost") == true)
  }

  /// Live, a packet is told with its answer as soon as both have come to their ends.
  @Test func liveItIsTheNextMoment() throws {
    var report = FollowReport(
      filter: ExchangeFilter(), style: TextStyle(), format: .lines, pace: .live)
    var lines: [String] = []
    var last: UInt64 = 0
    for element in try elements() {
      if case .record(let record) = element, case .log = record.content {
        last = max(last, record.time)
      }
      lines += report.take(element)
    }
    lines += report.pass(to: last)
    #expect(lines.isEmpty)
    lines += report.pass(to: last + 120_000_000)
    #expect(lines.count == 1)
    #expect(lines.first?.contains("echo request 192.168.69.1 → 119.29.29.29: answered") == true)
    #expect(lines.first?.wholeMatch(of: /[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}  .*/) != nil)
  }

  /// A line says which rule decided.
  @Test func linesNameTheRule() throws {
    var decoder = SessionDecoder()
    let file = GoldenTests.directory.appending(path: "bridge-netfilter-drop-v4.pcapng")
    decoder.feed(Array(try Data(contentsOf: file)))
    var report = FollowReport(
      filter: ExchangeFilter(), style: TextStyle(), format: .lines, pace: .live)
    var lines: [String] = []
    while let element = try decoder.next() { lines += report.take(element) }
    lines += report.finish().lines
    #expect(lines.contains { $0.contains("dropped in ") && $0.contains(" by ") }, "\(lines)")
  }

  @Test func aPacketALine() throws {
    let (told, summary) = try follow(format: .jsonLines, rate: 0)
    #expect(summary[0] == "2 packets, 2 transmitted")
    #expect(told.count == 2)
    for line in told {
      #expect(!line.contains("\n"))
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      #expect(object?["hops"] != nil)
    }
  }

  /// What is too much for a terminal is counted by flow.
  @Test func tooManyAreFolded() throws {
    let (told, summary) = try follow(rate: 0)
    #expect(told.contains { $0.contains("1 more exchanges in this second, by flow:") }, "\(told)")
    #expect(
      told.contains { $0.hasSuffix("1  icmp 192.168.69.1 > 119.29.29.29: sent out eth0") },
      "\(told)")
    #expect(summary[0] == "2 packets, 2 transmitted")
  }

  /// What was recorded before somebody looked is not told.
  @Test func onlyFromNowOn() throws {
    let (told, summary) = try follow(since: .max)
    #expect(told.isEmpty && summary[0] == "0 packets")
  }

  /// Files of a recording that came and went before they were read are missing, with all they said.
  @Test func whatWasMissedIsSaid() throws {
    let elements = try elements()
    var report = FollowReport(filter: ExchangeFilter(), style: TextStyle())
    var recorded = RecordedEvents(since: 1)
    var lines: [String] = []
    for element in elements {
      if case .record(let record) = element { recorded.take(record) }
      if case .header(var header) = element {
        header?.recorded = recorded
        lines += report.take(.header(header))
      } else {
        lines += report.take(element)
      }
    }
    recorded.messages += 40
    recorded.lost += 2
    guard case .header(var header) = elements[0] else { return }
    header?.recorded = recorded
    lines += report.take(.header(header))
    lines += report.look(at: .max)
    #expect(lines.contains { $0.hasSuffix(" 42 events were lost: more came than could be told") })
    #expect(report.finish().lines.last?.hasSuffix(" events, 42 lost") == true)
  }

  /// A recorder's file that is full and the next one are one stream: a packet on its way when the
  /// one ended is told once.
  @Test(arguments: [true, false]) func filesOfARecordingAreOneStream(follow: Bool) throws {
    let elements = try elements()
    guard case .header(var header) = elements[0] else { return }
    header?.probe = nil
    header?.recorded = RecordedEvents(since: 1)
    var next = header
    var report = FollowReport(filter: ExchangeFilter(), style: TextStyle())
    var session = SessionReport(filter: ExchangeFilter(), style: TextStyle())
    var lines: [String] = []
    func take(_ element: SessionDecoder.Element) {
      lines += follow ? report.take(element) : session.take(element)
    }
    take(.header(header))
    for (index, element) in elements.dropFirst().enumerated() {
      if case .record(let record) = element { next?.recorded?.take(record) }
      take(element)
      if index == elements.count / 2 { take(.header(next)) }
    }
    lines += follow ? report.finish().lines : session.finish()
    #expect(lines.count { $0.hasPrefix("#") } == 1, "\(lines)")
    #expect(lines.count { $0.contains("sent ") && $0.contains(" out ") } == 2, "\(lines)")
    if !follow { #expect(session.matches == 1) }
  }
}
