import Testing
import Wire

@testable import Trace

/// A packet is dropped by the rule with handle 7, while its table is loaded anew: in each order in
/// which the kernel may tell of it. No text is told that may be another rule's.
@Suite struct RemovedTableTests {
  private static let table = TableName(NFProto.ipv4, "filter")

  private static func message(
    _ type: UInt16, _ attributes: [NetlinkAttribute]
  ) -> NetlinkMessage {
    NetlinkMessage(
      type: type, payload: NetfilterHeader(family: table.family).bytes + attributes.bytes)
  }

  /// A rule with a comment, and with a counter that has seen so many packets.
  private static func rule(
    _ type: UInt16, _ comment: String, handle: UInt64 = 7, packets: UInt64 = 0, set: String = "bad",
    translates: String = "masq"
  ) -> NetlinkMessage {
    func expression(_ name: String, _ data: [NetlinkAttribute]) -> NetlinkAttribute {
      NetlinkAttribute(
        1, [NetlinkAttribute(1, string: name), NetlinkAttribute(2, data.bytes)].bytes)
    }
    let expressions = [
      expression("counter", [NetlinkAttribute(2, network: packets)]),
      expression("lookup", [NetlinkAttribute(1, string: set)]),
      expression(translates, []),
    ]
    let text = Array(comment.utf8) + [0]
    return message(
      type,
      [
        NetlinkAttribute(1, string: table.name), NetlinkAttribute(2, string: "FORWARD"),
        NetlinkAttribute(3, network: handle), NetlinkAttribute(4, expressions.bytes),
        NetlinkAttribute(7, [0, UInt8(text.count)] + text),
      ])
  }

  private static func text(_ words: String, handle: UInt64 = 7) -> Record {
    Record(
      time: 0,
      .note(
        .rule(
          RuleText(
            family: table.family, table: table.name, chain: "FORWARD", handle: handle, position: 1,
            text: words, tool: .nft))))
  }

  private static let removal = message(
    RulesetWatch.deleteTableType, [NetlinkAttribute(1, string: table.name)])
  private static let end = message(0x0a0f, [NetlinkAttribute(3, string: "nft")])

  /// The first half of a transaction, until the table is gone, and the second.
  private static let goes = [rule(NFTRuleMessage.deleteType, "old", packets: 3), removal]
  private static func comes(_ comment: String) -> [NetlinkMessage] {
    [rule(NFTRuleMessage.newType, comment), end]
  }
  private static let changes = goes + comes("new")
  private static let staysTheSame = goes + comes("old")
  private static let leaves = goes + [end]

  /// Records in the order in which they are received, from the packet's arrival on.
  private struct Traffic {
    var script = Script()

    init() {
      script.see(echo(), at: "PREROUTING", id: 5, in: 3)
      script.see(echo(ttl: 63), at: "mangle-FORWARD", id: 5, in: 3, out: 2)
    }

    mutating func drops() {
      script.step(
        TraceMessage(
          family: table.family, id: 5, kind: .rule, table: table.name, chain: "FORWARD", handle: 7,
          verdict: .drop))
    }

    mutating func tell(_ messages: [NetlinkMessage], after pause: UInt64 = 1000) {
      script.time += pause
      script.records += messages.map { Record(time: script.time, .netlink($0)) }
    }

    mutating func read(_ words: String) {
      var record = text(words)
      record.time = script.time
      script.records.append(record)
    }

    /// The rule that dropped the packet, as it is told.
    var rule: RuleStep? { script.story().first?.request?.way.rules.last }
  }

  @Test func nothingChanges() {
    var traffic = Traffic()
    traffic.drops()
    traffic.read("old")
    #expect(traffic.rule?.text == "old" && traffic.rule?.isReplaced == false)
  }

  /// The text is known; the packet may have met the new rule already.
  @Test func readBeforeTheCommit() throws {
    var traffic = Traffic()
    traffic.read("old")
    traffic.drops()
    traffic.tell(Self.changes)
    let rule = try #require(traffic.rule)
    #expect(rule.text == nil && rule.isReplaced && rule.handle == 7)
  }

  /// What is read of the new rule behind the commit is for packets behind it.
  @Test func readBehindTheCommit() throws {
    var traffic = Traffic()
    traffic.drops()
    traffic.tell(Self.changes)
    traffic.read("new")
    let rule = try #require(traffic.rule)
    #expect(rule.text == nil && rule.isReplaced)
  }

  @Test func whileTheCommitIsTold() throws {
    var traffic = Traffic()
    traffic.tell(Self.goes)
    traffic.drops()
    traffic.tell(Self.comes("new"))
    traffic.read("new")
    let rule = try #require(traffic.rule)
    #expect(rule.text == nil && rule.isReplaced)
  }

