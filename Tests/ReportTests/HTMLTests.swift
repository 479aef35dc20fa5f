import Foundation
import Testing
import Trace
import Wire

@testable import Report

/// The page as a document: what it may load, what it leads to, how large it gets.
@Suite struct HTMLTests {
  private func page(_ exchanges: [Exchange], _ findings: [Finding] = []) -> String {
    var renderer = ReportFormat.html.renderer(TextStyle())
    renderer.begin(ReportHead(.show))
    for var exchange in exchanges {
      exchange.findings = findings
      #expect(renderer.exchange(exchange).isEmpty)
    }
    return renderer.finish(ReportEnd(counts: EventCounts())).joined(separator: "\n")
  }

  private func numbered(_ name: String, _ count: Int) throws -> [Exchange] {
    let one = try #require(DiagramTests.exchanges(name).first)
    return (0..<count).map { index in
      var exchange = one
      for place in exchange.journeys.indices {
        exchange.journeys[place].id = index * one.journeys.count + place + 1
        exchange.journeys[place].start += UInt64(index) * 1_000_000
      }
      return exchange
    }
  }

  /// 10,000 packets of two ways: two are told, all are in the list, and it can be sent by mail.
  @Test func tenThousandPackets() throws {
    let exchanges =
      try numbered("healthy-dnat-nft-v4", 4000) + numbered("policy-iptables-forward-v4", 2000)
    let page = page(exchanges)
    #expect(exchanges.reduce(0) { $0 + $1.journeys.count } == 10_000)
    #expect(page.utf8.count < 3_000_000, "\(page.utf8.count)")
    #expect(page.split(separator: "<svg ").count == 3)
    #expect(page.split(separator: "<tr id=\"packet-").count == 6001)
    #expect(page.contains("id=\"packet-5143\""))
    // What was lost comes first.
    let lost = try #require(page.range(of: "<details class=\"path lost\" id=\"path-1\" open"))
    let healthy = try #require(page.range(of: "<details class=\"path\" id=\"path-2\" open"))
    #expect(lost.lowerBound < healthy.lowerBound)
    // What the list is filtered by as well: the rule, with its place, and nothing of the one packet that is told.
    let rules = page[lost.upperBound...].prefix { $0 != ">" }
    #expect(rules.contains("data-rules=\"the policy of FORWARD (ip filter)"), "\(rules)")
  }

