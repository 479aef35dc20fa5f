import Testing
import Trace
import Wire

/// Records as a kernel would send them, for stories told without one.
struct Script {
  var records: [Record] = []
  var time: UInt64 = 1_000_000_000_000
  var sequence: UInt32 = 0
  let header: SessionHeader

  init(probe: ProbePlan? = nil) {
    let points = ObservationPoint.plan(around: [], everywhere: true) + [.ingress, .egress]
    header = SessionHeader(
      command: "record", version: "test", kernel: "6.18", points: points, table: "nftrace_test",
      probe: probe)
  }

  func point(_ label: String) -> ObservationPoint {
    header.points.first { $0.label == label }!
  }

  /// A packet at a point, with the trace message of the rule that logged it.
  mutating func see(
    _ packet: Packet, at label: String, id: UInt32, in input: UInt32? = nil, out: UInt32? = nil,
    traced: Bool = true, connection: (id: UInt32, state: UInt32, direction: UInt8)? = nil,
    status: UInt32? = nil, state: UInt32? = nil
  ) {
    let point = point(label)
    let isEdge = point.hook == .ingress || point.hook == .egress
    let family = isEdge ? NFProto.netdev : NFProto.inet
    time += 1000
    let log = LogMessage(
      family: isEdge ? family : NFProto.ipv4,
      hookNumber: UInt8(point.hook.number(family: isEdge ? family : NFProto.ipv4)),
      prefix: point.label, inDevice: input, outDevice: out, sequence: sequence,
      payload: packet.bytes)
    sequence += 1
    records.append(Record(time: time, .log(log.bytes)))
    guard traced else { return }
    time += 1000
    var trace = TraceMessage(
      family: family, id: id, kind: .rule, table: header.table, chain: point.chain, handle: 1,
      verdict: .accept)
    trace.networkHeader = Array(packet.bytes.prefix(20))
    trace.conntrackID = connection?.id
    trace.conntrackState = connection?.state ?? state
    trace.conntrackDirection = connection?.direction
    trace.conntrackStatus = status
    records.append(Record(time: time, .netlink(message(trace))))
  }

  mutating func step(_ trace: TraceMessage) {
    time += 1000
    records.append(Record(time: time, .netlink(message(trace))))
  }

  private func message(_ trace: TraceMessage) -> NetlinkMessage {
    NetlinkMessage(type: TraceMessage.type, payload: trace.bytes)
  }

  func story() -> [Exchange] {
    var story = Story(header: header)
    for record in records { story.take(record) }
    return story.finish()
  }
}

func echo(
  from source: String = "192.0.2.1", to destination: String = "198.51.100.9", ttl: UInt8 = 64,
  id: UInt16 = 7, sequence: UInt16 = 1, reply: Bool = false, identification: UInt16 = 99,
  payload: [UInt8] = Array("payload of the echo".utf8)
) -> Packet {
  Packet(
    source: IPAddress(source)!, destination: IPAddress(destination)!, proto: .icmp, ttl: ttl,
    identification: identification,
    transport: .icmp(
      ICMPHeader(type: reply ? 0 : 8, rest: UInt32(id) << 16 | UInt32(sequence))),
    payload: payload)
}

