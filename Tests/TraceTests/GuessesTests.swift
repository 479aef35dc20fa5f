import Testing
import Trace
import Wire

/// Questions that are made of what rules speak of.
@Suite struct GuessesTests {
  private static let interfaces = [
    Guesses.Interface(name: "lan0", addresses: [Prefix("10.1.0.1/24")!], isUplink: false),
    Guesses.Interface(name: "wan0", addresses: [Prefix("198.51.100.2/30")!], isUplink: true),
  ]

  private static func questions(_ text: String, sets: [String: [String]] = [:]) -> [String] {
    var rule = RuleInForce(family: NFProto.inet, table: "fw", chain: "f", handle: 1, position: 1)
    rule.text = text
    return Guesses(interfaces).questions(about: [rule], sets: sets).map(\.name)
  }

  /// Both ends of what a rule takes, and what is just beside.
  @Test(arguments: [
    ("iifname \"lan0\" tcp dport 80-90 accept", ["tcp/79", "tcp/80", "tcp/90", "tcp/91"]),
    (
      "-A f -i lan0 -p tcp -m multiport --dports 22,443 -j ACCEPT", ["tcp/22", "tcp/23", "tcp/443"]
    ),
    ("iifname \"lan0\" udp dport 65535 drop", ["udp/65534", "udp/65535"]),
  ])
  func portsHaveEdges(_ rule: String, _ ports: [String]) {
    let found = Self.questions(rule)
    for port in ports { #expect(found.contains { $0.hasSuffix(" \(port)") }, "\(found)") }
    #expect(found.allSatisfy { $0.hasPrefix("lan0 10.1.0.2 ") })
  }

  @Test func addressesHaveEdges() {
    let found = Self.questions("ip saddr 10.1.0.64/30 tcp dport 22 accept")
    for source in ["10.1.0.63", "10.1.0.64", "10.1.0.67", "10.1.0.68"] {
      #expect(found.contains { $0.hasPrefix("lan0 \(source) ") }, "\(found)")
    }
    // Every interface is asked where the rule names none.
    #expect(found.contains { $0.hasPrefix("wan0 ") })
    #expect(Set(found).count == found.count)
  }

  @Test func elementsOfSets() {
    let found = Self.questions(
      "ip saddr @admins tcp dport 22 accept", sets: ["inet fw admins": ["10.1.0.7", "10.1.0.9"]])
    for source in ["10.1.0.6", "10.1.0.7", "10.1.0.8", "10.1.0.10"] {
      #expect(found.contains { $0.hasPrefix("lan0 \(source) ") }, "\(found)")
    }
  }

  /// Nothing beyond the first and the last address, and nothing that is no packet's.
  @Test func nothingImpossible() {
    let found = Self.questions("ip saddr 0.0.0.0/0 ip daddr 255.255.255.255 udp dport 1 drop")
    #expect(!found.contains { $0.contains("0.0.0.0") }, "\(found)")
    #expect(Self.questions("ip6 saddr fd00::/8 accept").isEmpty)
    #expect(Self.questions("counter").allSatisfy { !$0.isEmpty })
  }
}