  /// Where no command is known to help, a page has what a search found.
  @Test func whatASearchFound() throws {
    let exchange = try #require(try numbered("policy-iptables-forward-v4", 1).first)
    var result = ProbeResult(sequence: 1, outcome: .lost, exchange: exchange)
    result.found = ChangesFound(
      changes: [.init(command: "nft delete rule ip a b handle 7", about: "drop comment \"<x>\"")],
      opened: ["local to 10.0.0.1 udp/53"], tried: 3)
    func page() -> String {
      var renderer = ReportFormat.html.renderer(TextStyle())
      renderer.begin(ReportHead(.ping))
      #expect(renderer.probe(result).isEmpty)
      return renderer.finish(ReportEnd(counts: EventCounts())).joined(separator: "\n")
    }
    let found = page()
    for line in [
      "<dt>found</dt>", "<dd class=\"paste\"><code>nft delete rule ip a b handle 7</code></dd>",
      "drop comment &quot;&lt;x&gt;&quot;",
      "that would let through as well: local to 10.0.0.1 udp/53",
    ] { #expect(found.contains(line), "\(line)") }
    result.found = ChangesFound(tried: 9, seconds: 2)
    #expect(page().contains("<dt>searched</dt>") && page().contains("9 were tried"))
    result.found = nil
    #expect(!page().contains("<dt>found</dt>") && !page().contains("<dt>searched</dt>"))
  }

  /// An exchange that goes on for long is a list of packets, each with its answer.
  @Test func aLongExchange() throws {
    let parts = try numbered("healthy-dnat-nft-v4", 50)
    let long = Exchange(journeys: parts.flatMap(\.journeys))
    let page = page([long])
    #expect(page.split(separator: "<tr id=\"packet-").count == 51)
    #expect(page.contains("50 packets") && page.split(separator: "<svg ").count == 2)
  }

  /// The browser runs the script that is meant and no other, and loads nothing.
  @Test func policy() throws {
    let page = page(try numbered("policy-iptables-forward-v4", 1))
    for (text, hash, name) in [
      (HTMLFrame.script, HTMLFrame.scriptHash, "script"),
      (HTMLFrame.look, HTMLFrame.lookHash, "style"),
    ] {
      #expect(hash == "sha256-" + Data(SHA256.hash(Array(text.utf8))).base64EncodedString())
      #expect(page.contains("\(name)-src '\(hash)'") && page.contains("<\(name)>\(text)</\(name)>"))
    }
    #expect(page.contains("default-src 'none'"))
    for word in [" src=", "url(", "@import", "http://", "https://", "innerHTML", " on"] {
      #expect(!page.replacing("http-equiv", with: "").contains("\(word)click="))
      if word != " on" { #expect(!page.contains(word), "\(word)") }
    }
    #expect(
      SHA256.hash(Array("abc".utf8)).prefix(4).elementsEqual([0xba, 0x78, 0x16, 0xbf]))
  }

  /// Names, rules and comments are text.
  @Test func hostileNames() throws {
    let name = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'\u{202e}"
    var exchanges = try numbered("policy-iptables-forward-v4", 2)
    for index in exchanges.indices {
      exchanges[index].journeys[0].site = Site(name: name)
      guard case .dropped(var decider) = exchanges[index].journeys[0].end else { return }
      (decider.rule.chain, decider.rule.table) = (name, name)
      exchanges[index].journeys[0].end = .dropped(decider)
    }
    let finding = Finding(
      id: FindingID(rawValue: "rule-drop"), severity: .error, confidence: .certain, summary: name,
      at: Finding.Place(rule: name))
    let page = page(exchanges, [finding])
    #expect(page.split(separator: "<script>").count == 2)
    #expect(!page.contains("<img") && !page.contains("\u{202e}"))
    #expect(page.contains("&lt;script&gt;alert(1)"))
  }
}

/// FIPS 180-4, section 6.2.
private enum SHA256 {
  private static func roots(_ count: Int, _ root: (Double) -> Double) -> [UInt32] {
    var primes: [Int] = []
    var number = 2
    while primes.count < count {
      if primes.allSatisfy({ number % $0 != 0 }) { primes.append(number) }
      number += 1
    }
    return primes.map {
      let value = root(Double($0))
      return UInt32((value - value.rounded(.down)) * 4_294_967_296)
    }
  }

  static func hash(_ octets: [UInt8]) -> [UInt8] {
    let constants = roots(64) { cbrt($0) }
    var state = roots(8) { $0.squareRoot() }
    var padded = octets + [0x80]
    while padded.count % 64 != 56 { padded.append(0) }
    padded += (0..<8).reversed().map { UInt8(truncatingIfNeeded: (octets.count * 8) >> ($0 * 8)) }
    func turned(_ value: UInt32, _ count: UInt32) -> UInt32 {
      value >> count | value << (32 - count)
    }
    for start in stride(from: 0, to: padded.count, by: 64) {
      var words = (0..<16).map { word in
        (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(padded[start + word * 4 + $1]) }
      }
      for index in 16..<64 {
        let (before, two) = (words[index - 15], words[index - 2])
        let first = turned(before, 7) ^ turned(before, 18) ^ before >> 3
        let second = turned(two, 17) ^ turned(two, 19) ^ two >> 10
        words.append(words[index - 16] &+ first &+ words[index - 7] &+ second)
      }
      var now = state
      for index in 0..<64 {
        let mixed = turned(now[4], 6) ^ turned(now[4], 11) ^ turned(now[4], 25)
        let choice = now[4] & now[5] ^ ~now[4] & now[6]
        let first = now[7] &+ mixed &+ choice &+ constants[index] &+ words[index]
        let other = turned(now[0], 2) ^ turned(now[0], 13) ^ turned(now[0], 22)
        let most = now[0] & now[1] ^ now[0] & now[2] ^ now[1] & now[2]
        now = [first &+ other &+ most] + now[0..<3] + [now[3] &+ first] + now[4..<7]
      }
      for index in 0..<8 { state[index] &+= now[index] }
    }
    return state.flatMap { word in
      (0..<4).reversed().map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
    }
  }
}
