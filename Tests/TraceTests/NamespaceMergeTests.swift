import Testing
import Trace
import Wire

@Suite struct NamespaceMergeTests {
  /// A client's namespace, whose packets a router's translates. What the router's recorder wrote was
  /// received `early` nanoseconds too early.
  private func stories(
    translatedBefore: Bool = false, early: UInt64 = 0
  ) -> (client: [Exchange], router: [Exchange]) {
    var client = Script()
    client.see(echo(), at: "OUTPUT", id: 1, out: 2)
    client.see(echo(), at: "EGRESS", id: 1, out: 2)
    client.time += 1_000_000
    client.see(echo(ttl: 60, reply: true), at: "INGRESS", id: 2, in: 2)
    client.see(echo(ttl: 60, reply: true), at: "nat-INPUT", id: 2, in: 2)
    var router = Script()
    router.time = router.time + 8000 - early
    let source = translatedBefore ? "203.0.113.7" : "192.0.2.1"
    router.see(echo(from: source), at: "INGRESS", id: 8, in: 5)
    router.see(echo(from: "198.51.100.1", ttl: 63), at: "EGRESS", id: 8, out: 6)
    router.time += 500_000
    router.see(echo(from: source, ttl: 61, reply: true), at: "INGRESS", id: 9, in: 6)
    router.see(echo(from: source, ttl: 60, reply: true), at: "EGRESS", id: 9, out: 5)
    return (client.story(), router.story())
  }

  private func merged(_ first: [Exchange], _ second: [Exchange]) -> [Exchange] {
    var merge = NamespaceMerge(
      ["client", "router"].map { Site(name: $0, path: "/run/netns/\($0)") })
    merge.add(first, from: 0)
    merge.add(second, from: 1)
    #expect(merge.ready(before: 0).isEmpty)
    return merge.finish()
  }

  /// Also where the messages of one namespace were received before those of the other.
  @Test(arguments: [0, 200_000] as [UInt64])
  func aPacketThatCrossesIsOneWalk(early: UInt64) throws {
    let (client, router) = stories(early: early)
    #expect(client.count == 1 && router.count == 1)
    let told = merged(client, router)
    #expect(told.count == 1)
    #expect(told.first?.journeys.map(\.site?.name) == ["client", "router", "router", "client"])
    #expect(
      told.first?.journeys.map(\.direction) == [.request, .request, .reply, .reply])
    #expect(told.first?.journeys.map(\.id) == [1, 2, 3, 4])
  }

  /// Where conntrack is not at work, each packet is an exchange of its own.
  @Test func withoutConntrackInOne() throws {
    let (client, router) = stories()
    let alone = client.flatMap(\.journeys).map { Exchange(journeys: [$0]) }
    #expect(alone.count == 2)
    let told = merged(alone, router)
    #expect(
      told.map { $0.journeys.map(\.site?.name) } == [["client", "router", "router", "client"]])
  }

  /// Somebody in between changed its address: that it is the same packet is not known.
  @Test func whatIsNotSeenToBeTheSameStaysApart() throws {
    let (client, router) = stories(translatedBefore: true)
    let told = merged(client, router)
    #expect(told.map { $0.request?.site?.name } == ["client", "router"])
    #expect(told.flatMap(\.journeys).map(\.id).sorted() == [1, 2, 3, 4])
  }

  /// An exchange waits for those that began before it, and no longer.
  @Test func toldInOrder() throws {
    let (client, router) = stories(translatedBefore: true)
    var merge = NamespaceMerge(
      ["client", "router"].map { Site(name: $0, path: "/run/netns/\($0)") })
    merge.add(router, from: 1)
    let start = try #require(client.first?.journeys.first?.start)
    #expect(merge.ready(before: start).isEmpty)
    merge.add(client, from: 0)
    let told = merge.ready(before: start + 2_000_000_000)
    #expect(told.map { $0.request?.site?.name } == ["client", "router"])
    #expect(merge.finish().isEmpty)
  }

  /// Where more always comes, nobody says that time has passed: exchanges are told all the same.
  @Test func aFloodDoesNotWaitForEver() {
    var script = Script()
    var stories = NamespacesStory(
      namespaces: ["client", "router"].map { Site(name: $0) })
    for source in 0...1 { _ = stories.begin(script.header, from: source) }
    var told = 0
    for number in 0..<12000 {
      script.records = []
      script.see(
        echo(payload: Array("packet \(number)".utf8)), at: "PREROUTING", id: UInt32(number), in: 3)
      script.time += 400_000
      for record in script.records {
        told += stories.take(record, from: 0).reduce(0) { $0 + $1.journeys.count }
      }
    }
    #expect(told > 100)
    #expect(told + stories.finish().reduce(0) { $0 + $1.journeys.count } == 12000)
  }

  /// What was found says where, and so does its remedy. What the one that saw no answer takes for a loss, the other
  /// knows better.
  @Test func findings() throws {
    let (client, router) = stories()
    func found(_ id: String, _ confidence: Finding.Confidence, _ name: String) -> Finding {
      var finding = Finding(
        id: FindingID(rawValue: id), severity: .error, confidence: confidence,
        summary: "it broke")
      finding.remedy = "sysctl -w a=1"
      return finding.told(of: Site(name: name, path: "/run/netns/\(name)"))
    }
    var (here, there) = (client, router)
    here[0].findings = [
      found("no-reply", .possible, "client"), found("rule-drop", .certain, "client"),
    ]
    there[0].findings = [found("no-reply", .likely, "router")]
    let told = try #require(merged(here, there).first).findings
    #expect(Set(told.map(\.site?.name)) == ["client", "router"] && told.count == 2)
    #expect(told.first { $0.site?.name == "client" }?.confidence == .certain)
    #expect(
      told.first { $0.site?.name == "router" }?.remedy?.text == "ip netns exec router sysctl -w a=1"
    )
  }
}
