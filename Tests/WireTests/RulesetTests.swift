import Recordings
import Testing
import Wire

@Suite struct RulesetTests {
  @Test(
    arguments: [
      ("inet seen pre", "filter", .prerouting, -450, .accept, []),
      ("inet seen ing", "filter", .ingress, 3, .accept, ["c0"]),
      ("inet v strict", "filter", .forward, 20, .drop, []),
      ("inet v sub", nil, nil, nil, nil, []),
      ("netdev seen ingress", "filter", .ingress, 0, .accept, ["c0"]),
      ("netdev seen egress", "filter", .egress, 0, .accept, ["s0"]),
      ("netdev seen both", "filter", .ingress, 5, .accept, ["s0", "c0"]),
      ("netdev seen both, dump", "filter", .ingress, 5, .accept, ["s0", "c0"]),
      ("ip t post", "nat", .postrouting, 100, .accept, []),
      ("ip t pre", "nat", .prerouting, -100, .accept, []),
      ("ip t output", "route", .output, -150, .accept, []),
      ("ip nat POSTROUTING", "nat", .postrouting, 100, .accept, []),
      ("ip6 nat POSTROUTING", "nat", .postrouting, 100, .accept, []),
      ("bridge seen forward", "filter", .forward, 0, .accept, []),
      ("ip t regular, deleted", nil, nil, nil, nil, []),
    ] as [(String, String?, Hook?, Int32?, Verdict?, [String])])
  func chains(
    name: String, type: String?, hook: Hook?, priority: Int32?, policy: Verdict?, devices: [String]
  ) throws {
    let chain = try ChainMessage(Recordings.chains[name].payload)
    #expect(name.hasPrefix("\(NFProto.name(chain.family)) \(chain.table) \(chain.name)"))
    #expect(chain.handle > 0)
    #expect(chain.type == type)
    #expect(chain.hook == hook)
    #expect(chain.priority == priority)
    #expect(chain.policy == policy)
    #expect(chain.devices == devices)
  }

  @Test func deviceNamesMayBeBeginnings() throws {
    // NFTA_DEVICE_PREFIX, which Linux 6.18 took up after the recordings' nft(8) was written.
    let devices = NetlinkAttribute(
      4, nested: [NetlinkAttribute(1, string: "lan0"), NetlinkAttribute(2, string: "wlan")])
    let hook = NetlinkAttribute(4, nested: [NetlinkAttribute(1, network: UInt32(0)), devices])
    let chain = try ChainMessage(NetfilterHeader(family: NFProto.netdev).bytes + [hook].bytes)
    #expect(chain.devices == ["lan0", "wlan*"])
  }

  @Test func oldKernelsSendOneDevice() throws {
    let hook = NetlinkAttribute(4, nested: [NetlinkAttribute(3, string: "lan0")])
    let chain = try ChainMessage(NetfilterHeader(family: NFProto.netdev).bytes + [hook].bytes)
    #expect(chain.devices == ["lan0"])
  }

  @Test(
    arguments: [
      ("ip t post", 5, "nat:snat", .snat, nil),
      ("ip t post 2", 6, "masq", .masquerade, "to the uplink"),
      ("ip t pre", 7, "nat:dnat", .dnat, "published"),
      ("ip t pre 2", 8, "redir", .redirect, nil),
      ("ip t output", 9, "counter", nil, nil),
      ("ip6 t post", 3, "masq", .masquerade, nil),
      ("ip6 t pre", 4, "nat:dnat", .dnat, nil),
      ("ip nat POSTROUTING", 2, "target:MASQUERADE", .masquerade, "from iptables"),
      ("ip nat PREROUTING", 4, "target:DNAT", .dnat, "web"),
      ("ip filter FORWARD", 2, "target:NFQUEUE", nil, nil),
      ("ip6 nat POSTROUTING", 2, "target:MASQUERADE", .masquerade, "six"),
      ("inet v strict 4", 14, "reject", nil, nil),
      ("netdev seen egress", 5, "log", nil, nil),
      ("ip6 t post, deleted", 3, "masq", .masquerade, nil),
    ] as [(String, UInt64, String, NFTRuleMessage.Translation?, String?)])
  func rules(
    name: String, handle: UInt64, last: String, translation: NFTRuleMessage.Translation?,
    comment: String?
  ) throws {
    let rule = try NFTRuleMessage(Recordings.rules[name].payload)
    #expect(name.hasPrefix("\(NFProto.name(rule.family)) \(rule.table) \(rule.chain)"))
    #expect(rule.handle == handle)
    #expect(rule.expressions.last == last)
    #expect(rule.translation == translation)
    #expect(rule.comment == comment)
  }

