import Foundation
import Report
import Testing
import Trace
import Wire

/// Every recorded session in fixtures/, told as text and as JSON, against what stands beside it.
/// After a deliberate change: NFTRACE_WRITE_GOLDEN=1 swift test --filter GoldenTests, then read the
/// difference.
@Suite struct GoldenTests {
  static let directory = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "fixtures")

  static let names: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    return files.filter { $0.hasSuffix(".pcapng") }.map { String($0.dropLast(7)) }.sorted()
  }()

  @Test func thereAreFixtures() { #expect(Self.names.count >= 5) }

  @Test(arguments: names) func text(_ name: String) throws {
    try compare(render(name, json: false), with: "\(name).txt")
  }

  @Test(arguments: names) func json(_ name: String) throws {
    let text = try render(name, json: true)
    _ = try JSONSerialization.jsonObject(with: Data(text.utf8))
    try compare(text, with: "\(name).json")
  }

  /// No line is wider than the 80 columns that were asked for, but the first, and what is there to
  /// be pasted or recognised: commands and rules.
  @Test(arguments: names) func fits(_ name: String) throws {
    for line in try render(name, json: false).split(separator: "\n").dropFirst()
    where !line.hasPrefix("  remedy") && !line.hasPrefix("            ") {
      #expect(line.count <= 80, "\(line)")
    }
  }

  @Test(arguments: names) func asciiIsASCII(_ name: String) throws {
    let text = try render(name, json: false, unicode: false)
    #expect(text.utf8.allSatisfy { $0 < 128 })
  }

  private func render(_ name: String, json: Bool, unicode: Bool = true) throws -> String {
    let bytes = try Data(contentsOf: Self.directory.appending(path: "\(name).pcapng"))
    var decoder = SessionDecoder()
    decoder.feed(Array(bytes))
    var report = SessionReport(
      filter: ExchangeFilter(), style: TextStyle(unicode: unicode), json: json,
      session: "fixtures/\(name).pcapng")
    var lines: [String] = []
    while let element = try decoder.next() { lines += report.take(element) }
    try decoder.finish()
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
