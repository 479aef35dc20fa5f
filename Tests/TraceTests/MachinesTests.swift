import Fixtures
import FoundationEssentials
import Testing
import Wire

@testable import Trace

/// Probes over several machines: their clocks, what joins their sessions, and who they are.
struct MachinesTests {
  // MARK: Clocks

  /// As in NTP, and rounded the same way whatever the sign.
  @Test(arguments: [0, 3_600_000_000_000, -3_600_000_000_000, 7] as [Int64])
  func anOffset(_ shift: Int64) {
    let offset = ClockOffset(
      left: 1_000_000_000_000_000, there: UInt64(1_000_000_000_000_030).moved(by: shift),
      back: 1_000_000_000_000_041)
    #expect(offset.atLeast == shift - 11 && offset.atMost == shift + 30)
    #expect(offset.ahead == shift + 9 && offset.bound == 21)
  }

  /// Bounds add up over the machines in between; packets that contradict each other tell nothing.
  @Test func clocksOfAWalk() throws {
    var constraints = ClockConstraints(places: 3)
    // There 5 later, and 100 on the way; back the same.
    constraints.note(left: 1000, 0, came: 1105, 1)
    constraints.note(left: 2000, 1, came: 2095, 0)
    #expect(constraints.offsets?[1] == ClockOffset(atLeast: -95, atMost: 105))
    #expect(try #require(constraints.offsets)[2] == nil)
    // A third, behind the second, seen in one direction: no more than by so much.
    constraints.note(left: 1200, 1, came: 1310, 2)
    #expect(try #require(constraints.offsets)[2] == nil)
    #expect(constraints.estimates(from: 0) == [0, 5, 215])
    constraints.note(left: 1400, 2, came: 1490, 1)
    #expect(constraints.offsets?[2] == ClockOffset(atLeast: -185, atMost: 215))
    // A better exchange makes it narrower.
    constraints.note(left: 3000, 0, came: 3015, 1)
    #expect(constraints.offsets?[1] == ClockOffset(atLeast: -95, atMost: 15))
    // It came before it left: a clock was set.
    constraints.note(left: 9000, 0, came: 8000, 1)
    #expect(constraints.offsets == nil)
  }

  // MARK: Sessions

  /// The session of one walk over several machines.
  private struct Walk {
    var header: SessionHeader?
    var records: [Record] = []
    var results: [ProbeResult] = []

    init(_ name: String) throws {
      let file = Fixtures.directory.appending(path: "machines/\(name).pcapng")
      var decoder = SessionDecoder()
      decoder.feed([UInt8](try Data(contentsOf: file)))
      var story: PingStory?
      while let element = try decoder.next() {
        switch element {
        case .header(let next):
          header = next
          story = next.flatMap { PingStory(header: $0) }
        case .record(let record):
          records.append(record)
          results += story?.replay(record) ?? []
        }
      }
      results += story?.finishReplay() ?? []
    }

    /// The same as sessions of each machine.
    var parts: [(header: SessionHeader, records: [Record])] {
      guard var first = header else { return [] }
      let others = first.others
      first.others = []
      return ([first] + others).enumerated().map { place, header in
        var header = header
        header.via = nil
        let own = records.filter { record in
          if case .note(.clockAhead) = record.content { return false }
          return record.place == place
        }
        // By its own clock again.
        let ahead = ahead[place] ?? 0
        return (header, own.map { Record(time: $0.time.moved(by: ahead), $0.content) })
      }
    }

    /// What was taken for the clock of each from the beginning.
    var ahead: [Int: Int64] {
      records.reduce(into: [:]) { ahead, record in
        if case .note(.clockAhead(let value, _, _)) = record.content { ahead[record.place] = value }
      }
    }
  }

  private func told(_ parts: [(header: SessionHeader, records: [Record])]) -> [ProbeResult] {
    var survey = ClockSurvey(sessions: parts.count)
    for (place, part) in parts.enumerated() {
      for record in part.records { survey.take(record, from: place) }
    }
    let joined = JoinedSessions(
      parts.enumerated().map { JoinedSessions.Source(header: $1.header, name: "m\($0)") }, survey)
    guard let header = joined.header, var story = PingStory(header: header) else { return [] }
    var elements = joined.opening
    let rest = parts.enumerated().flatMap { place, part in
      part.records.flatMap { joined.elements(.record($0), of: place) }.map { (place, $0) }
    }
    func time(_ next: (Int, SessionDecoder.Element)) -> UInt64 {
      guard case .record(let record) = next.1 else { return 0 }
      return record.time.earlier(by: joined.lead(of: next.0))
    }
    // What has one time stays in its order.
    let order = rest.indices.sorted { (time(rest[$0]), $0) < (time(rest[$1]), $1) }
    elements += order.map { rest[$0].1 }
    var results: [ProbeResult] = []
    for case .record(let record) in elements { results += story.replay(record) }
    return results + story.finishReplay()
  }

