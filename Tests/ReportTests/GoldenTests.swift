import Foundation
import Report
import Testing
import Trace
import Wire

/// Every recorded session and every kernel log in fixtures/, told as text and as JSON, against what
/// stands beside it.
/// After a deliberate change: NFTRACE_WRITE_GOLDEN=1 swift test --filter GoldenTests, then read the
/// difference.
@Suite struct GoldenTests {
  static let directory = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "fixtures")

  /// Sessions, without ".pcapng".
  static let names = files(".pcapng").map { String($0.dropLast(7)) }

  /// What the names of saved kernel logs end with.
  static let log = ".dmesg"

  /// Everything that is to be told.
  static let all = names + files(log)

  private static func files(_ ending: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    return files.filter { $0.hasSuffix(ending) }.sorted()
  }

  @Test func thereAreFixtures() { #expect(Self.names.count >= 5) }

  @Test(arguments: all) func text(_ name: String) throws {
    try compare(render(name), with: "\(name).txt")
  }

  @Test(arguments: all) func json(_ name: String) throws {
    let text = try render(name, .json)
    _ = try JSONSerialization.jsonObject(with: Data(text.utf8))
    try compare(text, with: "\(name).json")
  }

  /// What nftrace knew itself is written as it was read: sessions are the same to the octet, whichever
  /// version writes them.
  @Test(arguments: names) func headersAndNotes(_ name: String) throws {
    let bytes = try Data(contentsOf: Self.directory.appending(path: "\(name).pcapng"))
    var decoder = SessionDecoder()
    decoder.feed(Array(bytes))
    while let element = try decoder.next() {
      var text = ""
      if case .header(let header?) = element { text = header.json }
      if case .record(let record) = element, case .note(let note) = record.content {
        text = note.json
      }
      #expect(text.isEmpty || bytes.range(of: Data(text.utf8)) != nil, "\(text)")
    }
  }

  /// No line is wider than the 80 columns that were asked for, but the first of each probe or
  /// exchange, and what is there to be pasted or recognised: commands and rules.
  @Test(arguments: all) func fits(_ name: String) throws {
    for line in try render(name).split(separator: "\n").dropFirst()
    where !["  remedy", "            ", "seq ", "#"].contains(where: { line.hasPrefix($0) }) {
      #expect(line.count <= 80, "\(line)")
    }
  }

  @Test(arguments: all) func asciiIsASCII(_ name: String) throws {
    let text = try render(name, unicode: false)
    #expect(text.utf8.allSatisfy { $0 < 128 })
  }

  /// The page has the lines of the text, and nothing a browser would take for anything else.
  @Test(arguments: all) func html(_ name: String) throws {
    let page = try render(name, .html, session: "<b>a&b")
    #expect(page.hasPrefix("<!DOCTYPE html>\n") && page.hasSuffix("</html>\n"))
    let heading = "<h1>nftrace &lt;b&gt;a&amp;b</h1>"
    let body = try #require(page.split(separator: heading, maxSplits: 1).last)
    var shown = body.replacing(/<[^>]*>/, with: "").replacing("&quot;", with: "\"")
    shown = shown.replacing("&lt;", with: "<").replacing("&gt;", with: ">")
    shown = shown.replacing("&amp;", with: "&")
    let lines = shown.split(separator: "\n", omittingEmptySubsequences: true)
    #expect(try lines == render(name).split(separator: "\n", omittingEmptySubsequences: true))
    #expect(body.split(separator: "<span ").count == body.split(separator: "</span>").count)
  }

  private func render(
    _ name: String, _ format: ReportFormat = .text, unicode: Bool = true,
    session: String? = nil
  ) throws -> String {
    try Self.render(name, format, style: TextStyle(unicode: unicode), session: session)
  }

  static func render(
    _ name: String, _ format: ReportFormat = .text, style: TextStyle,
    session: String? = nil
  ) throws -> String {
    let isLog = name.hasSuffix(log)
    let file = isLog ? name : "\(name).pcapng"
    let bytes = try Data(contentsOf: directory.appending(path: file))
    var report = SessionReport(
      filter: ExchangeFilter(), style: style, format: format,
      session: session ?? "fixtures/\(file)")
    var lines: [String] = []
    if isLog {
      var decoder = KernelLogDecoder(version: "test")
      decoder.feed(Array(bytes))
      decoder.finish()
      while let element = decoder.next() { lines += report.take(element) }
      #expect(decoder.damaged == 0)
    } else {
      var decoder = SessionDecoder()
      decoder.feed(Array(bytes))
      while let element = try decoder.next() { lines += report.take(element) }
      try decoder.finish()
    }
    lines += report.finish()
    return lines.joined(separator: "\n") + "\n"
  }

  private func compare(_ text: String, with name: String) throws {
    let file = Self.directory.appending(path: name)
    if ProcessInfo.processInfo.environment["NFTRACE_WRITE_GOLDEN"] != nil {
      try Data(text.utf8).write(to: file)
      return
    }
    let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    #expect(text == expected)
  }
}
