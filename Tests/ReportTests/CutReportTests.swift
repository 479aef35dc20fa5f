import Foundation
import Report
import Testing
import Trace
import Wire

/// Sessions that end in the middle, as a full disk or a kill leaves them.
@Suite struct CutReportTests {
  private func elements(_ name: String) throws -> [SessionDecoder.Element] {
    var decoder = SessionDecoder()
    decoder.feed(Array(try Data(contentsOf: GoldenTests.directory.appending(path: name))))
    var elements: [SessionDecoder.Element] = []
    while let element = try decoder.next() { elements.append(element) }
    return elements
  }

  private func tell(
    _ elements: some Sequence<SessionDecoder.Element>, _ format: ReportFormat = .text
  ) -> String {
    var report = SessionReport(filter: ExchangeFilter(), style: TextStyle(), format: format)
    var lines: [String] = []
    for element in elements { lines += report.take(element) }
    report.cut()
    lines += report.end(0)
    lines += report.finish()
    return lines.joined(separator: "\n")
  }

  /// A ping that was answered: wherever its session is cut off, nothing is wrong.
  @Test(arguments: ["walk-ipv4.pcapng", "healthy-nft-v4.pcapng"])
  func aPingThatIsCutOff(_ name: String) throws {
    let elements = try elements(name)
    var open = 0
    for count in 1...elements.count {
      let text = tell(elements.prefix(count))
      #expect(!text.contains("lost ") && !text.contains("did not answer"), "\(count): \(text)")
      #expect(!text.contains("cause"), "\(count): \(text)")
      if text.contains("the session is cut off before an answer could come") {
        open += 1
        #expect(text.contains("1 packet transmitted, 0 received, 1 cut off"), "\(text)")
        let json = tell(elements.prefix(count), .json)
        #expect(json.contains("\"outcome\"") == false || json.contains("\"unknown\""))
        #expect(!json.contains("\"error\","), "\(json)")
      }
    }
    #expect(open > 5)
    #expect(!tell(elements).contains("cut off"))
  }

  /// The same packets as recorded traffic.
  @Test func aRecordingThatIsCutOff() throws {
    var elements = try elements("walk-ipv4.pcapng")
    guard case .header(var header) = elements[0] else { return }
    header?.probe = nil
    elements[0] = .header(header)
    var open = 0
    for count in 1...elements.count {
      let text = tell(elements.prefix(count))
      #expect(!text.contains("✗"), "\(count): \(text)")
      guard text.contains("the recording ends there") else { continue }
      open += 1
      let json = tell(elements.prefix(count), .json)
      #expect(json.contains("\"kind\": \"unknown\"") && json.contains("\"recording-ended\""))
      #expect(tell(elements.prefix(count), .html).contains("the recording ends there"))
      var follow = FollowReport(filter: ExchangeFilter(), style: TextStyle())
      for element in elements.prefix(count) { _ = follow.take(element) }
      let summary = try #require(follow.finish().lines.dropLast().last)
      #expect(summary.contains("1 on its way at the end"), "\(summary)")
    }
    #expect(open > 5)
  }

  /// How a recording ended is told with it.
  @Test func whyItEnded() throws {
    var elements = try elements("walk-ipv4.pcapng")
    guard case .header(var header) = elements[0] else { return }
    header?.probe = nil
    elements[0] = .header(header)
    let end = RecordingEnd(
      reason: "the disk is full", events: 50, lost: 0, unwritten: 12, ended: 0)
    elements.append(.record(Record(time: 0, .note(.ended(end)))))
    #expect(tell(elements).contains("the recording ended early: the disk is full; 12 messages"))
    let json = tell(elements, .json)
    #expect(json.contains("\"recording-ended\"") && json.contains("the disk is full"))
  }
}
