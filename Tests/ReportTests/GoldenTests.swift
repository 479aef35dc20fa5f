import Fixtures
import Foundation
import Report
import Testing
import Trace
import Wire

/// Some recorded sessions and a kernel log, told whole, against what stands beside them in fixtures/: together
/// they have everything that a report can consist of. What matters of the others is in two tables:
/// FixtureTableTests.
/// After a deliberate change: NFTRACE_WRITE_GOLDEN=1 swift test --filter ReportTests, then read the
/// difference.
@Suite struct GoldenTests {
  static let directory = Fixtures.directory

  /// Sessions, without ".pcapng".
  static let names = Fixtures.sessions

  /// What the names of saved kernel logs end with.
  static let log = ".dmesg"

  /// Everything that is to be told.
  static let all = names + Fixtures.files(log)

  @Test func thereAreFixtures() { #expect(Self.names.count >= 5) }

  /// Whether what is told now is to be what must be told.
  static let writes = ProcessInfo.processInfo.environment["NFTRACE_WRITE_GOLDEN"] != nil

  /// What is compared as text and as JSON.
  static let whole = [
    // Answered: translated, routed without, to this host itself, from it, with another entrance.
    "walk-ipv4", "walk-ipv6", "router-itself", "healthy-legacy-v4", "healthy-dnat-nft-v4",
    "local-healthy-fragmented-v4",
    // Dropped, by a policy, a rule, a legacy rule, a bridge's; rejected; refused to the sender.
    "policy-iptables-forward-v4", "drop-iptables-subchain-v4", "legacy-subchain-v4",
    "reject-iptables-forward-v4", "local-nft-filter-v4", "local-blackhole-v4",
    "bridge-netfilter-drop-v4",
    // The answer is lost; nothing is seen at all; what was lost behind the last hook; a mark.
    "reply-nft-policy-v4", "xdp-request-v4", "discovery-filtered-nft-out-v6",
    "rule-fwmark-prohibit-v4",
    // ICMP errors, TCP, UDP, several probes, notes.
    "too-big-v6", "tcp-reset-by-server-v4", "note-nat-once-v4", "note-redirect-v4",
    // Recorded: fragments, past the hooks, lost messages, the kernel log.
    "fragments-masquerade", "recorded-flow-offloaded-v4", "events-lost-v4", "kernel-log.dmesg",
    // The kernel's stamps of packets.
    "clock-set-v4",
  ]

  /// What is compared in another way besides: the ending says how.
  static let further: [(file: String, format: ReportFormat, style: TextStyle)] = [
    ("policy-iptables-forward-v4.verbose.txt", .text, TextStyle(verbosity: .verbose)),
    ("walk-ipv4.verbose.txt", .text, TextStyle(verbosity: .verbose)),
    ("drop-iptables-subchain-v4.rules.txt", .text, allRules()),
    ("drop-iptables-subchain-v4.rules.json", .json, allRules()),
    ("fragments-masquerade.quiet.txt", .text, TextStyle(verbosity: .quiet)),
    ("note-nat-once-v4.ascii.txt", .text, TextStyle(unicode: false)),
    ("policy-iptables-forward-v4.color.txt", .text, TextStyle(color: true)),
    ("events-lost-v4.jsonl", .jsonLines, TextStyle()),
  ]

  private static func allRules() -> TextStyle {
    var style = TextStyle()
    style.allRules = true
    return style
  }

  @Test(arguments: whole) func text(_ name: String) throws {
    try compare(render(name), with: "\(name).txt")
  }

  @Test(arguments: all) func json(_ name: String) throws {
    let text = try render(name, .json)
    _ = try JSONSerialization.jsonObject(with: Data(text.utf8))
    if Self.whole.contains(name) { try compare(text, with: "\(name).json") }
  }

  @Test(arguments: further) func otherwise(
    _ file: String, _ format: ReportFormat, _ style: TextStyle
  ) throws {
    let name = String(file.prefix { $0 != "." })
    try compare(Self.render(name, format, style: style), with: file)
  }

  /// What is not compared with anything would be right for ever.
  @Test func nothingElseIsThere() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.directory.path)
    let compared =
      Self.whole.flatMap { ["\($0).txt", "\($0).json"] } + Self.further.map(\.file)
      + ["catalogue.txt", "sentences.txt", "README.md", "damaged", "machines"]
    let recorded = files.filter { $0.hasSuffix(".pcapng") || $0.hasSuffix(Self.log) }
    #expect(Set(files).subtracting(recorded).symmetricDifference(compared) == [])
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
    where !["  remedy", "            ", "seq ", "data: ", "#"].contains(where: {
      line.hasPrefix($0)
    }) {
      #expect(line.count <= 80, "\(line)")
    }
  }

  /// Nothing is broken where a shell would read on otherwise.
  @Test(arguments: [60, 64, 80]) func remediesAreBrokenForShells(_ width: Int) throws {
    for name in Self.names {
      var style = TextStyle(width: width)
      style.isTerminal = true
      let lines = try Self.render(name, style: style).split(
        separator: "\n", omittingEmptySubsequences: false)
      for (place, line) in lines.enumerated() where line.hasPrefix("  remedy    ") {
        var last = place
        while lines[last].hasSuffix("\\") { last += 1 }
        #expect(last + 1 == lines.count || !lines[last + 1].hasPrefix("             "), "\(line)")
        for line in lines[place...last] {
          #expect(line.count <= width || line.split(separator: " ").count <= 3, "\(line)")
        }
      }
    }
  }

  @Test(arguments: all) func asciiIsASCII(_ name: String) throws {
    let text = try render(name, unicode: false)
    #expect(text.utf8.allSatisfy { $0 < 128 })
  }

  /// The page has the words of the text, in the order of each timeline, and nothing a browser would take for
  /// anything else.
  @Test(arguments: all) func html(_ name: String) throws {
    let page = try render(name, .html, session: "<b>a&b")
    #expect(page.hasPrefix("<!DOCTYPE html>\n") && page.hasSuffix("</html>\n"))
    #expect(page.contains(" · nftrace</title>"))
    #expect(page.contains("<p class=\"brand\">nftrace &lt;b&gt;a&amp;b</p>"))
    let body = try #require(page.split(separator: "<body>", maxSplits: 1).last)
    let parts = body.split(separator: "<script>", maxSplits: 1)
    #expect(parts.count == 2 && !parts[0].contains("<b>"))
    let (shown, tags) = Self.read(parts[0].replacing("<wbr>", with: ""))
    let known = Set(shown.split(whereSeparator: \.isWhitespace))
    for line in try render(name).split(separator: "\n")
    where !line.hasSuffix("(same path)") && !line.hasPrefix("--- ") {
      // Numbers of what went the same way are folded.
      let isFolded = page.contains("<section id=\"packets\">")
      let missing = line.split(separator: " ").filter { word in
        !known.contains(word) && !word.hasPrefix("#")
          && !(isFolded && (word.hasPrefix("≤") || word.first!.isNumber))
      }
      #expect(missing.isEmpty, "\(missing) of \(line)")
    }
    for name in ["dl", "dd", "dt", "h3", "p", "table", "svg", "code", "details", "section", "div"] {
      #expect(tags[name] == tags["/\(name)"], "\(name)")
    }
  }

  /// What is seen of a page, and how often each of its tags stands in it.
  private static func read(_ page: Substring) -> (text: String, tags: [String: Int]) {
    var octets: [UInt8] = []
    var tags: [String: Int] = [:]
    var tag: [UInt8]?
    for octet in page.utf8 {
      switch (octet, tag) {
      case (UInt8(ascii: "<"), _): tag = []
      case (UInt8(ascii: ">"), let inside?):
        let name = String(decoding: inside.prefix { $0 != 0x20 }, as: UTF8.self)
        tags[name, default: 0] += 1
        if name != "span", name != "/span" { octets.append(0x20) }
        tag = nil
      case (_, nil): octets.append(octet)
      case (_, _): tag?.append(octet)
      }
    }
    var text = String(decoding: octets, as: UTF8.self)
    for (entity, sign) in [("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")] {
      text = text.replacingOccurrences(of: entity, with: sign)
    }
    return (text, tags)
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
    if Self.writes {
      try Data(text.utf8).write(to: file)
      return
    }
    let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    #expect(text == expected)
  }
}
