import Testing
import Wire

@testable import Trace

/// What a recorder counts: drops by rule, and what no trace has told of.
struct DropCountsTests {
  private static let inet = NFProto.inet

  private func chain(
    _ name: String, _ hook: Hook?, _ priority: Int32 = 0, type: String = "filter",
    table: String = "fw"
  ) -> NetlinkMessage {
    var attributes = [
      NetlinkAttribute(1, string: table), NetlinkAttribute(3, string: name),
    ]
    if let hook {
      attributes.append(
        NetlinkAttribute(
          4,
          nested: [
            NetlinkAttribute(1, network: hook.number(family: Self.inet)),
            NetlinkAttribute(2, network: UInt32(bitPattern: priority)),
          ]))
      attributes.append(NetlinkAttribute(7, string: type))
    }
    return NetlinkMessage(
      type: ChainMessage.newType,
      payload: NetfilterHeader(family: Self.inet).bytes + attributes.bytes)
  }

  private func step(
    _ chain: String, _ handle: UInt64?, _ verdict: Verdict, id: UInt32 = 1, target: String? = nil,
    table: String = "fw"
  ) -> NetlinkMessage {
    NetlinkMessage(
      type: TraceMessage.type,
      payload: TraceMessage(
        family: Self.inet, id: id, kind: handle == nil ? .policy : .rule, table: table,
        chain: chain,
        handle: handle, verdict: verdict, target: target
      ).bytes)
  }

  /// Chains of a user at FORWARD, one at nat's place, and nftrace's points around them.
  private var counts: DropCounts {
    var counts = DropCounts()
    let chains = [
      chain("forward", .forward), chain("sub", nil), chain("late", .forward, 20),
      chain("dst", .prerouting, -100, type: "nat"), chain("early", .prerouting, -350),
      chain("own", .forward, 5, table: OwnTable.setup.name),
    ]
    counts.begin(
      chains,
      ObservationPoint.plan(
        around: [
          BaseChain(hook: .forward, priority: 0, name: "forward", type: "filter"),
          BaseChain(hook: .forward, priority: 20, name: "late", type: "filter"),
          BaseChain(hook: .prerouting, priority: -100, name: "dst", type: "nat"),
          BaseChain(hook: .prerouting, priority: -350, name: "early", type: "filter"),
        ]))
    return counts
  }

  private func told(_ counts: DropCounts) -> [String] {
    counts.drops.map {
      "\($0.hook) \($0.table) \($0.chain) \($0.handle) \($0.reason.rawValue) \($0.packets)"
    }
  }

  @Test func rulesAndPolicies() {
    var counts = counts
    for _ in 0..<3 { counts.take(step("forward", 5, .drop)) }
    counts.take(step("forward", 6, .accept))
    counts.take(step("late", nil, .drop))
    // The chain that is jumped to has the hook that the packet is at.
    counts.take(step("forward", 7, .jump, id: 9, target: "sub"))
    counts.take(step("sub", 3, .drop, id: 9))
    counts.take(step("sub", 3, .drop, id: 10))
    counts.take(step("input", 1, .drop, table: OwnTable.setup.name))
    #expect(
      told(counts) == [
        " fw sub 3 rule 1", "forward fw forward 5 rule 3", "forward fw late  policy 1",
        "forward fw sub 3 rule 1",
      ])
  }

  @Test func whatNoTraceToldIsTheChains() throws {
    var counts = counts
    for _ in 0..<10 { counts.take(step("forward", 5, .drop)) }
    let names = Dictionary(
      uniqueKeysWithValues: counts.passes.map { ($0.point.label, $0.point.chain) })
    let (entry, middle, last) = (
      try #require(names["FORWARD"]), try #require(names["filter-FORWARD"]),
      try #require(names["late-FORWARD"])
    )
    // 90 of 100 came out, and 10 were told of.
    counts.read([entry: 100, middle: 90, last: 90])
    #expect(told(counts) == ["forward fw forward 5 rule 10"])
    // 20 more did not, of which some may be on their way.
    counts.read([entry: 200, middle: 170, last: 168])
    #expect(told(counts) == ["forward fw forward 5 rule 10"])
    // 15 of them and both of the other chain never came out.
    counts.read([entry: 200, middle: 175, last: 173])
    #expect(
      told(counts) == [
        "forward fw forward 5 rule 10", "forward fw forward  unattributed 15",
        "forward fw late  unattributed 2",
      ])
    #expect(counts.passes.first { $0.point.label == "FORWARD" }?.packets == 200)
  }

  @Test func countersThatBeginAnew() throws {
    var counts = counts
    let chain = try #require(counts.passes.first { $0.point.label == "FORWARD" }).point.chain
    counts.read([chain: 100])
    counts.reset()
    counts.read([chain: 100])
    // Somebody else made the table anew.
    counts.read([chain: 30])
    #expect(counts.passes.first { $0.point.label == "FORWARD" }?.packets == 230)
  }

  @Test func whatWasRemovedUnreadDoesNotHideWhatComes() throws {
    var counts = counts
    let names = counts.passes.filter { $0.point.hook == .forward }.map(\.point.chain)
    for _ in 0..<100 { counts.take(step("forward", 5, .drop)) }
    // The tables were gone, with the 100 in them.
    counts.read([:])
    counts.reset()
    for _ in 0..<2 { counts.read([names[0]: 20, names[1]: 0, names[2]: 0]) }
    #expect(
      told(counts) == [
        "forward fw forward 5 rule 100", "forward fw forward  unattributed 20",
      ])
  }

  /// Fragments are put together there, and NAT has packets that were looked at be others.
  @Test func wherePacketsGetFewerForOtherReasons() throws {
    var counts = counts
    let points = counts.passes.filter { $0.point.hook == .prerouting }.map(\.point.chain)
    for _ in 0..<3 {
      counts.read(
        Dictionary(uniqueKeysWithValues: points.enumerated().map { ($1, UInt64(1000 - $0)) }))
    }
    #expect(told(counts) == [])
  }

  @Test func memoryHasBounds() {
    var counts = counts
    for handle in 0..<(UInt64(DropCounts.most) + 50) {
      counts.take(step("forward", handle, .drop))
      counts.take(
        RuleText(
          family: Self.inet, table: "fw", chain: "forward", handle: handle, position: nil,
          text: String(repeating: "x", count: 5000), tool: .nft))
    }
    let drops = counts.drops
    #expect(drops.count == DropCounts.most + 1)
    #expect(drops.reduce(0) { $0 + $1.packets } == UInt64(DropCounts.most) + 50)
    #expect(drops.first { $0.reason == .other }?.packets == 50)
    #expect(drops.allSatisfy { $0.rule?.count ?? 0 <= 256 })
    // What is told together is known to have been told.
    let names = counts.passes.filter { $0.point.hook == .forward }.map(\.point.chain)
    for _ in 0..<2 { counts.read([names[0]: 350, names[1]: 0]) }
    #expect(counts.drops.contains { $0.reason == .unattributed } == false)
  }
}