  /// A processor may have been taken away while the packet met the old rule.
  @Test func rightBehindTheCommit() throws {
    var traffic = Traffic()
    traffic.tell(Self.changes)
    traffic.drops()
    traffic.read("new")
    let rule = try #require(traffic.rule)
    #expect(rule.text == nil && rule.isReplaced)
  }

  @Test func aWhileBehindTheCommit() throws {
    var traffic = Traffic()
    traffic.read("old")
    traffic.tell(Self.changes)
    traffic.script.time += RemovedTable.lateness
    traffic.drops()
    #expect(traffic.rule?.text == nil)
    traffic.read("new")
    let rule = try #require(traffic.rule)
    #expect(rule.text == "new" && !rule.isReplaced)
  }

  /// A ruleset that is loaded over and over says the same: there is nothing to doubt.
  @Test(arguments: [0, 1, 2]) func theSameRuleAgain(_ place: Int) throws {
    var traffic = Traffic()
    traffic.read("old")
    for (index, part) in [Self.goes, Self.comes("old"), []].enumerated() {
      if index == place { traffic.drops() }
      traffic.tell(part)
    }
    let rule = try #require(traffic.rule)
    #expect(rule.text == "old" && !rule.isReplaced)
    // It may stand elsewhere.
    #expect(rule.position == nil)
  }

  /// No rule has its handle any more: it was the old one, and is named though it is gone.
  @Test(arguments: [true, false]) func noneInItsPlace(_ isLate: Bool) throws {
    var traffic = Traffic()
    traffic.read("old")
    if !isLate { traffic.drops() }
    traffic.tell(Self.leaves)
    if isLate { traffic.drops() }
    let rule = try #require(traffic.rule)
    #expect(rule.text == "old" && rule.isReplaced && rule.translation == .masquerade)
  }

  /// What both rules do was done, whichever it was.
  @Test func whatBothDo() throws {
    for (translates, translation) in [
      ("masq", NFTRuleMessage.Translation.masquerade), ("redir", nil),
    ] {
      var traffic = Traffic()
      traffic.drops()
      traffic.tell(
        Self.goes + [Self.rule(NFTRuleMessage.newType, "new", translates: translates), Self.end])
      let rule = try #require(traffic.rule)
      #expect(rule.translation == translation && rule.text == nil)
    }
  }

  /// The same octets name another set: one without a name of its own is sent by itself.
  @Test func setsWithoutNames() throws {
    func fingerprint(_ comment: String, packets: UInt64 = 0, set: String = "bad") throws -> UInt64?
    {
      try NFTRuleMessage(
        Self.rule(NFTRuleMessage.newType, comment, packets: packets, set: set).payload
      ).fingerprint
    }
    let plain = try fingerprint("a")
    #expect(try plain != nil && plain == fingerprint("a", packets: 9))
    #expect(try plain != fingerprint("b") && plain != fingerprint("a", set: "worse"))
    #expect(try fingerprint("a", set: "__set0") == nil)
  }

  /// The tables of iptables-legacy tell nobody that they were changed: whoever reads them says so.
  @Test func legacyTablesThatChanged() throws {
    var story = Story(header: Script().header)
    let step = RuleStep(
      family: NFProto.ipv4, table: "filter", chain: "FORWARD", .legacy(position: 1),
      verdict: .drop)
    let text = RuleText(
      family: NFProto.ipv4, table: "filter", chain: "FORWARD", handle: nil, position: 1,
      text: "-A FORWARD -j DROP", tool: .iptablesLegacy)
    story.take(Record(time: 1, .note(.rule(text))))
    #expect(story.named(step).text == text.rule)
    story.take(Record(time: 2, .note(.facts(Facts([.legacyRules(haveChanged: true)])))))
    #expect(story.named(step).text == nil && story.named(step).isReplaced)
    // The next probe's may be read again.
    story.take(Record(time: 3, .note(.rule(text))))
    story.take(Record(time: 3, .note(.facts(Facts([.legacyRules(haveChanged: false)])))))
    #expect(story.named(step).text == text.rule && !story.named(step).isReplaced)
  }

  /// A recorder reads a rule between a packet and the message that its table is gone.
  @Test func readingsAreHeldBack() {
    for isRemoved in [true, false] {
      var watch = DecidingRules()
      watch.hold([
        Self.text("new"), Record(time: 0, .netlink(Self.rule(NFTRuleMessage.newType, "new"))),
      ])
      #expect(watch.isHolding)
      if isRemoved { for message in Self.changes { watch.take(message) } }
      #expect(watch.takeHeld().count == (isRemoved ? 0 : 2))
      #expect(!watch.isHolding)
    }
  }
}
