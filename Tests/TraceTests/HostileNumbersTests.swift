import Testing
import Trace
import Wire

/// What a session or a log says of times, lengths and counts may be anything, in any order.
struct HostileNumbersTests {
  private func message(_ trace: TraceMessage) -> Record.Content {
    .netlink(NetlinkMessage(type: TraceMessage.type, payload: trace.bytes))
  }

  /// A log message waits for its trace message; one that came after it may have been placed before.
  @Test func aPacketSeenTooLateIsTold() throws {
    var script = Script()
    script.see(echo(), at: "PREROUTING", id: 1, in: 3, traced: false)
    script.see(echo(ttl: 63), at: "FORWARD", id: 1, in: 3, out: 2)
    script.see(echo(ttl: 63), at: "POSTROUTING", id: 1, out: 2)
    // The trace message of the last comes first.
    script.records.swapAt(1, 4)
    let journeys = script.story().flatMap(\.journeys)
    #expect(journeys.flatMap(\.hops).count == 3)
  }

  @Test(arguments: [0, 1, 1 << 63, .max - 1, .max] as [UInt64])
  func anyTimeCanBeTold(_ time: UInt64) throws {
    for place in 0..<6 {
      var script = Script()
      script.see(echo(), at: "INGRESS", id: 1, in: 3)
      script.see(echo(), at: "PREROUTING", id: 1, in: 3)
      script.see(echo(ttl: 63), at: "FORWARD", id: 1, in: 3, out: 2)
      script.records[place].time = time
      var story = Story(header: script.header)
      var told: [Exchange] = []
      for record in script.records {
        story.take(record)
        told += story.closeIdle()
      }
      told += story.finish()
      #expect(told.flatMap(\.journeys).flatMap(\.hops).count == 3)
    }
  }

  /// Of two namespaces, what is recorded at the end of time is told as well.
  @Test func theEndOfTimeInTwoNamespaces() {
    var script = Script()
    script.see(echo(), at: "PREROUTING", id: 1, in: 3)
    script.records[0].time = .max
    script.records[1].time = .max
    var stories = NamespacesStory(
      namespaces: ["a", "b"].map { Site(name: $0) })
    var told: [Exchange] = []
    for source in 0..<2 {
      told += stories.begin(script.header, from: source)
      for record in script.records { told += stories.take(record, from: source) }
    }
    told += stories.pass(to: .max)
    told += stories.finish()
    #expect(told.flatMap(\.journeys).count == 2)
  }

  private static func plan(
    _ proto: String, count: Int = 1, size: Int = 56, timeout: Double = 1
  ) -> ProbePlan {
    ProbePlan(
      source: .v4(0xc000_0201), destination: .v4(0xc633_6409), proto: ProbeProtocol(proto)!,
      identifier: 7, count: count,
      interval: 1, timeout: timeout, ttl: 64, tos: 0, dontFragment: false, size: size, nonce: .max,
      device: "tun0", sourcePort: nil, destinationPort: proto == "icmp" ? nil : 443)
  }

  /// A header that says the impossible of its probes is still one.
  @Test(arguments: ["icmp", "udp", "tcp"], [Int.min, -2, 0, .max] as [Int])
  func anyPlanCanBeTold(_ proto: String, _ number: Int) throws {
    for timeout in [-1e308, -1, 0, 1e308] {
      let plan = Self.plan(proto, count: number, size: number, timeout: timeout)
      let header = try #require(SessionHeader(json: Script(probe: plan).header.json))
      let usual = Self.plan(proto)
      var ping = try #require(PingStory(header: header))
      let probe = usual.packet(sequence: 1)
      var answer = probe
      (answer.source, answer.destination) = (probe.destination, probe.source)
      for time in [5, .max, 0] as [UInt64] {
        _ = ping.replay(Record(time: time, .sent(probe.bytes)))
        _ = ping.replay(Record(time: time, .note(.notSent(.max, .min))))
        _ = ping.replay(Record(time: time, .received(answer.bytes)))
        _ = ping.replay(Record(time: time, .received(probe.bytes)))
      }
      _ = ping.nextDeadline
      _ = ping.finishReplay()
      #expect(header.probe?.marks != nil)
      #expect(header.probe?.packet(sequence: 1).destination == probe.destination)
      #expect((header.probe?.end(sequence: 1, answer: nil) != nil) == (proto == "tcp"))
    }
  }

