import Testing
import Trace
import Wire

@Suite struct ObservationPointTests {
  private func labels(_ points: [ObservationPoint], _ hook: Hook) -> [String] {
    points.filter { $0.hook == hook }.map(\.label)
  }

  @Test func fixedPositions() {
    let points = ObservationPoint.plan(around: [], everywhere: true)
    #expect(
      labels(points, .prerouting) == [
        "PREROUTING", "defrag-PREROUTING", "raw-PREROUTING", "conntrack-PREROUTING",
        "mangle-PREROUTING", "nat-PREROUTING",
      ])
    #expect(
      labels(points, .input) == [
        "INPUT", "mangle-INPUT", "filter-INPUT", "security-INPUT", "nat-INPUT",
      ])
    #expect(
      labels(points, .forward) == [
        "FORWARD", "mangle-FORWARD", "filter-FORWARD", "security-FORWARD",
      ])
    #expect(
      labels(points, .postrouting) == ["POSTROUTING", "mangle-POSTROUTING", "nat-POSTROUTING"])
  }

  /// A point stands just after what it is named for: of equal priorities the newer chain is first.
  @Test func pointsStandOneBehind() throws {
    let points = ObservationPoint.plan(around: [], everywhere: true)
    let raw = try #require(points.first { $0.label == "raw-PREROUTING" })
    #expect(raw.priority == -299)
    let nat = try #require(points.first { $0.label == "nat-POSTROUTING" })
    #expect(nat.priority == 101)
    #expect(points.first { $0.label == "FORWARD" }?.priority == .min)
  }

  @Test func userChainsGetPointsAtTheirPriority() throws {
    let points = ObservationPoint.plan(around: [
      BaseChain(hook: .forward, priority: 10, name: "my forward", type: "filter"),
      BaseChain(hook: .forward, priority: 0, name: "standard", type: "filter"),
      BaseChain(hook: .forward, priority: .max, name: "last", type: "filter"),
    ])
    let own = try #require(points.first { $0.table == "my forward" })
    #expect(own.priority == 11)
    #expect(own.label == "my forward-FORWARD")
    #expect(own.chain == "forward_my_forward")
    #expect(!points.contains { $0.table == "standard" })
    #expect(points.first { $0.table == "last" }?.priority == .max)
    let priorities = points.filter { $0.hook == .forward }.map(\.priority)
    #expect(priorities == priorities.sorted())
  }

  /// The kernel runs all NAT chains of a hook inside its one NAT position.
  @Test func natChainsHaveNoPositionOfTheirOwn() {
    let points = ObservationPoint.plan(around: [
      BaseChain(hook: .postrouting, priority: 300, name: "late", type: "nat")
    ])
    #expect(!points.contains { $0.table == "late" })
  }

  @Test func chainNamesDiffer() {
    let points = ObservationPoint.plan(around: [
      BaseChain(hook: .input, priority: 5, name: "a b", type: "filter"),
      BaseChain(hook: .input, priority: 6, name: "a-b", type: "filter"),
      BaseChain(hook: .input, priority: 7, name: "a.b", type: "filter"),
    ])
    #expect(Set(points.map(\.chain)).count == points.count)
  }

  /// By its label a message finds the point it is from.
  @Test func labelsDiffer() {
    let points = ObservationPoint.plan(around: [
      BaseChain(hook: .forward, priority: -5, name: "forward", type: "filter"),
      BaseChain(hook: .forward, priority: 5, name: "forward", type: "filter"),
      BaseChain(hook: .forward, priority: 6, name: "forward_2", type: "filter"),
      BaseChain(hook: .forward, priority: 7, name: "filter", type: "filter"),
    ])
    let forward = labels(points, .forward)
    #expect(Set(forward).count == forward.count)
    #expect(points.filter { $0.table == "forward" }.map(\.priority) == [-4, 6])
  }

  /// A rule's log prefix has 127 octets at most (NF_LOG_PREFIXLEN), two of which the kernel log takes.
  @Test func labelsFitLogPrefixes() {
    let long = String(repeating: "ä", count: 60)
    let points = ObservationPoint.plan(around: [
      BaseChain(hook: .postrouting, priority: 5, name: long + "1234567", type: "filter"),
      BaseChain(hook: .postrouting, priority: 6, name: long + "1234568", type: "filter"),
    ])
    let own = labels(points, .postrouting)
    #expect(own.allSatisfy { $0.utf8.count <= 125 && $0.hasSuffix("POSTROUTING") })
    #expect(Set(own).count == own.count)
    #expect(points.contains { $0.table == long + "1234567" })
  }

  @Test(
    arguments: [
      ("raw-PREROUTING", Hook.prerouting, "raw", Int32(-299)),
      ("nat-POSTROUTING: ", .postrouting, "nat", 101), ("FORWARD", .forward, nil, .min),
      ("my log", .forward, "my log", 0), ("", .input, nil, .min),
    ] as [(String, Hook, String?, Int32)])
  func prefixesOfForeignCaptures(
    _ prefix: String, _ hook: Hook, _ table: String?, _ priority: Int32
  ) {
    let point = ObservationPoint.guessed(prefix: prefix, hook: hook)
    #expect(point.table == table)
    #expect(point.priority == priority)
  }
}
