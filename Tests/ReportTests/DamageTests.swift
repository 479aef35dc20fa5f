import Foundation
import Report
import Testing
import Trace
import Wire

/// Whatever is wrong with a session, it is told as far as it goes, in all ways. A trap would end the
/// test run.
struct DamageTests {
  private static let ways: [(ReportFormat, TextStyle)] = {
    var all = TextStyle(verbosity: .verbose)
    all.allRules = true
    var drawn = TextStyle()
    drawn.isDrawn = true
    return [
      (.text, drawn), (.svg, all), (.text, TextStyle()), (.text, all), (.json, TextStyle()),
      (.html, all), (.overview, all),
      (.jsonFlows, all),
    ]
  }()

  /// Tells sessions in all ways. Returns the object that JSON is.
  @discardableResult
  private static func tell(_ sessions: [[UInt8]], namespaces: [String] = []) throws -> [String: Any]
  {
    var object: [String: Any]?
    for (format, style) in ways {
      let report = SessionReport(
        filter: ExchangeFilter(), style: style, format: format,
        namespaces: namespaces.map { Site(name: $0) })
      let lines = report.lines(of: sessions)
      switch format {
      case .json:
        let data = Data(lines.joined(separator: "\n").utf8)
        object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
      case .html: #expect(lines.first == "<!DOCTYPE html>" && lines.last == "</html>")
      case .jsonFlows:
        _ = try JSONSerialization.jsonObject(with: Data(lines.joined(separator: "\n").utf8))
      case .svg: #expect(lines.last == "</svg>")
      case .text, .lines, .jsonLines, .flows, .overview: break
      }
    }
    return try #require(object)
  }

  private static func octets(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: GoldenTests.directory.appending(path: "\(name).pcapng")))
  }

  /// Sessions that once ended the program.
  @Test func whatWasTooMuchOnce() throws {
    let directory = GoldenTests.directory.appending(path: "damaged")
    let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
    #expect(files.count >= 2)
    for file in files {
      let octets = Array(try Data(contentsOf: directory.appending(path: file)))
      try Self.tell([octets])
      try Self.tell([octets, octets], namespaces: ["a", "b"])
      let log = SessionReport(filter: ExchangeFilter(), style: TextStyle(), format: .json)
        .lines(ofKernelLog: octets, version: "test")
      _ = try JSONSerialization.jsonObject(with: Data(log.joined(separator: "\n").utf8))
    }
  }

  private static let names = [
    "bridge-netfilter-drop-v4", "events-lost-v4", "healthy-5.10-v4", "local-blackhole-v4",
    "note-fragmented-v4", "recorded-flow-offloaded-v4", "recorded-udp-closed-port-v4",
    "router-itself", "tcp-reset-by-server-v6", "unknown-protocol-here-v6",
  ]

  @Test(arguments: names) func anyDamage(_ name: String) throws {
    let octets = try Self.octets(name)
    var damage = Damage(seed: name.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) })
    for _ in 0..<30 { try Self.tell([damage.damaged(octets)]) }
    try Self.tell([damage.damaged(octets), damage.damaged(octets)], namespaces: ["a", "b"])
  }

  /// Wherever a file is cut off.
  @Test func anyEnd() throws {
    let octets = try Self.octets("recorded-udp-closed-port-v4")
    for end in stride(from: 0, to: octets.count, by: 331) {
      try Self.tell([Array(octets.prefix(end))])
    }
  }

  /// Nothing of recorded traffic is left out because its times are wrong.
  @Test(arguments: ["recorded-udp-closed-port-v4", "fragments-masquerade"])
  func timesLoseNoEvent(_ name: String) throws {
    func hops(_ object: [String: Any]) -> Int {
      let journeys = object["journeys"] as? [[String: Any]] ?? []
      return journeys.reduce(0) { $0 + (($1["hops"] as? [Any])?.count ?? 0) }
    }
    let octets = try Self.octets(name)
    let whole = try Self.tell([octets])
    #expect(hops(whole) > 10)
    for time in [0, 1 << 63, .max] as [UInt64] {
      var blocks = Damage.blocks(octets)
      for index in blocks.indices { Damage.set(time: time, of: &blocks[index]) }
      let told = try Self.tell([Array(blocks.joined())])
      #expect(hops(told) == hops(whole))
      #expect(told["events"] as? [String: Int] == whole["events"] as? [String: Int])
    }
  }

  @Test func everyMomentHasAText() {
    #expect(CalendarText.text(0).hasPrefix("1970-01-01 00:00:00"))
    #expect(CalendarText.text(.max).hasSuffix(CalendarText.text(UInt64.max % 86400).suffix(8)))
    #expect(CalendarText.ofDay(.max).count == CalendarText.ofDay(0).count)
  }
}