  @Test func countsOfLossesAddUp() throws {
    let script = Script()
    var story = Story(header: script.header)
    for _ in 0..<3 { story.take(Record(time: 1, .lost(.max))) }
    #expect(story.counts.lost == .max)
    var next = Story(header: script.header, after: story)
    next.take(Record(time: 2, .lost(.max)))
    var sum = story.counts
    sum.add(next.counts)
    #expect(sum.lost == .max)

    var recorded = RecordedEvents(since: 1, messages: .min, lost: .min)
    let later = RecordedEvents(since: 1, messages: .max, lost: .max)
    #expect(recorded.missing(until: later) == .max)
    recorded.take(Record(time: 1, .lost(.min)))
    #expect(later.missing(until: recorded) == 0)
    let bytes = SessionFile.bytes(Record(time: 1, .lost(.min)))
    #expect(!bytes.isEmpty)
  }

  /// The kernel's own count of what it dropped has 64 bits in a file.
  @Test func aCountOfLossesThatNoNumberHolds() throws {
    var decoder = SessionDecoder()
    decoder.feed(SessionFile.beginning(Script().header))
    decoder.feed(
      CaptureBlock.statistics(
        CaptureStatistics(
          interface: 0, time: 1, dropped: .max, comment: "the kernel reported lost messages here")
      ).bytes)
    var counts: [Int?] = []
    while let element = try decoder.next() {
      if case .record(let record) = element, case .lost(let count) = record.content {
        counts.append(count)
      }
    }
    #expect(counts == [.max])
  }

  /// Of fragments whose lengths add up to more than there is.
  @Test func lengthsOfFragmentsInALog() {
    func line(_ time: Int, _ fragment: String) -> String {
      "[ \(time).000000] PREROUTING: IN=a OUT= MAC= SRC=10.0.0.1 DST=192.0.2.9 LEN=4294967295 "
        + "TOS=0x00 PREC=0x00 TTL=64 ID=7 \(fragment) PROTO=UDP SPT=1 DPT=2 LEN=9\n"
    }
    for text in [
      line(1, "MF") + line(1, "MF FRAG:185") + line(1, "FRAG:370"),
      line(1, "MF").replacing("4294967295", with: "9223372036854775807"),
    ] {
      var decoder = KernelLogDecoder(version: "test")
      decoder.feed(Array(text.utf8))
      decoder.finish()
      var stories = NamespacesStory()
      var told: [Exchange] = []
      while let element = decoder.next() {
        switch element {
        case .header(let header): told += stories.begin(header, from: 0)
        case .record(let record): told += stories.take(record, from: 0)
        }
      }
      told += stories.finish()
      #expect(told.flatMap(\.journeys).count + decoder.damaged > 0)
    }
  }

  /// Of a list that no machine has, the beginning counts.
  @Test func listsOfAnyLength() throws {
    var header = Script().header
    header.points = (0..<5000).map {
      ObservationPoint(
        hook: .forward, priority: Int32($0), table: nil, label: "p\($0)", chain: "c\($0)")
    }
    let read = try #require(SessionHeader(json: header.json))
    #expect(read.points.count == 4096 && read.points.first == header.points.first)
    var story = Story(header: read)
    for number in 0..<1000 as Range<UInt32> {
      let address = IPAddress.v4(number)
      story.take(Record(time: 1, .netlink(RouteMessage(to: Prefix(address)).message)))
      story.take(
        Record(
          time: 1, .netlink(AddressMessage(interface: 1, local: Prefix(address)).message)))
      let neighbour = NeighbourMessage(
        interface: 1, address: address, hardwareAddress: nil, state: .failed)
      story.take(Record(time: 1, .netlink(neighbour.message)))
    }
    #expect(story.finish().isEmpty)
  }

  /// An error that quotes an error, and so on, in a packet that is as long as a file's can be.
  @Test func errorsInErrors() throws {
    let header = Script(probe: Self.plan("icmp")).header
    let error: [UInt8] = [
      0x45, 0, 0, 0, 0, 1, 0, 0, 64, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 3, 1, 0, 0, 0, 0, 0, 0,
    ]
    let packet = Array([[UInt8]](repeating: error, count: 100_000).joined())
    var ping = try #require(PingStory(header: header))
    ping.take(Record(time: 1, .sent(packet)))
    ping.take(Record(time: 2, .received(packet)))
    ping.take(
      Record(
        time: 3,
        .log(
          LogMessage(
            family: NFProto.ipv4, hookNumber: 0, prefix: "PREROUTING",
            payload: Array(packet.prefix(65000))
          ).bytes)))
    #expect(ping.unsettled.isEmpty)
  }
}
