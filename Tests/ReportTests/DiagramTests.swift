import Foundation
import FoundationXML
import Testing
import Trace
import Wire

@testable import Report

/// The picture of an exchange: what it consists of, and how it is drawn with letters and with lines.
@Suite struct DiagramTests {
  private static let style = TextStyle()

  /// What a session tells, exchange by exchange.
  static func exchanges(_ name: String) throws -> [Exchange] {
    let octets = try Data(contentsOf: GoldenTests.directory.appending(path: "\(name).pcapng"))
    var collected: [Exchange] = []
    var decoder = SessionDecoder()
    decoder.feed(Array(octets))
    var ping: PingStory?
    while let element = try decoder.next() {
      switch element {
      case .header(let header): ping = header.flatMap { PingStory(header: $0) }
      case .record(let record): collected += (ping?.replay(record) ?? []).map(\.exchange)
      }
    }
    return collected + (ping?.finishReplay() ?? []).map(\.exchange)
  }

  private func diagram(_ name: String) throws -> Diagram {
    let exchange = try Self.first(name)
    return try #require(Diagram(exchange, Self.style))
  }

  private static func first(_ name: String) throws -> Exchange {
    try #require(exchanges(name).first)
  }

  @Test func anAnswerThatWasTranslated() throws {
    let diagram = try diagram("healthy-dnat-nft-v4")
    let lane = try #require(diagram.lanes.first)
    let there = try #require(lane.there)
    let back = try #require(lane.back)
    #expect(diagram.lanes.count == 1 && diagram.hasAnswer && lane.name == nil)
    #expect(
      there.stations.map(\.title) == [
        "tun7", "PREROUTING", "route", "FORWARD", "POSTROUTING", "up0",
      ])
    #expect(
      back.stations.map(\.title) == [
        "up0", "PREROUTING", "route", "FORWARD", "POSTROUTING", "tun7",
      ])
    #expect(there.from == "10.77.1.2" && there.to == "203.0.113.7")
    #expect(back.from == "203.0.113.7" && back.to == "10.77.1.2")
    let translated = there.stations[1].events.filter { $0.kind == .translated }
    #expect(translated.map(\.tables) == [["ip portal pre"]])
    #expect(translated.first?.notes.first == "destination 198.51.100.5 → 203.0.113.7")
    #expect(!there.isLost && there.stations.allSatisfy { !$0.isEnd })
    let axis = try #require(diagram.axis)
    #expect(axis.there == 0...350_000 && axis.back == 370_000...660_000 && axis.end == "660.0 µs")
  }

  @Test func whereItDied() throws {
    let diagram = try diagram("policy-iptables-forward-v4")
    let there = try #require(diagram.lanes.first?.there)
    #expect(!diagram.hasAnswer && there.isLost && there.to == nil)
    let end = try #require(there.stations.last)
    #expect(end.title == "FORWARD" && end.isEnd)
    #expect(end.events.last?.kind == .stopped && end.events.last?.tables == ["filter"])
    #expect(end.events.last?.notes == ["dropped by ip filter FORWARD policy"])
    let lines = TextPicture(style: Self.style).lines(diagram).map(\.text)
    #expect(lines.contains { $0.contains("✗  filter") })
  }

  /// The answer's way goes up, and ends where it died.
  @Test func anAnswerThatDied() throws {
    let diagram = try diagram("reply-nft-policy-v4")
    let lines = TextPicture(style: Self.style).lines(diagram).map(\.text)
    let died = try #require(lines.firstIndex { $0.contains("✗  FORWARD") })
    let arrived = try #require(lines.firstIndex { $0.contains("■  up0  ttl 64") })
    #expect(died < arrived)
    // Nothing of it is above that.
    #expect(lines[died - 1].dropFirst(40).allSatisfy { " │".contains($0) })
    #expect(lines.filter { $0.contains("✗") }.count == 1)
  }

  @Test func throughNamespaces() throws {
    var exchange = try Self.first("healthy-dnat-nft-v4")
    let (request, reply) = (exchange.journeys[0], exchange.journeys[1])
    func told(_ journey: Journey, _ netns: String) -> Journey {
      var journey = journey
      journey.site = Site(name: netns)
      return journey
    }
    exchange.journeys = [
      told(request, "web"), told(request, "host"), told(reply, "host"), told(reply, "web"),
    ]
    let diagram = try #require(Diagram(exchange, Self.style))
    #expect(diagram.lanes.map(\.name) == ["netns web", "netns host"])
    #expect(diagram.lanes.allSatisfy { $0.there != nil && $0.back != nil })
    let text = TextPicture(style: Self.style).lines(diagram).map(\.text).joined(separator: "\n")
    #expect(text.contains("╭─ netns web ─") && text.contains("╭─ netns host ─"))
    // More packets of the same connection are no more namespaces.
    exchange.journeys += exchange.journeys
    #expect(Diagram(exchange, Self.style)?.lanes.count == 2)
  }

  @Test(arguments: GoldenTests.names, [60, 80, 132]) func fits(_ name: String, _ width: Int) throws
  {
    for exchange in try Self.exchanges(name) {
      guard let diagram = Diagram(exchange, Self.style) else { continue }
      for line in TextPicture(style: TextStyle(width: width)).lines(diagram) {
        #expect(TextLayout.columns(line.text) <= width, "\(line.text)")
      }
      let ascii = TextStyle(width: width, unicode: false)
      let plain = try #require(Diagram(exchange, ascii))
      for line in TextPicture(style: ascii).lines(plain) {
        #expect(line.text.utf8.allSatisfy { $0 < 0x80 }, "\(line.text)")
      }
    }
  }

  /// Every picture is XML that says what the text says, and asks for nothing from anywhere.
  @Test(arguments: GoldenTests.all) func svg(_ name: String) throws {
    let svg = try GoldenTests.render(name, .svg, style: TextStyle())
    let parser = XMLParser(data: Data(svg.utf8))
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
    for word in ["<script", "href", "url(", "@import", "onload"] { #expect(!svg.contains(word)) }
    #expect(svg.contains("prefers-color-scheme: dark"))
  }

  /// No text goes past its side, in the widest letters that are asked for.
  @Test(arguments: GoldenTests.names) func textHasRoom(_ name: String) throws {
    let svg = try GoldenTests.render(name, .svg, style: TextStyle())
    let text = /<text class="(plain|aside|title|change|died|port)" x="(\d+)" y="\d+">([^<]*)</
    let found = svg.matches(of: text)
    let isTwoWay = found.contains { $0.1 != "aside" && Int($0.2)! > 320 }
    for match in found {
      let isBold = match.1 != "plain" && match.1 != "aside"
      let letters = match.3.replacing(/&[a-z]+;/, with: "&")
      let end =
        Int(match.2)!
        + LetterWidth.pixels(String(letters), size: match.1 == "title" ? 12 : 11, isBold: isBold)
      #expect(end <= (isTwoWay && Int(match.2)! < 320 ? 316 : 634), "\(name): \(match.3)")
    }
  }

  /// A long word is broken between its parts, if it has any.
  @Test func longWords() {
    let address = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1234"
    #expect(
      DiagramGrid.broken("to \(address)", to: 26)
        == ["to", "2001:db8:aaaa:bbbb:cccc:", "dddd:eeee:1234"])
    #expect(DiagramGrid.broken("a_very_long_name", to: 12) == ["a_very_long_", "name"])
    #expect(DiagramGrid.broken("abcdefghijkl", to: 5) == ["abcde", "fghij", "kl"])
    #expect(DiagramGrid.broken("one two", to: 80) == ["one two"])
  }

  @Test func pagesBreakLongWordsAtTheirParts() {
    #expect(
      Markup.html(StyledLine("to 2001:db8:aaaa:bbbb:cccc::1"))
        == "to <span class=\"word\">2001:<wbr>db8:<wbr>aaaa:<wbr>bbbb:<wbr>cccc:<wbr>:<wbr>1</span>"
    )
    #expect(Markup.html(StyledLine("a-b <c>")) == "a-b &lt;c&gt;")
    #expect(
      Markup.code(StyledLine("nft --x a")) == "nft <span class=\"word\">--x</span> a")
  }

  /// The one in the README is what is drawn now.
  @Test func theExample() throws {
    let place = GoldenTests.directory.appending(path: "../docs/path.svg")
    let svg = try GoldenTests.render("healthy-dnat-nft-v4", .svg, style: TextStyle())
    if GoldenTests.writes { try Data(svg.utf8).write(to: place) }
    #expect(try svg == String(decoding: Data(contentsOf: place), as: UTF8.self))
  }

  /// Names are text, whatever is in them.
  @Test func hostileNames() throws {
    var exchange = try Self.first("policy-iptables-forward-v4")
    let name = "<script>\"'&\u{202e}x"
    exchange.journeys[0].site = Site(name: name)
    guard case .dropped(var decider) = exchange.journeys[0].end else { return }
    decider.rule.chain = name
    exchange.journeys[0].end = .dropped(decider)
    let diagram = try #require(Diagram(exchange, Self.style))
    let drawn = SVGPicture(diagram, width: 400).lines.joined(separator: "\n")
    #expect(!drawn.contains("<script") && !drawn.contains("\u{202e}"))
    #expect(drawn.contains("&lt;script&gt;"))
    let parser = XMLParser(data: Data("<g>\(drawn)</g>".utf8))
    #expect(parser.parse())
    for line in TextPicture(style: Self.style).lines(diagram) {
      #expect(!line.text.contains("\u{202e}") && TextLayout.columns(line.text) <= 80)
    }
  }

  @Test func kindsOfWays() throws {
    let one = try Self.first("healthy-dnat-nft-v4")
    var other = one
    other.journeys[0].start += 5_000_000
    other.journeys[0].id = 7
    #expect(PathKind(one, []) == PathKind(other, []))
    let dropped = try Self.first("policy-iptables-forward-v4")
    #expect(PathKind(one, []) != PathKind(dropped, []))
    #expect(PathKind(one, [], outcome: .lost) != PathKind(one, [], outcome: .replied))
  }
}
