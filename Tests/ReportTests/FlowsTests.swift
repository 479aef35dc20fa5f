import Foundation
import Report
import Schema
import Testing
import Trace
import Wire

/// Times of day, where a report comes from, what it is of, and tables of flows.
struct FlowsTests {
  private static let started: UInt64 = 1_772_366_405_000_000_000

  /// What a session of fixtures is told as, as if it said when and where it was made.
  private func render(
    _ name: String, _ format: ReportFormat = .text, _ filter: ExchangeFilter = ExchangeFilter(),
    style: TextStyle = TextStyle()
  ) throws -> (lines: [String], matches: Int) {
    var decoder = SessionDecoder()
    decoder.feed(
      Array(try Data(contentsOf: GoldenTests.directory.appending(path: "\(name).pcapng"))))
    var report = SessionReport(filter: filter, style: style, format: format)
    var lines: [String] = []
    while let element = try decoder.next() {
      if case .header(var header?) = element {
        (header.started, header.host, header.netns) = (Self.started, "router", "web")
        lines += report.take(.header(header))
      } else {
        lines += report.take(element)
      }
    }
    lines += report.finish()
    return (lines, report.matches)
  }

  private static let recorded = "recorded-udp-closed-port-v4"

  // MARK: Where it comes from

  @Test(arguments: [recorded, "policy-nft-forward-v6"]) func provenance(_ name: String) throws {
    let isRecording = name == Self.recorded
    // What was told live of a ping is told again as it was; on a terminal, where it comes from stands above.
    if !isRecording { #expect(try !render(name).lines.joined().contains("on router")) }
    var terminal = TextStyle(width: 200)
    terminal.isTerminal = !isRecording
    let lines = try render(name, isRecording ? .text : .overview, style: terminal).lines
    let what = isRecording ? "recorded since" : "sent"
    #expect(lines[0].hasPrefix("\(what) 2026-03-01 12:00:05 UTC, on router, netns web, Linux "))
    #expect(lines.prefix(2).joined().contains("nftrace 0.1.0"))
    let command = try #require(lines.first { $0.hasPrefix("with: nftrace ") })
    #expect(command.contains("--netns web") != isRecording)
    var quiet = TextStyle()
    quiet.verbosity = .quiet
    #expect(try render(name, style: quiet).lines[0].contains("router") == false)
    let page = try render(name, .html).lines.joined(separator: "\n")
    #expect(page.contains("<dt>host</dt><dd>router</dd>"))
    #expect(page.contains("<dt>netns</dt><dd>web</dd>"))
    let json = try render(name, .json).lines.joined(separator: "\n")
    #expect(json.contains("\"command_line\": \"nftrace "))
    #expect(JSONSchema.nftrace.faults(in: json) == [])
  }

  // MARK: Times

  @Test(arguments: [TimeStyle.clock, .iso]) func times(_ time: TimeStyle) throws {
    var style = TextStyle()
    style.time = time
    for name in [Self.recorded, "policy-nft-forward-v6", "walk-ipv4"] {
      let lines = try render(name, style: style).lines
      // No row is wider than the screen.
      for line in lines where line.count > 80 {
        let isFirst = line.contains("answer") || line.hasPrefix("#")
        #expect(isFirst || ["  remedy", "            "].contains { line.hasPrefix($0) }, "\(line)")
      }
      let row = try #require(lines.first { $0.contains("  arrived") || $0.contains("  OUTPUT") })
      let first = row.split(separator: " ")[0]
      #expect(time == .clock ? first.count == 15 : first.hasPrefix("20") && first.hasSuffix("Z"))
      #expect(lines.contains { $0.contains("UTC  hook") })
      #expect(lines.allSatisfy { !$0.contains("µs") })
    }
  }

  // MARK: Filters

  @Test func filters() throws {
    let all = try render(Self.recorded).matches
    #expect(all > 0)
    let port = try #require(
      render(Self.recorded, .json).lines.joined().firstMatch(of: /"destination_port": (\d+)/)
        .flatMap { UInt16($0.output.1) })
    func matches(_ filter: ExchangeFilter) throws -> Int {
      try render(Self.recorded, .text, filter).matches
    }
    #expect(try matches(ExchangeFilter(port: port)) == all)
    #expect(try matches(ExchangeFilter(port: 1)) == 0)
    #expect(try matches(ExchangeFilter(toPort: port)) == all)
    #expect(try matches(ExchangeFilter(fromPort: port)) == 0)
    #expect(try matches(ExchangeFilter(since: 0, until: .max)) == all)
    #expect(try matches(ExchangeFilter(since: .max)) == 0)
    #expect(try matches(ExchangeFilter(until: 1)) == 0)
    let rules = "drop-iptables-subchain-v4"
    #expect(try render(rules, .text, ExchangeFilter(rule: "-j DROP")).matches == 1)
    #expect(try render(rules, .text, ExchangeFilter(rule: "IP FILTER FORWARD")).matches == 1)
    #expect(try render(rules, .text, ExchangeFilter(rule: "tcp dport 22")).matches == 0)
  }

  // MARK: Flows

  @Test(arguments: [Self.recorded, "recorded-flow-offloaded-v4", "drop-iptables-subchain-v4"])
  func flows(_ name: String) throws {
    let lines = try render(name, .flows).lines
    #expect(lines.allSatisfy { $0.count <= 80 || $0.hasPrefix("  1 by ") }, "\(lines)")
    #expect(lines.contains { $0.hasPrefix("requests  answers    lost  first") })
    #expect(lines.contains { $0.contains(" events, 0 lost") })
    let json = try render(name, .jsonFlows).lines.joined(separator: "\n")
    #expect(JSONSchema.nftrace.faults(in: json) == [])
    let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    #expect((object?["flows"] as? [Any])?.count ?? 0 > 0)
    #expect((object?["journeys"] as? [Any])?.isEmpty == true)
  }

  /// Many packets of few flows: what is told is as long as there are flows and causes, whatever the packets.
  @Test func manyPackets() throws {
    var bytes: [UInt8] = []
    let one = Array(
      try Data(
        contentsOf: GoldenTests.directory.appending(path: "drop-iptables-subchain-v4.pcapng")))
    for _ in 0..<40 { bytes += one }
    var decoder = SessionDecoder()
    decoder.feed(bytes)
    var report = SessionReport(
      filter: ExchangeFilter(), renderer: ReportFormat.overview.renderer(TextStyle()))
    var lines: [String] = []
    while let element = try decoder.next() {
      // As a recording: nothing is known of its probes.
      if case .header(var header?) = element {
        header.probe = nil
        lines += report.take(.header(header))
      } else {
        lines += report.take(element)
      }
    }
    lines += report.finish()
    #expect(lines.contains { $0.hasPrefix("      40        0      40  ") }, "\(lines)")
    #expect(lines.count { $0.hasPrefix("  remedy") } == 1, "\(lines)")
    #expect(lines.contains("40 packets of 1 flow were lost like this one:"), "\(lines)")
    #expect(lines.contains { $0.hasPrefix("40 packets, 40 dropped") }, "\(lines)")
    #expect(lines.count < 60)
  }

  /// A few packets are told whole below the table; probes as ever.
  @Test func fewPackets() throws {
    let lines = try render(Self.recorded, .overview).lines
    let text = try render(Self.recorded).lines
    #expect(lines.contains { $0.hasPrefix("requests  answers") })
    #expect(text.dropFirst(3).allSatisfy { lines.contains($0) }, "\(lines)")
    let ping = "policy-nft-forward-v6"
    #expect(try render(ping, .overview).lines == render(ping).lines)
  }
}
