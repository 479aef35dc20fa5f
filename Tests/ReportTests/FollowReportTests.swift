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
    json: Bool = false, rate: Int? = nil, since: UInt64 = 0, parts: Int = 1
  ) throws -> (told: [String], summary: [String]) {
    var report = FollowReport(
      filter: ExchangeFilter(), style: TextStyle(), json: json, rate: rate, since: since)
    var lines: [String] = []
    let elements = try elements()
    for _ in 0..<parts { for element in elements { lines += report.take(element) } }
    lines += report.pass(to: .max)
    let end = report.finish()
    return (lines + end.lines, end.summary)
  }

  @Test func exchangesAsTheyClose() throws {
    let (told, summary) = try follow()
    #expect(told.count { $0.hasPrefix("#1  echo request") } == 1)
    #expect(summary[0] == "2 packets, 2 transmitted")
    #expect(summary.last?.hasSuffix(" events, 0 lost") == true)
  }

  @Test func aPacketALine() throws {
    let (told, _) = try follow(json: true)
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
}
