import Testing
import Trace
import Wire

@testable import Report

/// What became of a packet, by each way to end.
struct EndTextTests {
  private static let drop = RuleStep(
    family: NFProto.ipv4, table: "filter", chain: "FORWARD", .nft(handle: 7), verdict: .drop)

  /// Of a ping.
  static var packet: Packet {
    let plan = ProbePlan(
      source: .v4(0x0a00_0001), destination: .v4(0xc000_0201), proto: .icmp, identifier: 1,
      count: 1,
      interval: 1, timeout: 1, ttl: 64, tos: 0, dontFragment: false, size: 56, nonce: 1, device: nil
    )
    return plan.packet(sequence: 1)
  }

  private static func hop(
    _ hook: Hook, _ table: String? = nil, out: String? = nil, priority: Int32 = 0
  ) -> Hop {
    let label = (table.map { "\($0)-" } ?? "") + hook.rawValue.uppercased()
    return Hop(
      point: ObservationPoint(
        hook: hook, priority: priority, table: table, label: label, chain: label),
      time: 0, outDevice: out, packet: packet)
  }

  private static func text(
    _ end: End, last: Hop = hop(.postrouting, "nat", out: "eth0")
  ) -> EndText {
    EndText(
      Journey(
        id: 1, direction: .request, start: 0, way: Way(last), end: end),
      TextStyle())
  }

  /// Behind a sentence that names the chain, a rule is told without it.
  @Test func aRuleBehindItsChain() {
    var rule = Self.drop
    rule.text = "tcp dport 22 drop"
    let decider = Decider(hop: Self.hop(.forward, "filter"), rule: rule)
    #expect(EndText.brief(decider) == "tcp dport 22 drop")
    #expect(EndText.brief(Self.decider) == "rule handle 7")
    var jumped = rule
    jumped.chain = "GUESTS"
    let elsewhere = Decider(hop: Self.hop(.forward, "filter"), rule: jumped)
    #expect(EndText.brief(elsewhere) == "tcp dport 22 drop  in GUESTS (ip filter)")
  }

  private static let decider = Decider(hop: hop(.forward, "filter"), rule: drop)
  private static let place = End.Place(hook: .postrouting, table: "nat", out: "eth0")

  @Test func whatGotThrough() {
    let sent = Self.text(.sent(Self.place))
    #expect(sent.sentence == "left through eth0 as 10.0.0.1, and nothing came back")
    #expect(sent.short == "sent out eth0" && sent.row?.stage == "sent" && !sent.endsConnection)
    // The egress hook has a row of its own.
    #expect(Self.text(.sent(End.Place(hook: .egress, out: "eth0"))).row == nil)
    #expect(Self.text(.sent(End.Place(hook: .postrouting))).row?.details == ["out ?"])
    let delivered = Self.text(.delivered(End.Place(hook: .input)))
    #expect(delivered.short == "delivered to this host" && delivered.row?.stage == "delivered")
  }

  @Test func whatARuleEnded() {
    let dropped = Self.text(.dropped(Self.decider))
    #expect(dropped.sentence == "dropped in filter FORWARD" && dropped.row == nil)
    #expect(dropped.short == "dropped by rule handle 7 of FORWARD (ip filter)")
    #expect(dropped.endsConnection)
    let rejected = Self.text(.rejected(Self.decider))
    #expect(rejected.sentence == "rejected in filter FORWARD" && !rejected.endsConnection)
  }

  @Test func whatNftraceKept() {
    let sending = Self.text(.kept(.insteadOfSending, Self.place))
    #expect(sending.row?.details == ["discarded by nftrace: it would go out of eth0"])
    #expect(sending.row?.failed == false)
    let delivering = Self.text(.kept(.insteadOfDelivering, End.Place(hook: .input)))
    #expect(delivering.row?.details == ["discarded by nftrace: it would be delivered here"])
    let taken = Self.text(.kept(.interception, Self.place))
    #expect(taken.short == "dropped by nftrace" && taken.row?.failed == true)
  }

  @Test func whatWasRefused() {
    let refused = Self.text(.refused(Self.place, nil))
    #expect(refused.sentence == "last seen at nat-POSTROUTING, then refused by this host")
    #expect(refused.short == "rejected" && refused.row?.stage == "✗ rejected")
  }

