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

  private static let chain = """
    table ip fw {
    \tchain f { # handle 1
    \t\tcomment "ours"
    \t\ttype filter hook forward priority filter; policy drop;
    \t\tip daddr 192.0.2.1 drop comment "x" # handle 2
    \t\tip daddr 192.0.2.3 accept # handle 7
    \t}
    }

    """

  @Test func rulesOfAChain() {
    #expect(
      ListedRule.chain(Self.chain, of: [2, 7])?.map(\.text)
        == [#"ip daddr 192.0.2.1 drop comment "x""#, "ip daddr 192.0.2.3 accept"])
    let plain = "table ip fw {\n\tchain f { # handle 1\n\t\tdrop # handle 2\n\t}\n}\n"
    #expect(ListedRule.chain(plain, of: [2])?.map(\.text) == ["drop"])
  }

  private static let nameless = """
    table inet fw {
    \tchain f { # handle 1
    \t\tmeta l4proto tcp jump {
    \t\t\ttcp dport 22 accept comment "} # handle 9"
    \t\t\ttcp dport { 1, 2 } accept
    \t\t} # handle 7
    \t\tgoto {
    \t\t\tdrop
    \t\t} # handle 9
    \t\tlog prefix "jump {" drop # handle 10
    \t}
    }

    """

  /// What stands in a chain without a name belongs to the rule that leads there.
  @Test func chainsWithoutNames() throws {
    let rules = try #require(ListedRule.chain(Self.nameless, of: [7, 9, 10]))
    #expect(
      rules.map(\.text)
        == ["meta l4proto tcp jump { ... }", "goto { ... }", #"log prefix "jump {" drop"#])
    #expect(
      rules.map { $0.nested.map(\.text) } == [
        [#"tcp dport 22 accept comment "} # handle 9""#, "tcp dport { 1, 2 } accept"], ["drop"],
        [],
      ])
    #expect(
      rules.flatMap(\.flat) == [
        #"meta l4proto tcp tcp dport 22 accept comment "} # handle 9""#,
        "meta l4proto tcp tcp dport { 1, 2 } accept", "drop", #"log prefix "jump {" drop"#,
      ])
    #expect(ListedRule.chain(Self.nameless, of: [7, 9]) == nil)
    let table = RuleListing.chains(in: Self.nameless)
    #expect(table.map(\.chain) == ["f"] && table[0].rules.map(\.handle) == [7, 9, 10])
  }

  /// Of a chain that is another one by now, and of one in which a comment or a set's name has lines of
  /// its own, no rule has a text.
  @Test(arguments: [
    ("x", "x", [2, 9]), ("x", "x", [7]), ("x", "x", [2, 7, 8]),
    (#""x""#, "\"x\n\t\taccept # handle 5\"", [2, 7]),
    (#""x""#, "\"x\n\t\taccept\"", [2, 7]), (#""x""#, "\"x # handle 2\n\t\taccept\"", [2, 7]),
    (#""ours""#, "\"ours\n\t\taccept # handle 2\"", [2, 7]),
    ("chain f", "chain f\n\t\ttype", [2, 7]),
  ])
  func forgedLines(_ old: String, _ new: String, _ handles: [UInt64]) {
    let listing = Self.chain.replacing(old, with: new)
    #expect(ListedRule.chain(listing, of: handles) == nil)
  }
}