  /// Sessions of all, told as one, are the walk that one session has; also where one of the clocks is an hour off.
  @Test(arguments: ["walk", "dropped"], [0, 3_600_000_000_000, -3_000_000_000] as [Int64])
  func sessionsAreJoined(_ name: String, _ shift: Int64) throws {
    let whole = try Walk(name)
    var parts = whole.parts
    try #require(parts.count == 4)
    for index in parts[2].records.indices {
      parts[2].records[index].time = parts[2].records[index].time.moved(by: shift)
    }
    let told = told(parts)
    #expect(told.map(\.outcome) == whole.results.map(\.outcome))
    for (told, whole) in zip(told, whole.results) {
      let (journeys, wanted) = (told.exchange.journeys, whole.exchange.journeys)
      #expect(journeys.map(\.packet) == wanted.map(\.packet))
      #expect(journeys.map(\.direction) == wanted.map(\.direction))
      #expect(journeys.map { $0.site?.name } == wanted.map { $0.site?.name })
      #expect(told.findings.map(\.id) == whole.findings.map(\.id))
    }
    let last = try #require(told.last), wanted = try #require(whole.results.last)
    #expect(last.clocks.map(\.site.name) == wanted.clocks.map(\.site.name))
    for (clock, real) in zip(last.clocks, wanted.clocks) {
      let expected = real.offset.ahead + (clock.site.name == "b" ? shift : 0)
      #expect((clock.offset.ahead - expected).magnitude <= clock.offset.bound, "\(clock)")
    }
  }

  /// What is told of the walk as it was recorded: all there and back, in the order of TTLs and hooks.
  @Test func aWalk() throws {
    let walk = try Walk("walk")
    #expect(walk.results.map(\.outcome) == [.replied, .replied])
    for result in walk.results {
      let sites = result.exchange.journeys.map { $0.site?.name }
      #expect(sites == ["c", "a", "b", "s", "s", "b", "a", "c"])
      let times = result.exchange.journeys.map(\.start)
      #expect(times == times.sorted() && result.exchange.isByOneClock)
      #expect(result.clocks.map(\.site.name) == ["a", "b", "s"])
      // They are one machine in truth.
      #expect(result.clocks.allSatisfy { $0.offset.ahead.magnitude <= $0.offset.bound })
    }
    let dropped = try #require(try Walk("dropped").results.first)
    #expect(dropped.findings.first?.site == Site(machine: "b", path: "root@10.80.2.2"))
  }

  // MARK: Names

  @Test func whereSomethingIs() throws {
    var finding = Finding(
      id: .noReply, severity: .error, confidence: .certain, summary: "it broke")
    finding.remedy = "nft 'add rule inet f c accept' && sysctl -w a=1"
    let told = finding.told(of: Site(machine: "r1", path: "root@r1.example"))
    #expect(told.summary == "on r1: it broke" && told.site?.words == "host r1")
    #expect(
      told.remedy?.text
        == #"ssh root@r1.example 'nft '\''add rule inet f c accept'\'' && sysctl -w a=1'"#)
    // Who read it in a file knows how to get there.
    #expect(finding.told(of: Site(machine: "r1")).remedy == finding.remedy)
    #expect(finding.told(of: Site(machine: "r1", path: "-oProxyCommand=x")).remedy == nil)
    for name in ["-x", "a b", "a;b", "$(x)", "", "a'b", "a\nb"] {
      #expect(!Site.isMachine(name), "\(name)")
    }
    for name in ["r1", "root@r1", "root@10.0.0.1", "root@fe80::1%eth0", "ssh://root@r1:2222"] {
      #expect(Site.isMachine(name), "\(name)")
    }
    let sites = [Site(machine: "a"), Site(machine: "b")]
    #expect(sites.words(joinedBy: " > ") == "a > b")
    #expect([Site(name: "a"), Site(name: "b")].words(joinedBy: " > ") == "netns a > b")
  }

  @Test func messages() throws {
    for message in [
      .ready, .clock(3), .asked(7, isAnswered: true), .asked(8, isAnswered: false), .answered(9),
    ] as [PlaceMessage] {
      let note = Note.message(message)
      #expect(Note(json: note.json) == note)
    }
    for note in [Note.missing("root@r1", "gone"), .clockAhead(-5, stamps: 7, doubt: 9)] {
      #expect(Note(json: note.json) == note)
    }
    for text in [
      #"{"message":{"_0":[]}}"#, #"{"message":{"_0":["clock"]}}"#, #"{"message":{"_0":"x"}}"#,
    ] {
      #expect(Note(json: text) == nil)
    }
  }

  // MARK: Inventories

  private static let ini = """
    lonely ansible_host=192.0.2.9 ; a comment
    [routers]
    r[01:03].example ansible_user=admin   # and another
    edge ansible_host=198.51.100.1 ansible_port=2222
    [routers:vars]
    ansible_user = root
    [sites:children]
    routers
    servers
    [servers]
    s1
    """