@Suite struct StoryTests {
  @Test func oneJourneyFromIngressToEgress() throws {
    var script = Script()
    script.see(echo(), at: "INGRESS", id: 1, in: 3)
    script.see(echo(), at: "PREROUTING", id: 1, in: 3)
    script.see(echo(ttl: 63), at: "FORWARD", id: 1, in: 3, out: 2)
    script.see(echo(ttl: 63), at: "POSTROUTING", id: 1, out: 2)
    let translated = echo(from: "203.0.113.1", ttl: 63)
    script.see(translated, at: "nat-POSTROUTING", id: 1, out: 2)
    script.see(translated, at: "EGRESS", id: 1, out: 2)
    let exchanges = script.story()
    #expect(exchanges.count == 1)
    let journey = try #require(exchanges.first?.request)
    #expect(journey.hops.count == 6)
    #expect(journey.end.kind == .transmitted)
    #expect(journey.end.place.out == "if2")
    #expect(
      journey.way.legs[2].changes == [Change(.ttl, from: "64", to: "63", cause: .forwarding)])
    #expect(
      journey.way.legs[4].changes
        == [Change(.source, from: "192.0.2.1", to: "203.0.113.1", cause: .snat)])
  }

  /// How neighbours find each other is told of nobody's traffic, unless a rule is in the way.
  @Test(arguments: [133, 135, 136, 143] as [UInt8])
  func discoveryIsNoise(_ type: UInt8) {
    let solicitation = Packet(
      source: IPAddress("2001:db8::1")!, destination: IPAddress("ff02::1:ff00:2")!, proto: .icmpv6,
      ttl: 255, transport: .icmp(ICMPHeader(type: type)), payload: Array(repeating: 0, count: 16))
    var script = Script()
    script.see(solicitation, at: "PREROUTING", id: 1, in: 3)
    #expect(script.story().isEmpty)
    script.step(
      TraceMessage(
        family: NFProto.inet, id: 1, kind: .rule, table: "t", chain: "c", handle: 4, verdict: .drop)
    )
    #expect(script.story().map { $0.journeys.map(\.end.kind) } == [[.dropped]])
  }

  /// Of packets into a diversion's device that did not come back: what it did with them.
  @Test(
    arguments: [
      (.dropped, .dropped), (.answered, .transmitted), (nil, .unknown),
    ] as [(Interception.Fate?, End.Kind)])
  func whatADiversionDid(_ fate: Interception.Fate?, _ kind: End.Kind) throws {
    var script = Script()
    script.see(echo(), at: "OUTPUT", id: 1, out: 2)
    script.see(echo(), at: "EGRESS", id: 1, out: 2)
    script.see(echo(sequence: 2), at: "OUTPUT", id: 2, out: 2)
    script.see(echo(sequence: 2), at: "EGRESS", id: 2, out: 2)
    script.see(echo(to: "203.0.113.5", sequence: 2), at: "PREROUTING", id: 3, in: 2)
    var header = script.header
    header.diversion = "if2"
    var story = Story(header: header)
    // It is said when the packet was read, mostly before the kernel's words about it are.
    if let fate { story.take(fate, of: echo().bytes) }
    for record in script.records { story.take(record) }
    let journeys = story.finish().flatMap(\.journeys)
    #expect(journeys.map(\.hops.count) == [2, 3])
    #expect(journeys.first?.end.kind == kind)
    #expect(
      (journeys.first?.end == .kept(.interception, End.Place(hook: .egress, out: "if2")))
        == (fate == .dropped))
  }

  /// While others are told, a packet waits in the diversion's device for longer than exchanges do.
  @Test func aPacketMayWaitInADiversion() {
    var script = Script()
    script.see(echo(), at: "OUTPUT", id: 1, out: 2)
    script.see(echo(), at: "EGRESS", id: 1, out: 2)
    for sequence in 2...40 as ClosedRange<UInt16> {
      script.time += 100_000_000
      script.see(echo(sequence: sequence), at: "EGRESS", id: 2, out: 3)
    }
    script.see(echo(to: "203.0.113.5"), at: "INGRESS", id: 3, in: 2)
    var header = script.header
    header.diversion = "if2"
    var story = Story(header: header)
    var closed: [Exchange] = []
    for record in script.records {
      story.take(record)
      closed += story.closeIdle()
    }
    #expect(closed.count > 20)
    closed += story.finish()
    let journey = closed.flatMap(\.journeys).filter { $0.id == 1 }
    #expect(journey.map(\.hops.count) == [3])
  }

  /// Two packets that look alike, one overtaking the other between two points: the trace id tells.
  @Test func traceIdsTellTwinsApart() throws {
    var script = Script()
    let points = ["PREROUTING", "raw-PREROUTING", "mangle-PREROUTING"]
    script.see(echo(), at: points[0], id: 1, in: 3)
    script.see(echo(), at: points[0], id: 2, in: 3)
    script.see(echo(), at: points[1], id: 2, in: 3)
    script.see(echo(), at: points[2], id: 2, in: 3)
    script.see(echo(), at: points[1], id: 1, in: 3)
    let journeys = script.story().flatMap(\.journeys).sorted { $0.id < $1.id }
    #expect(journeys.map(\.hops.count) == [2, 3])
  }

  @Test func aDropIsPlacedAtItsChain() throws {
    var script = Script()
    script.see(echo(), at: "PREROUTING", id: 5, in: 3)
    script.see(echo(ttl: 63), at: "FORWARD", id: 5, in: 3, out: 2)
    script.see(echo(ttl: 63), at: "mangle-FORWARD", id: 5, in: 3, out: 2)
    script.step(
      TraceMessage(
        family: NFProto.ipv4, id: 5, kind: .rule, table: "filter", chain: "FORWARD", handle: 7,
        verdict: .drop))
    let journey = try #require(script.story().first?.request)
    #expect(journey.end.kind == .dropped)
    let decider = try #require(journey.end.decider)
    #expect(decider.rule.handle == 7 && decider.hop != journey.way.last)
    #expect(journey.way.trailingRules == [decider.rule] && decider.rule.verdict == .drop)
  }

  /// The kernel reuses trace ids: a new packet with an old id is a new journey.
  @Test func reusedTraceIds() {
    var script = Script()
    for sequence in 1...20 as ClosedRange<UInt16> {
      for label in ["PREROUTING", "raw-PREROUTING", "FORWARD"] {
        script.see(echo(sequence: sequence, identification: sequence), at: label, id: 4, in: 3)
      }
    }
    let journeys = script.story().flatMap(\.journeys)
    #expect(journeys.count == 20)
    #expect(journeys.allSatisfy { $0.hops.count == 3 })
  }

  /// A copy of a packet has another trace id: what led to the packet by the first one is forgotten.
  @Test func severalTraceIds() {
    var script = Script()
    script.see(echo(sequence: 1), at: "OUTPUT", id: 9, out: 2)
    script.time += 900_000_000
    script.see(echo(sequence: 2), at: "OUTPUT", id: 1, out: 2)
    script.see(echo(sequence: 2), at: "EGRESS", id: 2, out: 2)
    var story = Story(header: script.header)
    for record in script.records { story.take(record) }
    story.pass(to: script.time + 500_000_000)
    #expect(story.closeIdle().count == 1)
    story.pass(to: script.time + 2_000_000_000)
    #expect(story.closeIdle().flatMap(\.journeys).map(\.end.kind) == [.transmitted])
  }

  @Test func gapsAreCounted() {
    var script = Script()
    script.see(echo(), at: "PREROUTING", id: 1, in: 3)
    script.sequence += 5
    script.see(echo(ttl: 63), at: "FORWARD", id: 1, in: 3)
    var story = Story(header: script.header)
    for record in script.records { story.take(record) }
    #expect(story.counts.lost == 5)
    #expect(story.counts.nflog == 2)
  }

  /// The kernel says how many messages it lost, and the numbers show some of these: they are the same.
  @Test func lossesAreCountedOnce() {
    var script = Script()
    script.see(echo(), at: "PREROUTING", id: 1, in: 3)
    script.sequence += 5
    script.see(echo(ttl: 63), at: "FORWARD", id: 1, in: 3)
    var story = Story(header: script.header)
    for record in script.records { story.take(record) }
    story.take(Record(time: script.records.last!.time, .lost(12)))
    #expect(story.counts.lost == 12)
    var next = Story(header: script.header, after: story)
    next.take(Record(time: script.records.last!.time, .lost(3)))
    #expect(next.counts.lost == 3)
    #expect(next.counts.lost + story.counts.lost == 15)
  }

  /// That nothing more was heard of a packet does not mean that it was lost.
  @Test func lostMessagesAreNoLostPackets() {
    var script = Script()
    script.see(echo(), at: "PREROUTING", id: 1, in: 3)
    var story = Story(header: script.header)
    for record in script.records { story.take(record) }
    story.take(Record(time: script.records.last!.time, .lost(12)))
    let unseen = story.finish()
    #expect(unseen.flatMap(\.journeys).map(\.end.unseen) == [.messagesLost])
    #expect(!ExchangeFilter(onlyLost: true).matches(unseen[0]))
  }

  @Test func withoutTraceMessagesJourneysAreTheSame() throws {
    var script = Script()
    for label in ["PREROUTING", "raw-PREROUTING", "FORWARD", "EGRESS"] {
      script.see(echo(), at: label, id: 1, in: 3, out: 2, traced: false)
    }
    let journeys = script.story().flatMap(\.journeys)
    #expect(journeys.map(\.hops.count) == [4])
  }

  /// Memory stays bounded: what was quiet for a second is told and forgotten.
  @Test func idleExchangesClose() {
    var script = Script()
    script.see(echo(), at: "PREROUTING", id: 1, in: 3)
    script.time += 3_000_000_000
    script.see(echo(sequence: 2, identification: 5), at: "PREROUTING", id: 2, in: 3)
    var story = Story(header: script.header)
    for record in script.records { story.take(record) }
    story.pass(to: script.time)
    #expect(story.closeIdle().count == 1)
    #expect(story.finish().count == 1)
  }

  /// A receiver that is busy for seconds hears late of the rest of a packet's way.
  @Test func pausesCutNoPacket() {
    var script = Script()
    script.see(echo(), at: "PREROUTING", id: 1, in: 3)
    script.time += 3_000_000_000
    script.see(echo(), at: "FORWARD", id: 1, in: 3)
    script.see(echo(), at: "EGRESS", id: 1, out: 2)
    var story = Story(header: script.header)
    for record in script.records {
      story.take(record)
      #expect(story.closeIdle().isEmpty)
    }
    #expect(story.finish().flatMap(\.journeys).map(\.hops.count) == [3])
  }

  /// What is one exchange does not depend on when anybody looked.
  @Test func anIdleSecondEndsAnExchange() {
    var script = Script()
    for number in 1...3 as ClosedRange<UInt16> {
      script.see(
        echo(identification: number), at: "PREROUTING", id: 1, in: 3, connection: (5, 1, 0))
      script.time += number == 1 ? 500_000_000 : 1_500_000_000
    }
    #expect(script.story().map(\.journeys.count) == [2, 1])
  }

  /// One that never pauses is told in parts, so that it need not fit into memory.
  @Test func longExchangesAreToldInParts() {
    var script = Script()
    var story = Story(header: script.header)
    var parts: [Int] = []
    for number in 1...2000 as ClosedRange<UInt16> {
      script.records = []
      script.see(echo(identification: number), at: "PREROUTING", id: 9, in: 3)
      script.see(echo(identification: number), at: "EGRESS", id: 9, out: 2)
      script.time += 1_000_000
      for record in script.records { story.take(record) }
      parts += story.closeIdle().map(\.journeys.count)
    }
    #expect(!parts.isEmpty && parts.allSatisfy { $0 < 400 }, "\(parts)")
    let rest = story.finish().flatMap(\.journeys)
    #expect(parts.reduce(0, +) + rest.count == 2000)
    #expect(rest.allSatisfy { $0.hops.count == 2 })
  }

  /// Where nothing needs conntrack there is no connection: addresses, ports and flags tell.
  @Test func withoutConntrackPortsPairPackets() throws {
    let (client, server) = (("192.0.2.1", UInt16(4000)), ("198.51.100.9", UInt16(80)))
    func tcp(
      _ from: (String, UInt16), _ to: (String, UInt16), _ flags: TCPHeader.Flags, _ number: UInt16
    ) -> Packet {
      Packet(
        source: IPAddress(from.0)!, destination: IPAddress(to.0)!, proto: .tcp,
        identification: number,
        transport: .tcp(
          TCPHeader(
            sourcePort: from.1, destinationPort: to.1, sequence: UInt32(number), flags: flags)))
    }
    func udp(_ from: (String, UInt16), _ to: (String, UInt16), _ number: UInt16) -> Packet {
      Packet(
        source: IPAddress(from.0)!, destination: IPAddress(to.0)!, proto: .udp,
        identification: number,
        transport: .udp(UDPHeader(sourcePort: from.1, destinationPort: to.1)))
    }
    func told(_ packets: [Packet]) -> [[Journey.Direction]] {
      var script = Script()
      for (number, packet) in packets.enumerated() {
        script.see(packet, at: "PREROUTING", id: UInt32(number), in: 3)
        script.see(packet, at: "EGRESS", id: UInt32(number), out: 2)
      }
      return script.story().map { $0.journeys.map(\.direction) }
    }
    let handshake = [
      tcp(client, server, .syn, 1), tcp(server, client, [.syn, .ack], 2),
      tcp(client, server, .ack, 3), tcp(server, client, [.fin, .ack], 4),
    ]
    #expect(told(handshake) == [[.request, .reply, .request, .reply]])
    // Seen from the answer on, it is the client all the same that is asking.
    #expect(told(Array(handshake.dropFirst())) == [[.reply, .request, .reply]])
    #expect(told(Array(handshake.dropFirst(2))) == [[.request, .reply]])
    #expect(told([tcp(server, client, [.rst, .ack], 1)]) == [[.reply]])
    let refused = [tcp(client, server, .syn, 1), tcp(server, client, [.rst, .ack], 2)]
    #expect(told(refused) == [[.request, .reply]])
    // Another port is another exchange.
    let other = udp((client.0, 4001), server, 2)
    #expect(
      told([udp(client, server, 1), other, udp(server, client, 3)]) == [
        [.request, .reply], [.request],
      ])
    // What has no ports is told with the fragment that has them, of the same packet.
    var fragments = [udp(client, server, 7), udp(client, server, 7)]
    fragments[0].fragment = Packet.Fragment(identification: 7, offset: 0, more: true)
    fragments[1].fragment = Packet.Fragment(identification: 7, offset: 1480, more: false)
    fragments[1].transport = .absent
    #expect(told(fragments + [udp(server, client, 8)]) == [[.request, .reply]])
    #expect(told(fragments.reversed() + [udp(server, client, 8)]) == [[.request, .reply]])
    // Without that one it stands alone.
    #expect(told([fragments[1], udp(server, client, 8)]).count == 2)
  }

  /// SYNPROXY and conntrack's helpers change sequence numbers behind the last point of POSTROUTING.
  @Test func otherSequenceNumbersAreTheSamePacket() {
    var script = Script()
    func data(_ number: UInt32, identification: UInt16 = 7) -> Packet {
      Packet(
        source: IPAddress("192.0.2.1")!, destination: IPAddress("198.51.100.9")!, proto: .tcp,
        identification: identification,
        transport: .tcp(
          TCPHeader(sourcePort: 4000, destinationPort: 80, sequence: number, flags: .ack)))
    }
    script.see(data(1000), at: "PREROUTING", id: 1, in: 3)
    script.see(data(1000), at: "nat-POSTROUTING", id: 1, out: 2)
    script.see(data(777_000), at: "EGRESS", id: 1, out: 2)
    // Another packet, which happens to have the trace id of one that is gone.
    script.see(data(2000, identification: 8), at: "nat-POSTROUTING", id: 1, out: 2)
    script.see(data(778_000, identification: 9), at: "EGRESS", id: 1, out: 2)
    let journeys = script.story().flatMap(\.journeys)
    #expect(journeys.map(\.end.kind) == [.transmitted, .unknown, .transmitted])
    #expect(journeys.map(\.hops.count) == [3, 1, 1])
    // A rule that makes an answer of a request makes another message.
    var rewritten = Script()
    rewritten.see(echo(), at: "INGRESS", id: 1, in: 3)
    rewritten.see(echo(reply: true), at: "PREROUTING", id: 1, in: 3)
    #expect(rewritten.story().flatMap(\.journeys).map(\.direction) == [.request, .reply])
  }

  /// What a router answers with an ICMP error of its own is not lost; other packets of the flow may be.
  @Test func answeredWithAnError() {
    func told(by hook: String) -> [String] {
      var script = Script()
      let request = echo(ttl: 1)
      for label in ["INGRESS", "PREROUTING", "nat-PREROUTING"] {
        script.see(request, at: label, id: 1, in: 3, connection: (5, 8, 0))
      }
      script.see(
        echo(ttl: 1, identification: 100), at: "nat-PREROUTING", id: 2, in: 3,
        connection: (5, 8, 0))
      let error = Packet(
        source: IPAddress("192.0.2.254")!, destination: request.source, proto: .icmp,
        transport: .icmp(ICMPHeader(type: 11)), payload: Array(request.bytes.prefix(28)))
      script.see(error, at: hook, id: 3, out: 3, connection: (5, 4, 0))
      script.see(error, at: "EGRESS", id: 3, out: 3, connection: (5, 4, 0))
      return script.story().flatMap(\.journeys).map(\.end.kind.rawValue)
    }
    #expect(told(by: "OUTPUT") == ["rejected", "unknown", "transmitted"])
    #expect(told(by: "FORWARD") == ["unknown", "unknown", "transmitted"])
  }

  /// What is to be segmented behind egress may be longer than a packet can say: then it says 0.
  @Test func longerThanAPacketCanSay() {
    let packet = Packet(
      source: IPAddress("192.0.2.1")!, destination: IPAddress("198.51.100.9")!, proto: .tcp,
      transport: .tcp(TCPHeader(sourcePort: 80, destinationPort: 4000, sequence: 9, flags: .ack)),
      payload: Array(repeating: 7, count: 100))
    var octets = packet.bytes
    octets.replaceSubrange(2..<4, with: [0, 0])
    var script = Script()
    script.see(packet, at: "nat-POSTROUTING", id: 1, out: 2)
    let log = LogMessage(
      family: NFProto.netdev, hookNumber: 1, hardwareProtocol: 0x0800, prefix: "EGRESS",
      outDevice: 2, sequence: script.sequence,
      payload: Array(repeating: 0, count: 12) + [8, 0] + octets)
    script.records.append(Record(time: script.time, .log(log.bytes)))
    #expect(script.story().flatMap(\.journeys).map(\.end.kind) == [.transmitted])
  }

  /// This host gets a copy of its own multicast: IPv4 sends one through POSTROUTING before it sends the
  /// packet itself, IPv6 while that is between POSTROUTING and egress.
  @Test(arguments: [true, false]) func multicastComesBack(copyFirst: Bool) {
    let packet = Packet(
      source: IPAddress("192.0.2.1")!, destination: IPAddress("224.0.0.251")!, proto: .udp,
      transport: .udp(UDPHeader(sourcePort: 9, destinationPort: 5353)))
    var script = Script()
    func comeBack() {
      script.see(packet, at: "INGRESS", id: 3, in: 2)
      script.see(packet, at: "PREROUTING", id: 3, in: 2)
      script.see(packet, at: "nat-INPUT", id: 3, in: 2)
    }
    script.see(packet, at: "OUTPUT", id: 1, out: 2)
    script.see(packet, at: "nat-POSTROUTING", id: copyFirst ? 2 : 1, out: 2)
    if copyFirst { comeBack() }
    script.see(packet, at: "nat-POSTROUTING", id: copyFirst ? 1 : 2, out: 2)
    if !copyFirst { comeBack() }
    script.see(packet, at: "EGRESS", id: 1, out: 2)
    let kinds = script.story().flatMap(\.journeys).map(\.end.kind)
    #expect(kinds.map(\.rawValue).sorted() == ["delivered", "transmitted"])
    // One that is neither sent nor comes back by the interface is lost still.
    var lost = Script()
    lost.see(packet, at: "nat-POSTROUTING", id: 1, out: 2)
    lost.see(packet, at: "INGRESS", id: 3, in: 4)
    #expect(lost.story().flatMap(\.journeys).map(\.end.kind) == [.unknown, .unknown])
  }

  /// What tc leads through an ifb device as it comes in meets neither ingress nor egress hooks.
  @Test func shapedAsItComesIn() {
    func ends(ifb: Bool, sees: [String]) -> [End.Kind] {
      var script = Script()
      if ifb {
        script.records.append(
          Record(time: 1, .netlink(LinkMessage.creation(kind: "ifb", name: "ifb0"))))
      }
      for label in sees { script.see(echo(), at: label, id: 1, in: 3, out: 2) }
      return script.story().flatMap(\.journeys).map(\.end.kind)
    }
    let shaped = ["PREROUTING", "FORWARD", "nat-POSTROUTING"]
    #expect(ends(ifb: true, sees: shaped) == [.transmitted])
    #expect(ends(ifb: false, sees: shaped) == [.unknown])
    #expect(ends(ifb: true, sees: ["INGRESS"] + shaped) == [.unknown])
    #expect(ends(ifb: true, sees: ["PREROUTING", "FORWARD"]) == [.unknown])
  }

  /// A packet that is sent in fragments has its ports in the first alone.
  @Test func fragmentsMadeOnTheWayGoWithTheirPacket() {
    var whole = Packet(
      source: IPAddress("192.0.2.1")!, destination: IPAddress("198.51.100.9")!, proto: .udp,
      identification: 7, transport: .udp(UDPHeader(sourcePort: 9, destinationPort: 80)))
    var script = Script()
    script.see(whole, at: "OUTPUT", id: 1, out: 2)
    whole.fragment = Packet.Fragment(identification: 7, offset: 0, more: true)
    whole.payload = Array(repeating: 1, count: 1472)
    script.see(whole, at: "EGRESS", id: 1, out: 2)
    whole.transport = .absent
    whole.payload = Array(repeating: 1, count: 1480)
    whole.fragment = Packet.Fragment(identification: 7, offset: 1480, more: true)
    script.see(whole, at: "EGRESS", id: 2, out: 2)
    func told() -> [[String]] {
      script.story().map { exchange in
        exchange.journeys.flatMap(\.hops).map { "\($0.fragments) \($0.hasAllFragments)" }
      }
    }
    // The last one is missing.
    #expect(told() == [["1 true", "2 false"]])
    whole.fragment = Packet.Fragment(identification: 7, offset: 2960, more: false)
    script.see(whole, at: "EGRESS", id: 3, out: 2)
    #expect(told() == [["1 true", "3 true"]])
  }

  /// What conntrack calls invalid is no part of an exchange.
  @Test func invalidPacketsStandAlone() {
    var script = Script()
    for number: UInt16 in 1...2 {
      let packet = Packet(
        source: IPAddress("192.0.2.1")!, destination: IPAddress("198.51.100.9")!, proto: .tcp,
        identification: number,
        transport: .tcp(
          TCPHeader(sourcePort: 9, destinationPort: 80, sequence: UInt32(number), flags: .ack)))
      script.see(packet, at: "PREROUTING", id: UInt32(number), in: 3)
      script.see(packet, at: "conntrack-PREROUTING", id: UInt32(number), in: 3, state: 1)
    }
    #expect(script.story().map { $0.journeys.map(\.direction) } == [[.other], [.other]])
  }

  /// However much comes at once, what is open is bounded, and all of it is told.
  @Test(arguments: [Pace.whole, .live]) func floodsAreBounded(pace: Pace) {
    var script = Script()
    var story = Story(header: script.header, pace: pace)
    var told = 0
    for number in 1...20000 {
      script.records = []
      let payload = Array("packet \(number)".utf8)
      script.see(echo(payload: payload), at: "PREROUTING", id: UInt32(number), in: 3)
      for record in script.records { story.take(record) }
      told += story.closeIdle().reduce(0) { $0 + $1.journeys.count }
    }
    #expect(told > 3000)
    #expect(told + story.finish().reduce(0) { $0 + $1.journeys.count } == 20000)
  }

  /// A flood in many flows is told in parts while packets are on their way: none of them is cut.
  @Test(arguments: [Pace.whole, .live]) func floodsCutNoPacket(pace: Pace) {
    var script = Script()
    var story = Story(header: script.header, pace: pace)
    var told: [Journey] = []
    for number in 0..<20000 {
      script.records = []
      let packet = echo(id: UInt16(number % 100), identification: UInt16(number & 0xffff))
      for (label, device) in [("PREROUTING", 3), ("FORWARD", 3), ("EGRESS", nil)] as [(_, UInt32?)]
      {
        script.see(
          packet, at: label, id: UInt32(number), in: device, out: device == nil ? 2 : nil,
          connection: (UInt32(number % 100), 1, 0))
      }
      script.time += 5000
      for record in script.records {
        story.take(record)
        told += story.closeIdle().flatMap(\.journeys)
      }
    }
    #expect(told.count > 3000)
    told += story.finish().flatMap(\.journeys)
    #expect(told.count == 20000)
    #expect(told.allSatisfy { $0.hops.count == 3 })
  }

  /// A few flows that never pause, at 3000 packets a second: what waits to be told is a second's
  /// packets, and they are told a few at a time.
  @Test func littleWaitsToBeTold() {
    var script = Script()
    var story = Story(header: script.header)
    var (told, mostWaiting, mostAtOnce) = (0, 0, 0)
    let path = [Hook.prerouting, .forward, .postrouting].flatMap { hook in
      script.header.points.filter { $0.hook == hook }
    }
    let count = 5000
    for number in 0..<count {
      let start = script.time
      script.records = []
      let packet = udp(from: UInt16(1024 + number % 64), identification: UInt16(number))
      for point in path {
        script.see(
          packet, at: point.label, id: UInt32(number), in: 3,
          connection: (UInt32(number % 64), 2, 0))
      }
      script.time = start + 333_000
      for record in script.records {
        story.take(record)
        let closed = story.closeIdle().reduce(0) { $0 + $1.journeys.count }
        told += closed
        mostAtOnce = max(mostAtOnce, closed)
      }
      mostWaiting = max(mostWaiting, number + 1 - told)
    }
    #expect(mostWaiting < 4000 && mostAtOnce < 1000, "\(mostWaiting), \(mostAtOnce)")
    let rest = story.finish().flatMap(\.journeys)
    #expect(told + rest.count == count)
    #expect(rest.allSatisfy { $0.hops.count == path.count })
  }

  /// After a pause nothing was heard of any: all are told, but not in one breath.
  @Test func aPauseTellsNotAllAtOnce() {
    var script = Script()
    for number in 0..<3000 {
      let packet = udp(from: UInt16(1024 + number), identification: UInt16(number))
      script.see(packet, at: "PREROUTING", id: UInt32(number), in: 3)
    }
    var story = Story(header: script.header)
    for record in script.records { story.take(record) }
    story.pass(to: script.time + 3_000_000_000)
    var parts: [Int] = []
    repeat { parts.append(story.closeIdle().count) } while parts.last != 0
    #expect(parts.reduce(0, +) == 3000 && parts.allSatisfy { $0 < 1000 }, "\(parts)")
  }

  /// Each packet is another flow, another connection and another packet in every way: no table of
  /// those that keep something of it has it for ever.
  @Test func noTableGrowsWithTraffic() {
    var script = Script()
    var stories = NamespacesStory()
    _ = stories.begin(script.header, from: 0)
    let count = 20000
    var told = 0
    for number in 0..<count {
      script.records = []
      let packet = udp(
        from: UInt16(1024 + number), to: "198.51.\(number >> 8).\(number & 255)",
        identification: UInt16(number))
      let id = UInt32(number + 1)
      script.see(packet, at: "PREROUTING", id: id, in: 3, connection: (id, 8, 0))
      script.step(
        TraceMessage(
          family: NFProto.ipv4, id: id, kind: .rule, table: "filter", chain: "FORWARD",
          handle: UInt64(id), verdict: .drop))
      script.step(
        TraceMessage(
          family: NFProto.arp, id: id, kind: .rule, table: "arps", chain: "INPUT",
          handle: UInt64(id), verdict: .drop))
      let (one, other) = (packet.source, packet.destination)
      let connection = ConntrackMessage(
        family: NFProto.ipv4, event: .new,
        original: ConntrackTuple(source: one, destination: other, proto: .udp),
        reply: ConntrackTuple(source: other, destination: one, proto: .udp), status: [], id: id)
      script.records.append(Record(time: script.time, .netlink(connection.message)))
      for record in script.records {
        told += stories.take(record, from: 0).reduce(0) { $0 + $1.journeys.count }
      }
      script.time += 250_000
    }
    let tables = tables(in: stories, called: "stories")
    #expect(tables.contains { $0.name.hasSuffix(".connections") && $0.count > 1000 }, "\(tables)")
    for table in tables { #expect(table.count < count - 1000, "\(table.name)") }
    #expect(told + stories.finish().reduce(0) { $0 + $1.journeys.count } == count)
  }

  private func udp(
    from port: UInt16, to destination: String = "198.51.100.9", identification: UInt16
  ) -> Packet {
    Packet(
      source: IPAddress("192.0.2.1")!, destination: IPAddress(destination)!, proto: .udp,
      identification: identification,
      transport: .udp(UDPHeader(sourcePort: port, destinationPort: 53)))
  }

  /// Every collection in a value, in the values that it has, and in the elements of small ones, with
  /// its count: also those that nobody thought of.
  private func tables(in value: Any, called name: String) -> [(name: String, count: Int)] {
    let mirror = Mirror(reflecting: value)
    var found: [(name: String, count: Int)] = []
    if let style = mirror.displayStyle, [.collection, .dictionary, .set].contains(style) {
      found.append((name, mirror.children.count))
      if mirror.children.count > 4 { return found }
    }
    for child in mirror.children {
      found += tables(in: child.value, called: name + "." + (child.label ?? "element"))
    }
    return found
  }
}