  @Test(arguments: [
    (hop(.ingress), "last seen at INGRESS, before PREROUTING"),
    (hop(.egress, out: "eth0"), "handed to eth0, and dropped behind the last hook"),
    (
      hop(.prerouting, "nat", priority: -99),
      "last seen at nat-PREROUTING, then lost in the routing decision"
    ),
    (
      hop(.prerouting, "raw", priority: -299),
      "last seen at raw-PREROUTING, not at the point after it"
    ),
    (hop(.postrouting, "nat"), "last seen at nat-POSTROUTING, never sent through an interface"),
  ])
  func whatWasLost(_ last: Hop, _ words: String) {
    let lost = Self.text(.unknown(Self.place, nil, nil), last: last)
    #expect(lost.sentence == words && lost.row?.details == [words])
    #expect(lost.short == "lost" && lost.row?.failed == true && lost.endsConnection)
  }

  /// What may have gone on unseen is not called lost.
  @Test(arguments: [
    (End.Unseen.messagesLost, "unseen", "what the kernel said after that was lost"),
    (.recordingEnded, "on its way at the end", "the recording ends there"),
    (.behindNAT, "not seen behind NAT", "its new addresses are not watched"),
  ])
  func whatWasNotSeen(_ reason: End.Unseen, _ short: String, _ words: String) {
    let unseen = Self.text(.unknown(Self.place, reason, nil))
    #expect(unseen.short == short && unseen.sentence.hasSuffix(words))
    #expect(unseen.row?.failed == false && !unseen.endsConnection)
  }

  @Test(arguments: [
    (RuleRef.policy, "the policy of FORWARD (ip filter)", "ip filter FORWARD policy"),
    (.legacyPolicy(position: 9), "the policy of FORWARD (ip filter)", "ip filter FORWARD policy"),
    (.nft(handle: 7), "rule handle 7 of FORWARD (ip filter)", "ip filter FORWARD handle 7"),
    (.legacy(position: 3), "rule 3 of FORWARD (ip filter)", "ip filter FORWARD rule 3"),
    (.legacyTable, "a rule of FORWARD (ip filter)", "ip filter FORWARD"),
  ])
  func namesOfRules(_ ref: RuleRef, _ name: String, _ place: String) {
    var step = Self.drop
    step.ref = ref
    #expect(EndText.name(step) == name && RuleWords(style: TextStyle()).place(step) == place)
    step.text = "tcp dport 25 drop"
    #expect(EndText.name(step).hasPrefix(step.isPolicy ? "the policy" : "tcp dport 25 drop  in "))
  }

  /// nft(8) shows handles only to those who ask for them.
  @Test func rulesAsTheyDecided() {
    var step = Self.drop
    let here = RuleWords(style: TextStyle(), beside: ["ip filter FORWARD"])
    let elsewhere = RuleWords(style: TextStyle(), beside: ["inet fw forward"])
    let verbose = RuleWords(style: TextStyle(verbosity: .verbose))
    #expect(here.decided("dropped", by: step) == "dropped by ip filter FORWARD handle 7")
    step.text = "tcp dport 25 drop"
    #expect(here.decided("dropped", by: step) == "dropped: tcp dport 25 drop")
    #expect(
      elsewhere.decided("dropped", by: step) == "dropped by ip filter FORWARD: tcp dport 25 drop")
    #expect(verbose.place(step) == "ip filter FORWARD handle 7")
    step.ref = .policy
    #expect(here.decided("dropped", by: step) == "dropped: policy")
    #expect(elsewhere.decided("dropped", by: step) == "dropped by ip filter FORWARD policy")
  }

  @Test func kindsInJSON() {
    let ends: [(End, End.Kind)] = [
      (.sent(Self.place), .transmitted), (.delivered(Self.place), .delivered),
      (.dropped(Self.decider), .dropped), (.rejected(Self.decider), .rejected),
      (.refused(Self.place, nil), .rejected), (.kept(.insteadOfSending, Self.place), .transmitted),
      (.kept(.insteadOfDelivering, Self.place), .delivered),
      (.kept(.interception, Self.place), .dropped), (.unknown(Self.place, nil, nil), .unknown),
    ]
    for (end, kind) in ends { #expect(end.kind == kind) }
    #expect(End.dropped(Self.decider).place == End.Place(hook: .forward, table: "filter"))
    let known = KernelDrop(reason: "TTL", location: "ip_forward+0x1")
    #expect(End.unknown(Self.place, nil, known).kernelDrop == known)
  }
}