  @Test func inventories() throws {
    let inventory = try Inventory(ini: Self.ini)
    let routers = [
      "admin@r01.example", "admin@r02.example", "admin@r03.example",
      "ssh://root@198.51.100.1:2222",
    ]
    #expect(inventory.machines(in: "routers") == routers)
    #expect(inventory.machines(in: "sites") == routers + ["s1"])
    #expect(inventory.machines(in: "all") == ["192.0.2.9"] + routers + ["s1"])
    #expect(inventory.machines(in: "s1") == ["s1"] && inventory.machines(in: "none") == nil)
    #expect(
      throws: ConfigurationFault(line: 2, "a group has hosts, children and vars, and no 'hots'")
    ) {
      try Inventory(ini: "a\n[g:hots]\nb")
    }
  }

  @Test func inventoriesInYAML() throws {
    func text(_ text: String) -> ConfigurationNode { .init(line: 1, .text(text)) }
    func members(_ members: [(String, ConfigurationNode)]) -> ConfigurationNode {
      .init(line: 1, .members(members.map { .init($0.0, line: 1, $0.1) }))
    }
    let nothing = ConfigurationNode(line: 1, .nothing)
    let inventory = try Inventory(
      yaml: members([
        (
          "all",
          members([
            ("vars", members([("ansible_user", text("root"))])),
            (
              "children",
              members([
                (
                  "routers",
                  members([
                    (
                      "hosts",
                      members([
                        ("r[a:b]", nothing), ("x", members([("ansible_host", text("192.0.2.1"))])),
                      ])
                    )
                  ])
                )
              ])
            ),
          ])
        )
      ]))
    #expect(inventory.machines(in: "routers") == ["root@ra", "root@rb", "root@192.0.2.1"])
  }

  // MARK: The context in the payload

  private static let context = TraceContext(
    traceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7100000000-01")!

  private func plan(_ proto: ProbeProtocol, _ destination: String, size: Int? = nil) -> ProbePlan {
    let to = IPAddress(destination)!
    var plan = ProbePlan(
      source: IPAddress(to.family == 4 ? "192.0.2.1" : "2001:db8::1")!, destination: to,
      proto: proto,
      identifier: 77, count: 3, interval: 1, timeout: 1, ttl: 64, tos: 0, dontFragment: false,
      size: size ?? proto.kind.size.usual, nonce: 0x6162_6364_6566_6768, device: nil,
      destinationPort: proto == .icmp ? nil : 53)
    plan.setContext(Self.context, isSizeChosen: size != nil)
    return plan
  }

  /// As W3C writes it, in each probe with its number; recognised in the probe, its answer and what quotes it, and where the
  /// kernel looks for it.
  @Test(arguments: [ProbeProtocol.icmp, ProbeProtocol("udp")!], ["198.51.100.1", "2001:db8::9"])
  func thePayloadHasTheContext(_ proto: ProbeProtocol, _ destination: String) throws {
    let plan = plan(proto, destination)
    let again = try #require(
      SessionHeader(json: Self.header(plan).json)?.probe)
    #expect(again == plan)
    for number in 1...3 {
      let packet = plan.packet(sequence: number)
      let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b710000000\(number)-01"
      let octets = packet.bytes
      let start = try #require(octets.indices.first { octets[$0...].starts(with: text.utf8) })
      #expect(plan.sequence(of: packet) == number)
      // The kernel's filters look at every fourth octet.
      let place = try #require(
        octets.indices.first { index in
          index + 8 <= octets.count
            && octets[index..<index + 8].reduce(0) { $0 << 8 | UInt64($1) } == plan.alignedMark
        })
      #expect(place % 4 == 0 && place >= start)
      let mark = plan.marks[0]
      let transport = octets.count - (packet.payload.count + 8)
      for field in mark.fields where !field.isNetwork {
        let from = transport + Int(field.offset)
        #expect(Array(octets[from..<from + field.least.count]) == field.least)
      }
      // A router may quote no more than some of it.
      if proto == .icmp, packet.source.family == 4 {
        let echo = try Packet(Array(octets.prefix(20 + 8 + 20)))
        #expect(plan.sequence(of: echo) == number)
      }
    }
    // Another command of the same trace has other probes.
    var other = plan
    other.context = TraceContext(
      traceParent: "00-0af7651916cd43dd8448eb211c80319c-17ad6b7100000000-01")
    let theirs = try #require(other.context).sequence(in: other.payload(1, count: 55)[...])
    #expect(theirs == 1 && Self.context.sequence(in: other.payload(1, count: 55)[...]) == nil)
  }

  /// Where there is no room for it, probes are known by the nonce alone, as before.
  @Test func smallProbes() {
    let small = plan(.icmp, "198.51.100.1", size: 20)
    let packet = small.packet(sequence: 2)
    #expect(packet.payload.count == 20 && small.sequence(of: packet) == 2)
    #expect(!packet.payload.starts(with: "00-".utf8))
    #expect(plan(.icmp, "198.51.100.1").packet(sequence: 1).bytes.count == 84)
  }

  private static func header(_ plan: ProbePlan) -> SessionHeader {
    SessionHeader(
      command: "ping", version: "1", kernel: "6.18", points: [], table: "t", probe: plan)
  }
}
