import Testing
import Trace
import Wire

@testable import Kernel

extension LiveTests {
  /// A rule of a long chain is made alone in an empty network namespace, and listed there: it has the text that it has in a
  /// listing of its chain.
  struct LongChainTests {
    /// Rules of a chain of inet.
    static let rules = [
      "ip daddr 192.0.2.1 drop",
      "ip saddr 192.0.2.0/24 tcp dport 22 accept comment \"} # handle 7\"",
      "tcp dport { 22, 80, 8000-8100 } accept", "ip daddr { 10.0.0.0/8, 192.168.0.0/16 } drop",
      "ip saddr . tcp dport { 10.0.0.1 . 22, 10.0.0.2 . 80-90 } accept",
      "ip6 daddr 2001:db8::/32 reject with icmpv6 type admin-prohibited", "ip saddr @named drop",
      "ip saddr != @named counter drop", "ip daddr @ranges log prefix \"in: { jump \" group 3 drop",
      "add @seen { ip saddr timeout 1m limit rate 10/second }", "ip saddr vmap @verdicts",
      "tcp dport vmap { 22 : accept, 80 : jump other, 443 : goto final, 1000-2000 : drop }",
      "iif lo accept", "iifname \"eth*\" oifname { \"wan0\", \"wan1\" } accept",
      "iif . tcp dport { lo . 22 } accept", "ct state established,related accept",
      "ct state vmap { invalid : drop, established : accept }", "ct mark set ip saddr map @marks",
      "meta mark set ip saddr map { 10.0.0.1 : 0x1, 10.0.0.2 : 0x2 }", "ct zone set 7",
      "counter name \"total\" accept",
      "counter name tcp dport map { 22 : \"total\", 80 : \"web\" }",
      "quota name \"most\" drop", "quota over 10 mbytes drop", "counter drop",
      "limit rate over 5/minute burst 7 packets drop", "limit name \"slow\" accept",
      "ip protocol tcp ct helper set \"ftp-standard\"", "meta skuid root accept",
      "meta skuid { 0, 65534 } drop", "fib saddr . iif oif missing drop",
      "fib daddr type local accept",
      "tcp flags syn / fin,syn,rst,ack tcp option maxseg size set 1400",
      "tcp flags != syn ct state new drop", "reject with tcp reset", "jump other", "goto final",
      "tcp dport 25 jump { ip saddr 10.1.2.3 accept; drop }",
      "goto { log prefix \"gone\" drop } comment \"into { none\"", "queue num 3 bypass", "notrack",
      "dup to 10.9.9.9", "tproxy ip to 127.0.0.1:50080", "masquerade",
      "socket transparent 1 accept",
      "@th,16,16 53 drop", "meta l4proto { tcp, udp } th dport 53 accept", "ip dscp set cs1",
      "ip ttl < 3 drop", "icmp type { echo-request, echo-reply } accept", "meta nftrace set 1",
      "meta hour \"10:00\"-\"11:00\" drop", "numgen inc mod 3 vmap { 0 : accept, 1 : drop }",
      "jhash ip saddr mod 2 seed 0x1 vmap { 0 : accept, 1 : jump other }",
      "exthdr frag exists drop",
      "synproxy mss 1460 wscale 7 timestamp sack-perm", "last drop", "rt nexthop 10.0.0.1 drop",
      "ct count over 20 drop", "accept",
    ]

    private static let around = """
      set named { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 }; }
      set ranges { type ipv4_addr; flags interval; elements = { 10.0.0.0/8 }; }
      set seen { type ipv4_addr; size 100; flags dynamic,timeout; }
      map verdicts { type ipv4_addr : verdict; elements = { 10.0.0.1 : jump other }; }
      map marks { type ipv4_addr : mark; elements = { 10.0.0.1 : 1 }; }
      counter total { }
      counter web { }
      quota most { over 20 mbytes; }
      limit slow { rate 3/second; }
      ct helper ftp-standard { type "ftp" protocol tcp; }
      chain other { }
      chain final { drop; }
      """

    private static func step(_ family: UInt8, _ table: String, _ chain: String) -> RuleStep {
      RuleStep(family: family, table: table, chain: chain, .policy, verdict: .continue)
    }

    private static func nft(_ text: String) throws {
      let (code, output) = try ChildProcess.run(
        ["sh", "-c", "printf '%s\n' \"$1\" | nft -f -", "sh", text])
      #expect(code == 0, "\(output)")
    }

