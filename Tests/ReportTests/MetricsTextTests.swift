import Testing
import Trace
import Wire

@testable import Report

/// Prometheus' text format.
struct MetricsTextTests {
  private func text(rule: String, netns: String? = nil) -> String {
    var counts = DropCounts()
    counts.take(
      NetlinkMessage(
        type: TraceMessage.type,
        payload: TraceMessage(
          family: NFProto.inet, id: 1, kind: .rule, table: "a\"b\\c", chain: "d\ne", handle: 5,
          verdict: .drop
        ).bytes))
    counts.take(
      RuleText(
        family: NFProto.inet, table: "a\"b\\c", chain: "d\ne", handle: 5, position: nil, text: rule,
        tool: .nft))
    counts.begin([], [.ingress])
    counts.read(["ingress": 7])
    return MetricsText.text(
      counts, RecorderState(process: 1, start: 2, session: "/x", limit: 3, since: 4), version: "1",
      netns: netns, isUp: true)
  }

  @Test func series() {
    let lines = text(rule: "drop").split(separator: "\n")
    let place = #"hook="",family="inet",table="a\"b\\c",chain="d\ne",handle="5""#
    #expect(lines.contains("nftrace_dropped_packets_total{\(place),reason=\"rule\"} 1"))
    #expect(lines.contains("nftrace_rule_info{\(place),rule=\"drop\"} 1"))
    #expect(lines.contains(#"nftrace_points_packets_total{hook="ingress",point="INGRESS"} 7"#))
    #expect(lines.contains("nftrace_recorder_up 1"))
    #expect(
      text(rule: "drop", netns: "web").split(separator: "\n").filter { !$0.hasPrefix("#") }
        .allSatisfy { $0.contains("{netns=\"web\"") })
  }

  @Test(arguments: ["a\u{1b}[31mb", "a\u{202e}b", "a\rb", "a\0b", "\\x1b \"", "é"])
  func textOfOthers(_ rule: String) throws {
    let text = text(rule: rule)
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || !Escape.isHidden($0) })
    try expectExposition(text)
  }

  /// Reads it as the format says: what a scraper would refuse fails.
  private func expectExposition(_ text: String) throws {
    #expect(text.hasSuffix("\n"))
    var typed: Set<String> = []
    var series: Set<Substring> = []
    for line in text.split(separator: "\n") {
      if line.hasPrefix("# ") {
        let words = line.split(separator: " ", maxSplits: 3)
        #expect(words.count == 4 && (words[1] == "HELP" || words[1] == "TYPE"))
        if words[1] == "TYPE" { #expect(typed.insert(String(words[2])).inserted) }
        continue
      }
      let end = try #require(line.lastIndex(of: " "))
      #expect(UInt64(line[line.index(after: end)...]) != nil)
      #expect(series.insert(line[..<end]).inserted, "one series once")
      #expect(typed.contains(String(line.prefix { $0 != "{" && $0 != " " })))
    }
  }
}
