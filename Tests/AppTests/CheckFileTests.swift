import Kernel
import Testing
import Trace
import Wire

@testable import App

/// What people write in files of tests, and what they are told of what is wrong there.
struct CheckFileTests {
  private static func tests(_ text: String) throws -> TestFile {
    try TestFile(YAML.document(Array(text.utf8))) { Names.port($0, $1) }
  }

  private static let example = """
    topology:                      # what is not copied from a host
      interfaces: {lan0: 10.77.1.1/24, wan0: 198.18.77.2/30, br0: {type: bridge, address: 10.77.2.1/24}}
      routes: [default via 198.18.77.1]
    tests:
      - name: LAN reaches the web
        from: lan0 10.77.1.10      # interface and source
        to: 198.19.1.1 tcp/443
        expect: accept
        source: 198.18.77.2
        reply: accept
      - {from: wan0 198.19.1.1, to: 198.18.77.2 tcp/8080, expect: accept, dest: 10.77.2.10:80}
      - {from: wan0 10.77.1.77, to: 198.18.77.2 icmp, expect: drop, cause: reverse-path-filter}
      - from: local
        to: "198.19.1.1 [tcp/80, tcp/https, udp/domain]"
        expect: reject tcp-reset
    """

  @Test func theExampleIsRead() throws {
    let file = try Self.tests(Self.example)
    let topology = try #require(file.topology)
    #expect(topology.interfaces.map(\.name) == ["lan0", "wan0", "br0"])
    #expect(topology.interfaces.map(\.isBridge) == [false, false, true])
    #expect(topology.routes.map(\.text) == ["default via 198.18.77.1"])
    #expect(topology.routes[0].line == 3)
    #expect(file.tests.map(\.line) == [5, 11, 12, 13, 13, 13])
    #expect(
      file.tests.map(\.target) == [
        "198.19.1.1 tcp/443", "198.18.77.2 tcp/8080", "198.18.77.2 icmp", "198.19.1.1 tcp/80",
        "198.19.1.1 tcp/443", "198.19.1.1 udp/53",
      ])
    let first = file.tests[0]
    #expect(first.name == "LAN reaches the web")
    #expect(first.from == .behind("lan0", IPAddress("10.77.1.10")))
    #expect(first.expected.verdict == .accept && first.expected.isAnswered == true)
    #expect(first.expected.source == .init(IPAddress("198.18.77.2")!, port: nil))
    #expect(file.tests[1].expected.destination == .init(IPAddress("10.77.2.10")!, port: 80))
    #expect(file.tests[2].expected.cause?.rawValue == "reverse-path-filter")
    #expect(file.tests[2].expected.isAnswered == nil)
    #expect(file.tests[3].expected.verdict == .reject(Rejection("tcp-reset")))
    #expect(file.tests[5].name == "local to 198.19.1.1 udp/53")
  }

  @Test(arguments: [
    "10.0.0.1 tcp/80, tcp/443", "[10.0.0.1 tcp/80, 10.0.0.1 tcp/443]",
    "[10.0.0.1, tcp/80, tcp/443]", "{10.0.0.1: [tcp/80, tcp/443]}",
    "[\"10.0.0.1:80\", 10.0.0.1 tcp/443]",
  ])
  func severalPorts(_ to: String) throws {
    let file = try Self.tests("tests:\n  - from: lan0 10.1.0.1\n    to: \(to)\n    expect: drop\n")
    #expect(file.tests.map(\.target) == ["10.0.0.1 tcp/80", "10.0.0.1 tcp/443"])
  }

  @Test func anchorsAreValues() throws {
    let file = try Self.tests(
      """
      tests:
        - {from: &lan lan0 10.1.0.1, to: 10.0.0.1 tcp/80, expect: drop}
        - {from: *lan, to: 10.0.0.1 udp/53, expect: drop}
      """)
    #expect(file.tests[1].from == file.tests[0].from)
  }

  /// What is wrong, in which line, and what would be right.
  @Test(arguments: [
    ("tests:\n  - {from: lan0, to: 1.1.1.1 tcp/80, expct: drop}", 2, "did you mean 'expect'?"),
    ("tests:\n  - {from: lan0, to: 1.1.1.1 tcp/80}", 2, "no 'expect:'"),
    ("tests:\n  - {to: 1.1.1.1 tcp/80, expect: drop}", 2, "no 'from:'"),
    ("tests:\n  - {from: lan0, expect: drop}", 2, "no 'to:'"),
    ("tests:\n  - {from: lan0, to: 1.1.1.1 tcp/80, expect: dropp}", 2, "did you mean drop?"),
    ("tests:\n  - {from: lan0, to: 1.1.1.1 tcp, expect: drop}", 2, "write tcp/443"),
    ("tests:\n  - {from: lan0, to: 1.1.1.1 443, expect: drop}", 2, "tcp/443"),
    ("tests:\n  - {from: lan0, to: 1.1.1.1 icmp/3, expect: drop}", 2, "icmp has no ports"),
    ("tests:\n  - {from: lan0, to: 1.1.1.1 tcp/99999, expect: drop}", 2, "no port"),
    ("tests:\n  - {from: lan0, to: example.org tcp/80, expect: drop}", 2, "no IP address"),
    ("tests:\n  - {from: lan0 fd00::1, to: 1.1.1.1 icmp, expect: drop}", 2, "one IP version"),
    ("tests:\n  - {from: lan0 10.0.0.300, to: 1.1.1.1 icmp, expect: drop}", 2, "no IP address"),
    ("tests:\n  - {from: a b c, to: 1.1.1.1 icmp, expect: drop}", 2, "an interface and an address"),
    (
      "tests:\n  - {from: lan0, to: 1.1.1.1 icmp, expect: drop, cause: rule-dropp}", 2, "rule-drop?"
    ),
    ("tests:\n  - {from: lan0, to: 1.1.1.1 icmp, expect: reject nonsense}", 2, "admin-prohibited"),
    ("tests:\n  - {from: lan0, to: 1.1.1.1 icmp, expect: drop, mark: red}", 2, "no mark"),
    ("tests:\n  - {from: lan0, to: 1.1.1.1 icmp, expect: drop, source: here}", 2, "no address"),
    ("tests:\n  - {from: lan0, from: lan1, to: 1.1.1.1 icmp, expect: drop}", 2, "there twice"),
    ("tests:\n  - just text", 2, "has names with values"),
    ("test:\n  - {}", 1, "did you mean 'tests'?"),
    ("tests: [\n", 2, "no YAML"),
    ("a: *b", 1, "*b is not known"),
    ("tests: []\n---\ntests: []\n", 2, "second document"),
    ("topology: {interfaces: {lan0: 10.0.0.1}}\ntests: []", 1, "with its subnet"),
    ("topology: {interfaces: {lan0: {type: vxlan}}}\ntests: []", 1, "not made here"),
    ("topology: {interfaces: {lan0: {adress: 1.1.1.1/8}}}\ntests: []", 1, "'address'?"),
    ("topology: {interfaces: {lan0: {ports: [a]}}}\ntests: []", 1, "no bridge"),
    ("topology: {interfaces: {a/b: 10.0.0.1/8}}\ntests: []", 1, "no name of an interface"),
    ("topology: {routes: []}\ntests: []", 1, "a topology has interfaces"),
  ])
  func whatIsWrongIsSaid(_ text: String, _ line: Int, _ words: String) throws {
    let fault = #expect(throws: ConfigurationFault.self) { try Self.tests(text) }
    #expect(
      fault?.line == line && fault?.text.contains(words) == true, "\(String(describing: fault))")
  }

  /// Values that stand for others count as often as they do.
  @Test func aBombIsRefused() throws {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      text +=
        "a\(level): &a\(level) ["
        + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ") + "]\n"
    }
    let fault = #expect(throws: ConfigurationFault.self) { try YAML.document(Array(text.utf8)) }
    #expect(fault?.text.contains("more than") == true)
    let deep = String(repeating: "[", count: 1000)
    #expect(throws: ConfigurationFault.self) { try YAML.document(Array(deep.utf8)) }
  }

  // MARK: Lines of rulesets

  /// The comment of each rule is its line.
  @Test func linesOfNft() throws {
    let text = """
      #!/usr/sbin/nft -f
      flush ruleset; define X = { 1,
        2 }
      table ip6 nat { chain p { type nat hook prerouting priority dstnat; accept; drop; } }
      table inet fw {
        # a chain { in a comment
        set s { type ipv4_addr; elements = { 10.0.0.1,
                  10.0.0.2 } }
        map m {
          type ipv4_addr : verdict
        }
        counter c { }
        ct helper ftp { type "ftp" protocol tcp; }
        chain in {
          type filter hook input priority 0; policy drop
          comment "not a rule"
          ct state { established,
             related } accept
          tcp dport \\
             22 accept; udp dport 53 accept
          ip saddr vmap { 10.0.0.1 : accept, 10.0.0.2 : jump other }
          log prefix "a { brace; and # more" drop
          jump { accept; }
          limit rate 5/second accept
        }
        chain other { return; }
      }
      add rule inet fw in drop
      insert rule inet fw in accept
      add chain inet fw late { type filter hook forward priority 5; }
      add rule fw4 c drop
      """
    let ruleset = RulesetText(text, path: "x.nft")
    #expect(ruleset.language == .nft)
    func lines(_ family: UInt8, _ table: String, _ chain: String) -> [Int] {
      (1...20).compactMap {
        ruleset.line(family: family, table: table, chain: chain, numbers: [$0])?.number
      }
    }
    #expect(lines(NFProto.ipv6, "nat", "p") == [4, 4])
    #expect(lines(NFProto.inet, "fw", "in") == [29, 17, 19, 20, 21, 22, 23, 24, 28])
    #expect(lines(NFProto.inet, "fw", "other") == [26])
    #expect(lines(NFProto.ipv4, "fw4", "c") == [31])
    #expect(lines(NFProto.inet, "fw", "late") == [])
  }

  /// Rules of a chain without a name have lines of their own, and the rule behind it has its own.
  @Test func linesOfChainsWithoutNames() {
    let ruleset = RulesetText(
      """
      table inet fw {
        chain f {
          accept
          meta l4proto tcp jump {
            tcp dport { 22,
              23 } accept; counter
            drop
          }
          udp dport 53 goto { accept }
          drop
        }
      }
      add rule inet fw f tcp dport 7 jump { counter; accept; }
      """, path: "x.nft")
    func line(_ numbers: Int...) -> Int? {
      ruleset.line(family: NFProto.inet, table: "fw", chain: "f", numbers: numbers)?.number
    }
    #expect((1...6).map { line($0) } == [3, 4, 9, 10, 13, nil])
    #expect((1...4).map { line(2, $0) } == [5, 6, 7, nil])
    #expect([line(3, 1), line(3, 2), line(1, 1), line(5, 1), line(5, 2)] == [9, nil, nil, 13, 13])
  }

  /// A file that another one includes goes on where that was.
  @Test func linesOfIncludedFiles() {
    let ruleset = RulesetText(
      "table inet t {\n include \"./a.nft\"\n chain c {\n  include \"./b*.nft\"\n  drop\n }\n}\n",
      path: "x.nft"
    ) { name in
      name == "./a.nft"
        ? [("a.nft", "chain a {\n accept\n}\n")] : [("b1.nft", "accept\n"), ("b2.nft", "\nreturn")]
    }
    func lines(_ chain: String) -> [String] {
      (1...5).compactMap {
        ruleset.line(family: NFProto.inet, table: "t", chain: chain, numbers: [$0]).map {
          "\($0.path):\($0.number)"
        }
      }
    }
    #expect(lines("a") == ["a.nft:2"])
    #expect(lines("c") == ["b1.nft:1", "b2.nft:2", "x.nft:5"])
  }

  @Test func linesOfIptables() {
    let text = """
      # Generated by iptables-save
      *nat
      :PREROUTING ACCEPT [0:0]
      -A PREROUTING -j DNAT --to-destination 10.0.0.1
      COMMIT
      *filter
      :FORWARD DROP [0:0]
      -A FORWARD -j ACCEPT
      [5:300] -A FORWARD -j DROP
      COMMIT
      """
    let ruleset = RulesetText(text, path: "rules.v4")
    #expect(ruleset.language == .iptables(version: 4))
    #expect(
      ruleset.line(family: NFProto.ipv4, table: "nat", chain: "PREROUTING", numbers: [1])?.number
        == 4)
    #expect(
      ruleset.line(family: NFProto.ipv4, table: "filter", chain: "FORWARD", numbers: [2])?.number
        == 9)
    #expect(
      ruleset.line(family: NFProto.ipv4, table: "filter", chain: "FORWARD", numbers: [3])?.number
        == nil)
    let six = RulesetText("*filter\n-A INPUT -s fd00::/8 -j DROP\nCOMMIT\n", path: "rules.v6")
    #expect(six.language == .iptables(version: 6))
  }

  @Test func patterns() {
    for (pattern, text, fits) in [
      ("*", "", true), ("a*c", "abbc", true), ("a*c", "abcd", false), ("?b*", "ab", true),
      ("*web*", "the web server", true), ("web", "the web", false), ("a*b*c", "a-b-b-c", true),
    ] { #expect(Glob(pattern).matches(text) == fits, "\(pattern) \(text)") }
  }
}