    /// Those that this kernel takes: alone, and together.
    @Test func everyKindOfRuleOfNFT() throws {
      try inNewNamespace {
        try Self.nft("table inet fw {\n\(Self.around)\n}\nadd chain inet fw long")
        var taken: [String] = []
        for rule in Self.rules {
          if try ChildProcess.run(["nft", "add rule inet fw long \(rule)"]).code == 0 {
            taken.append(rule)
          }
        }
        #expect(taken.count > 45, "only \(taken)")
        let step = Self.step(NFProto.inet, "fw", "long")
        var reader = try RulesetReader()
        let listed = try #require(RuleListing.rules(of: step, &reader))
        #expect(listed.count == taken.count)
        let handles = listed.compactMap(\.handle)
        for (index, rule) in listed.enumerated() {
          let alone = LoneRules.texts(of: [handles[index]], in: step, .nft)
          #expect(alone == [rule.text], "\(taken[index])")
        }
        let together = try #require(LoneRules.texts(of: handles, in: step, .nft))
        #expect(together == listed.map(\.text))
        // What stands in a chain without a name.
        let chains = try reader.chains().compactMap { try? ChainMessage($0.payload) }
        for chain in chains where NFTRuleMessage.isNameless(chain.name) {
          let inner = Self.step(NFProto.inet, "fw", chain.name)
          let texts = try #require(RuleListing.rules(of: inner, &reader)).map(\.text)
          #expect(LoneRules.texts(of: reader.handles(inner), in: inner, .nft) == texts)
        }
        #expect(LoneRules.texts(of: [999_999], in: step, .nft) == nil)
        #expect(LoneRules.texts(of: [1], in: Self.step(NFProto.inet, "none", "long"), .nft) == nil)
      }
    }

    /// Through the deputy as well, with the place of a rule in its chain.
    @Test func rulesOfIPTables() throws {
      try inNewNamespace {
        let rules =
          (0..<300).map { "-A FORWARD -d 10.0.\($0 / 256).\($0 % 256)/32 -j ACCEPT" } + [
            "-A FORWARD -p tcp -m tcp --dport 22 -m comment --comment \"a -j DROP\" -j OURS",
            "-A FORWARD -i eth0 -m conntrack --ctstate INVALID -j DROP",
            "-A FORWARD -p udp -m multiport --dports 53,123 -g OURS",
            "-A FORWARD -m limit --limit 3/min -j LOG --log-prefix \"x { \" --log-level 6",
            "-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
            "-A FORWARD -s 192.0.2.0/24 -j REJECT --reject-with icmp-admin-prohibited",
          ] + (0..<300).map { "-A OURS -s 10.1.\($0 / 256).\($0 % 256)/32 -j RETURN" }
        let file = "*filter\n:OURS - [0:0]\n" + rules.joined(separator: "\n") + "\nCOMMIT\n"
        let (code, output) = try ChildProcess.run(
          ["sh", "-c", "printf '%s' \"$1\" | iptables-nft-restore", "sh", file])
        #expect(code == 0, "\(output)")
        var reader = try RulesetReader()
        reader.deputy = Deputy()
        #expect(reader.deputy != nil)
        for chain in ["FORWARD", "OURS"] {
          let step = Self.step(NFProto.ipv4, "filter", chain)
          let handles = reader.handles(step)
          #expect(reader.firstHandles(step) == Array(handles.prefix(RulesetReader.most + 1)))
          let saved = RuleListing.saved("filter", NFProto.ipv4, chain: chain, legacy: false)
          #expect(saved.count == handles.count && handles.count >= 300)
          let last = handles.suffix(8)
          #expect(
            reader.texts(of: Array(last), in: step, .iptables) == saved.suffix(8).map(\.text))
          var texts = RuleTexts(stamps: [:])
          var met = step
          met.ref = .nft(handle: handles[298])
          let text = try #require(texts.text(of: met, &reader))
          #expect(text.position == 299 && text.text == saved[298].text && text.tool == .iptables)
        }
      }
    }

    /// A drop in a chain of many rules is told with its rule, as in one of few.
    @Test func aRuleOfALongChain() throws {
      try inNewNamespace {
        let rules = (0..<400).map {
          "add rule inet fw long ip daddr 10.0.0.0/8 tcp dport \($0) drop"
        }
        try Self.nft(
          "add table inet fw; add chain inet fw long; " + rules.joined(separator: "; "))
        let step = Self.step(NFProto.inet, "fw", "long")
        var reader = try RulesetReader()
        let handles = reader.handles(step)
        #expect(handles.count == 400 && reader.firstHandles(step).count == RulesetReader.most + 1)
        var texts = RuleTexts(stamps: [:])
        var met = step
        met.ref = .nft(handle: handles[333])
        let text = try #require(texts.text(of: met, &reader))
        #expect(text.text == "ip daddr 10.0.0.0/8 tcp dport 333 drop" && text.tool == .nft)
        #expect(RuleListing.chain(of: step, &reader).isEmpty)
      }
    }
  }
}