  @Test func expressionsStandInOrder() throws {
    let rule = try NFTRuleMessage(Recordings.rules["ip nat PREROUTING"].payload)
    #expect(
      rule.expressions == [
        "meta", "cmp", "payload", "cmp", "match:comment", "counter", "target:DNAT",
      ])
  }

  /// A rule of one expression, with user data.
  static func rule(
    _ name: String?, _ data: [NetlinkAttribute]? = nil, userData: [UInt8]? = nil
  ) throws -> NFTRuleMessage {
    try NFTRuleMessage(payload(name, data, userData: userData))
  }

  private static func payload(
    _ name: String?, _ data: [NetlinkAttribute]? = nil, userData: [UInt8]? = nil
  ) -> [UInt8] {
    var parts: [NetlinkAttribute] = []
    if let name { parts.append(NetlinkAttribute(1, string: name)) }
    if let data { parts.append(NetlinkAttribute(2, nested: data)) }
    let element = NetlinkAttribute(1, nested: parts)
    var attributes = [NetlinkAttribute(4, nested: [element])]
    if let userData { attributes.append(NetlinkAttribute(7, userData)) }
    return NetfilterHeader(family: 2).bytes + attributes.bytes
  }

  /// Whether a rule asks who sends is read of it alone as it is with all else.
  @Test func owners() throws {
    let asking: [(String, [NetlinkAttribute])] = [
      ("match", [NetlinkAttribute(1, string: "owner")]),
      ("match", [NetlinkAttribute(1, string: "cgroup")]),
      ("meta", [NetlinkAttribute(2, network: UInt32(10))]),
      (
        "meta", [NetlinkAttribute(1, network: UInt32(1)), NetlinkAttribute(2, network: UInt32(23))]
      ),
      ("socket", [NetlinkAttribute(1, network: UInt32(3))]),
    ]
    let others: [(String, [NetlinkAttribute])] = [
      ("match", [NetlinkAttribute(1, string: "comment")]), ("match", []),
      ("meta", [NetlinkAttribute(2, network: UInt32(6))]),
      ("socket", [NetlinkAttribute(1, network: UInt32(0))]),
      ("target", [NetlinkAttribute(1, string: "owner")]), ("cmp", []),
    ]
    for (rules, isAsking) in [(asking, true), (others, false)] {
      for (name, data) in rules {
        let payload = Self.payload(name, data)
        #expect(NFTRuleMessage.asksOwner(payload) == isAsking, "\(name)")
        #expect(try NFTRuleMessage(payload).asksOwner == isAsking, "\(name)")
      }
    }
    for rule in Recordings.rules {
      let whole = try NFTRuleMessage(rule.payload).asksOwner
      #expect(NFTRuleMessage.asksOwner(rule.payload) == whole)
    }
  }

  @Test func unknownExpressionsKeepTheirNames() throws {
    #expect(try Self.rule(nil).expressions == ["?"])
    #expect(try Self.rule("osf").expressions == ["osf"])
    #expect(try Self.rule("target", []).expressions == ["target:?"])
    #expect(try Self.rule("nat", [NetlinkAttribute(1, network: UInt32(2))]).expressions == ["nat"])
    #expect(try Self.rule("nat", []).translation == nil)
  }

  @Test(
    arguments: [
      ([0, 3, 0x68, 0x69, 0], "hi"), ([0, 2, 0x68, 0x69], "hi"), ([5, 1, 9, 0, 1, 0x68], "h"),
      ([0, 3, 0x68], nil), ([0], nil), ([], nil), ([5, 1, 9], nil), ([0, 0], ""),
    ] as [([UInt8], String?)])
  func userData(bytes: [UInt8], comment: String?) throws {
    #expect(try Self.rule("masq", userData: bytes).comment == comment)
  }

  @Test(arguments: Recordings.chains + Recordings.rules)
  func everyTruncationIsReadOrRefused(recording: Recording) {
    for part in prefixes(recording.payload) { #expect(survives(part)) }
    #expect(throws: WireError.self) { try ChainMessage([]) }
    #expect(throws: WireError.self) { try NFTRuleMessage([2, 0, 0]) }
  }
}
