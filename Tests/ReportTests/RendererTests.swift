import Foundation
import Testing
import Trace
import Wire

@testable import Report

/// A format is one file: this one, of a line for each packet with tabs between what is said, is told of a
/// session as those are that nftrace has.
private struct TabSeparated: Renderer {
  private var count = 0

  mutating func exchange(_ exchange: Exchange) -> [String] {
    exchange.journeys.map { journey in
      count += 1
      return [
        "\(journey.id)", "\(journey.packet.source)", "\(journey.packet.destination)",
        "\(journey.hops.count)",
      ].joined(separator: "\t")
    }
  }

  mutating func finish(_ end: ReportEnd) -> [String] { ["\(count) of \(end.counts.nflog)"] }
}

@Suite struct RendererTests {
  private static func session(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: GoldenTests.directory.appending(path: "\(name).pcapng")))
  }

  @Test func aFormatOfOnesOwn() throws {
    let report = SessionReport(filter: ExchangeFilter(), renderer: TabSeparated())
    let lines = report.lines(of: [try Self.session("walk-ipv4")])
    #expect(lines.count == 3)
    #expect(lines.first?.hasPrefix("1\t192.168.69.1\t119.29.29.29\t") == true, "\(lines)")
    #expect(lines.last?.hasPrefix("2 of ") == true, "\(lines)")
  }

  /// Each format tells all of a session, whatever it is called.
  @Test(arguments: ReportFormat.allCases) func everyFormat(_ format: ReportFormat) throws {
    let report = SessionReport(filter: ExchangeFilter(), style: TextStyle(), format: format)
    let text = report.lines(of: [try Self.session("walk-ipv4")]).joined(separator: "\n")
    #expect(text.contains("119.29.29.29"))
    #expect(text.contains("mangle") != [.flows, .jsonFlows, .lines].contains(format))
  }

  /// A ping that was forwarded fits on a screen of 24 rows, with the command above and the prompt below; on a smaller one, what came of it is
  /// told again at its end.
  @Test func itFitsOnTheScreen() throws {
    func lines(rows: Int?) throws -> [String] {
      var style = TextStyle()
      style.isTerminal = true
      style.height = rows
      let lines = SessionReport(filter: ExchangeFilter(), style: style).lines(
        of: [try Self.session("healthy-nft-v4")])
      return lines.flatMap { $0.components(separatedBy: "\n") }
    }
    let whole = try lines(rows: nil)
    let fitting = try lines(rows: 24)
    #expect(fitting.count <= 22)
    #expect(fitting.filter { !$0.isEmpty } == whole.filter { !$0.isEmpty })
    #expect(try lines(rows: 100) == whole)
    // The first line takes two rows.
    #expect(try lines(rows: 12) == whole + whole.prefix { !$0.hasPrefix("asked as") })
  }

  /// The object of a ping is what `show` tells of its session, with the probes in the packets' place.
  @Test func aPingAsJSON() throws {
    var decoder = SessionDecoder()
    decoder.feed(try Self.session("route-unreachable-v6"))
    var ping: PingStory?
    var renderer = ReportFormat.json.renderer(TextStyle())
    var results: [ProbeResult] = []
    while let element = try decoder.next() {
      switch element {
      case .header(let header):
        ping = try PingStory(header: #require(header))
        renderer.begin(ReportHead(.ping, header: header))
        renderer.beginProbes(try #require(header?.probe))
      case .record(let record): results += ping?.replay(record) ?? []
      }
    }
    results += ping?.finishReplay(isCut: false) ?? []
    for result in results { #expect(renderer.probe(result).isEmpty) }
    let counts = try #require(ping?.counts)
    #expect(renderer.endProbes(counts).isEmpty)
    let lines = renderer.finish(ReportEnd(counts: counts, session: "/tmp/s"))
    let value = try JSONValue(lines.joined(separator: "\n"))
    guard case .object(let members) = value else {
      Issue.record("no object")
      return
    }
    #expect(
      members.map(\.0) == [
        "schema", "command", "netns", "kernel", "session", "target", "started", "host", "boot",
        "probes", "findings", "events",
      ])
    #expect(members[1].1 == .string("ping") && members[4].1 == .string("/tmp/s"))
    guard case .array(let probes) = members[9].1 else { return }
    #expect(probes.count == results.count && results.count == 1)
  }

  /// Lines come out of an object as they go in, whether they are written at once or one by one.
  @Test(arguments: 0...3) func anObjectInPieces(_ count: Int) {
    let values = (0..<count).map { JSONValue.object([("n", .int($0)), ("a", .array([.null]))]) }
    let opening = [("a", JSONValue.int(1)), ("o", .object([("p", .array([.int(2)]))]))]
    let closing = [("z", JSONValue.array([.object([]), .string("y")]))]
    var stream = JSONStream("values", opening: opening)
    var lines: [String] = []
    for value in values { lines += stream.add([value]) }
    lines += stream.add([]) + stream.finish(closing)
    let whole = JSONValue.object(opening + [("values", .array(values))] + closing)
    #expect(lines.joined(separator: "\n") == whole.pretty())
  }

  private static func probe(
    _ outcome: ProbeResult.Outcome, from source: String, to destination: String, out: String,
    natted: String? = nil, hook: Hook = .prerouting
  ) throws -> ProbeResult {
    func hop(_ hook: Hook, _ source: String, _ out: String?) throws -> Hop {
      let plan = Self.plan(source: source, destination: destination)
      return Hop(
        point: ObservationPoint(
          hook: hook, priority: 0, table: nil, label: hook.rawValue, chain: hook.rawValue),
        time: 0, outDevice: out, packet: plan.packet(sequence: 1))
    }
    let route = RouteDecision(
      device: out, gateway: IPAddress(out == "eth0" ? "10.0.0.254" : "10.1.0.254"),
      destination: nil,
      table: 254, rule: nil, preferredSource: nil)
    let way = Way([
      .seen(try hop(hook, source, nil)), .routed(route),
      .seen(try hop(.postrouting, natted ?? source, out)),
    ])
    let journey = Journey(
      id: 1, direction: .request, start: 0, way: try #require(way),
      end: .sent(End.Place(hook: .postrouting, out: out)))
    return ProbeResult(sequence: 1, outcome: outcome, exchange: Exchange(journeys: [journey]))
  }

  private static func plan(
    source: String, destination: String, entrance: EntranceKind = .tun
  ) -> ProbePlan {
    ProbePlan(
      source: IPAddress(source)!, destination: IPAddress(destination)!, proto: .icmp, identifier: 1,
      count: 1, interval: 1,
      timeout: 1, ttl: 64, tos: 0, dontFragment: false, size: 56, nonce: 1, device: "tun7",
      entrance: entrance)
  }

  /// The same destination from this host and through a device: where the ways differ.
  @Test func twoWaysAreCompared() throws {
    func told(
      _ second: ProbeResult, _ verbosity: TextStyle.Verbosity = .normal, ways: Int = 1
    ) throws -> [String] {
      var renderer = ReportFormat.text.renderer(TextStyle(width: 120, verbosity: verbosity))
      let plan = Self.plan(source: "10.0.0.1", destination: "192.0.2.1", entrance: .local)
      let first = try Self.probe(
        .replied, from: "10.0.0.1", to: "192.0.2.1", out: "eth0", hook: .output)
      var head = ReportHead(.ping, header: nil)
      head.ways = ways
      renderer.begin(head)
      renderer.beginProbes(plan)
      let told = renderer.probe(first)
      #expect(told.isEmpty == (ways > 1))
      _ = renderer.endProbes(EventCounts())
      renderer.beginProbes(Self.plan(source: "10.9.0.2", destination: "192.0.2.1"))
      _ = renderer.probe(second)
      _ = renderer.endProbes(EventCounts())
      return renderer.finish(ReportEnd(counts: EventCounts()))
    }
    let same = try told(
      Self.probe(
        .lost, from: "10.9.0.2", to: "192.0.2.1", out: "eth0", natted: "10.0.0.1"))
    #expect(same.count == 4 && same[0].isEmpty)
    #expect(same[1].hasPrefix("  this host  OUTPUT, out eth0, from 10.0.0.1: answered"))
    #expect(same[2].hasPrefix("  tun7       PREROUTING, out eth0, from 10.9.0.2 → 10.0.0.1: "))
    #expect(same[3] == "  differ in  first hook, source, NAT, outcome")
    // Where no more follows, it stands above them.
    let above = try told(
      Self.probe(
        .lost, from: "10.9.0.2", to: "192.0.2.1", out: "eth0", natted: "10.0.0.1"), ways: 2)
    #expect(above.prefix(3) == same[1...3] && above[3].isEmpty && above[4].contains("answered"))
    let other = try told(
      Self.probe(.replied, from: "10.9.0.2", to: "192.0.2.1", out: "wan1"))
    #expect(other[1].contains("out eth0 via 10.0.0.254,"))
    #expect(other[2].contains("out wan1 via 10.1.0.254,"))
    #expect(other.last == "  differ in  first hook, source, interface")
    #expect(
      try told(Self.probe(.replied, from: "10.9.0.2", to: "192.0.2.1", out: "e"), .quiet).isEmpty)
  }
}
