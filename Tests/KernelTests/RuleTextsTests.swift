import Testing

@testable import Kernel

/// Lines of `iptables-legacy -S CHAIN NUMBER -v`.
@Suite struct RuleTextsTests {
  @Test(arguments: [
    ("-A FORWARD -d 10.0.0.1/32 -c 3 252 -j DROP", "-A FORWARD -d 10.0.0.1/32 -j DROP"),
    ("-A FORWARD -c 3 252", "-A FORWARD"),
    (
      #"-A INPUT -m comment --comment "a -c 7 9" -c 3 252 -g NEXT"#,
      #"-A INPUT -m comment --comment "a -c 7 9" -g NEXT"#
    ),
    (
      #"-A INPUT -m comment --comment "say \" -c 7 9" -c 3 252 -j LOG --log-prefix "x -c 1 2 ""#,
      #"-A INPUT -m comment --comment "say \" -c 7 9" -j LOG --log-prefix "x -c 1 2 ""#
    ),
  ])
  func counters(_ line: String, _ text: String) throws {
    let rule = try #require(RuleTexts.withoutCounters(line))
    #expect(rule.text == text && rule.packets == 3)
  }

  @Test(arguments: ["", "-A FORWARD -j DROP", "-A FORWARD -c x 1 -j DROP", "-A FORWARD -c 1"])
  func withoutCounters(_ line: String) {
    #expect(RuleTexts.withoutCounters(line) == nil)
  }
}
