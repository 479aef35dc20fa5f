import Testing
import Trace
import Wire

/// Stories told from lines of the kernel log.
@Suite struct KernelLogTests {
  /// A line in the words of nf_log_syslog, at so many microseconds of a dmesg.
  static func line(
    _ micros: Int, _ label: String, _ packet: String, in input: String = "a", out: String = ""
  ) -> String {
    let digits = "\(micros)"
    let fraction = String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    return "[    5.\(fraction)] \(label): IN=\(input) OUT=\(out) MAC= \(packet) \n"
  }

  static func udp(
    _ source: String, _ destination: String, id: Int = 7, ttl: Int = 64, port: Int = 4000,
    to: Int = 53
  ) -> String {
    "SRC=\(source) DST=\(destination) LEN=40 TOS=0x00 PREC=0x00 TTL=\(ttl) ID=\(id) PROTO=UDP "
      + "SPT=\(port) DPT=\(to) LEN=20"
  }

  static func udp6(_ source: String, label: Int = 0) -> String {
    "SRC=\(source) DST=2001:db8::9 LEN=60 TC=0 HOPLIMIT=64 FLOWLBL=\(label) PROTO=UDP SPT=4000 "
      + "DPT=53 LEN=20"
  }

  /// What a log tells, and its reader.
  static func tell(
    _ text: String, with reader: KernelLogDecoder = KernelLogDecoder(version: "test")
  ) -> (exchanges: [Exchange], reader: KernelLogDecoder) {
    var reader = reader
    reader.feed(Array(text.utf8))
    reader.finish()
    var story = Story(header: nil)
    var exchanges: [Exchange] = []
    while let element = reader.next() {
      switch element {
      case .header(let header): story = Story(header: header)
      case .record(let record):
        story.take(record)
        exchanges += story.closeIdle()
      }
    }
    return (exchanges + story.finish(), reader)
  }

  private func journeys(_ text: String) -> [Journey] {
    Self.tell(text).exchanges.flatMap(\.journeys).sorted { $0.id < $1.id }
  }

  /// syslog names no year: what was on its way at midnight of New Year's Eve was not lost there.
  @Test func aPacketIntoTheNewYear() throws {
    func line(_ stamp: String, _ label: String) -> String {
      "\(stamp) host kernel: \(label): IN=a OUT= MAC= \(Self.udp("10.0.0.1", "192.0.2.9")) \n"
    }
    let told = journeys(
      line("Dec 31 23:59:59", "PREROUTING") + line("Jan  1 00:00:00", "raw-PREROUTING"))
    let journey = try #require(told.first)
    #expect(told.count == 1 && journey.hops.map(\.point.label) == ["PREROUTING", "raw-PREROUTING"])
    #expect(journey.hops[1].time - journey.hops[0].time == 1_000_000_000)
  }

  /// The answer comes with the address that the request got, and is known by it.
  @Test func anAnswerThroughNAT() throws {
    let (exchanges, reader) = Self.tell(
      Self.line(1, "PREROUTING", Self.udp("10.0.0.1", "192.0.2.9"))
        + Self.line(2, "FORWARD", Self.udp("10.0.0.1", "192.0.2.9", ttl: 63), out: "b")
        + Self.line(3, "nat-POSTROUTING", Self.udp("198.51.100.1", "192.0.2.9", ttl: 63, port: 77))
        + Self.line(
          4, "raw-PREROUTING",
          Self.udp("192.0.2.9", "198.51.100.1", id: 0, ttl: 60, port: 53, to: 77))
        + Self.line(
          5, "nat-PREROUTING", Self.udp("192.0.2.9", "10.0.0.1", id: 0, ttl: 60, port: 53, to: 4000)
        ))
    #expect(reader.lines == 5 && reader.damaged == 0 && !reader.isCoarse)
    let exchange = try #require(exchanges.first)
    #expect(exchanges.count == 1 && exchange.journeys.map(\.direction) == [.request, .reply])
    let request = exchange.journeys[0]
    #expect(request.hops.map(\.time) == [0, 1000, 2000])
    #expect(request.way.legs[1].changes == [Change(.ttl, from: "64", to: "63", cause: .forwarding)])
    // Which rule it was no line says.
    #expect(
      request.way.legs[2].changes == [
        Change(.source, from: "10.0.0.1", to: "198.51.100.1", cause: .unknown),
        Change(.sourcePort, from: "4000", to: "77", cause: .unknown),
      ])
    #expect(exchange.journeys[1].way.legs[1].changes.map(\.cause) == [.natReply, .natReply])
    #expect(exchange.findings.isEmpty && request.connection == nil)
  }

  /// Where a client's subnet alone is watched, nothing of it is seen behind the translation: that is
  /// no loss.
  @Test func behindNATNothingMayBeSeen() throws {
    let found = journeys(
      Self.line(1, "PREROUTING", Self.udp("10.0.0.1", "192.0.2.9"))
        + Self.line(2, "mangle-POSTROUTING", Self.udp("10.0.0.1", "192.0.2.9"), out: "b")
        + Self.line(3, "PREROUTING", Self.udp("10.0.0.1", "192.0.2.9", id: 8))
        + Self.line(4, "filter-FORWARD", Self.udp("10.0.0.1", "192.0.2.9", id: 8), out: "b")
        + Self.line(900_000, "PREROUTING", Self.udp("10.0.0.2", "192.0.2.9", id: 9))
    ).prefix(2)
    #expect(found.map(\.end.kind) == [.unknown, .unknown])
    #expect(found.map(\.end.unseen) == [.behindNAT, nil])
    let lost = ExchangeFilter(onlyLost: true)
    #expect(found.map { lost.matches(Exchange(journeys: [$0])) } == [false, true])
  }

  /// IPv6 has no identification: of packets that look alike, addresses tell, then flow labels, then
  /// who came how far.
  @Test func packetsThatLookAlike() {
    let (one, two) = ("2001:db8::1", "2001:db8::2")
    #expect(
      journeys(
        Self.line(1, "PREROUTING", Self.udp6(one)) + Self.line(2, "PREROUTING", Self.udp6(two))
          + Self.line(3, "FORWARD", Self.udp6(two)) + Self.line(4, "FORWARD", Self.udp6(one))
      ).map { $0.hops.map { "\($0.packet.source)" } } == [[one, one], [two, two]])
    #expect(
      journeys(
        Self.line(1, "PREROUTING", Self.udp6(one, label: 5))
          + Self.line(2, "PREROUTING", Self.udp6(one, label: 6))
          + Self.line(3, "raw-PREROUTING", Self.udp6(one, label: 6))
          + Self.line(4, "FORWARD", Self.udp6(one, label: 6))
      ).map(\.hops.count) == [1, 3])
    // The first died at FORWARD; the second goes on.
    #expect(
      journeys(
        Self.line(1, "PREROUTING", Self.udp6(one)) + Self.line(2, "mangle-FORWARD", Self.udp6(one))
          + Self.line(300_003, "PREROUTING", Self.udp6(one))
          + Self.line(300_004, "mangle-FORWARD", Self.udp6(one))
          + Self.line(300_005, "filter-FORWARD", Self.udp6(one))
      ).map(\.hops.count) == [2, 3])
  }

  /// Points behind chains of the user's stand where packets come by them.
  @Test func chainsOfTheUser() throws {
    let packet = Self.udp("10.0.0.1", "192.0.2.9")
    let labels = ["FORWARD", "mangle-FORWARD", "early-FORWARD", "filter-FORWARD", "a-b-FORWARD"]
    let text = (labels + ["security-FORWARD", "POSTROUTING", "EGRESS"]).enumerated().map {
      Self.line($0, $1, packet, out: "b")
    }.joined()
    let journey = try #require(journeys(text).first)
    #expect(journeys(text).count == 1 && journey.hops.count == 8)
    #expect(journey.hops.map(\.point.table)[1...4] == ["mangle", "early", "filter", "a-b"])
    #expect(journey.hops[2].point.isGuessed == true && journey.hops[3].point.isGuessed == nil)
    #expect(journey.end.kind == .transmitted && journey.end.place.out == "b")
  }

  /// The kernel leaves marks out where a packet has its link header: that is no change.
  @Test func marksAtEgress() throws {
    let packet = Self.udp("10.0.0.1", "192.0.2.9")
    let journey = try #require(
      journeys(
        Self.line(1, "PREROUTING", packet)
          + Self.line(2, "mangle-PREROUTING", "\(packet) MARK=0x2a")
          + Self.line(3, "nat-POSTROUTING", "\(packet) MARK=0x2a")
          + Self.line(4, "EGRESS", packet, in: "", out: "b")
      ).first)
    #expect(journey.hops.map(\.mark) == [0, 42, 42, 42])
    #expect(journey.way.legs[1].changes == [Change(.mark, from: "0", to: "42", cause: .mangle)])
    #expect(journey.way.legs[3].changes.isEmpty)
  }

  /// Only whole prefixes of setup's rules count; of a setup that is known, its points and subnets.
  @Test func ofSeveralObservers() {
    let packet = Self.udp("10.0.0.1", "192.0.2.9")
    let others = [
      "[UFW BLOCK] ", "PREROUTING", "my PREROUTING", "FORWARDING: ", "-INPUT: ", "input: ",
    ]
    let foreign = others.map { "[    5.000000] \($0)IN=a OUT= MAC= \(packet)\n" }.joined()
    #expect(Self.tell(foreign).reader.lines == 0)
    var header = SessionHeader(
      command: "show", version: "test", kernel: "6.1",
      points: ObservationPoint.plan(around: [], everywhere: true), table: "nftrace_setup",
      targets: ["10.0.0.0/24"])
    header.points.append(.ingress)
    let reader = KernelLogDecoder(setup: header, since: 5_000_000_000 + 100, offset: 100)
    let text =
      "[    4.999999] PREROUTING: IN=a OUT= MAC= \(packet)\n"
      + Self.line(0, "PREROUTING", packet) + Self.line(1, "late-PREROUTING", packet)
      + Self.line(2, "EGRESS", packet) + Self.line(3, "INGRESS", Self.udp("10.0.1.1", "192.0.2.9"))
      + Self.line(4, "INPUT", Self.udp("192.0.2.9", "10.0.0.9"))
    let (exchanges, end) = Self.tell(text, with: reader)
    #expect(end.lines == 2)
    #expect(
      exchanges.flatMap(\.journeys).map { $0.hops.map(\.point.label) } == [
        ["PREROUTING"], ["INPUT"],
      ])
  }

  /// Setups of several namespaces have one log: each is told its own, and of a saved log, packets of one are not
  /// joined with those of another.
  @Test(arguments: [nil, "net:[4026532201]", "net:[4026532202]"])
  func ofSeveralNamespaces(namespace: String?) {
    let packet = Self.udp("10.0.0.1", "192.0.2.9")
    let header = SessionHeader(
      command: "show", version: "test", kernel: "6.1",
      points: ObservationPoint.plan(around: [], everywhere: true),
      table: "nftrace_setup", targets: ["10.0.0.0/24"])
    let reader = KernelLogDecoder(setup: header, since: 0, offset: 0, namespace: namespace)
    let text =
      Self.line(0, "PREROUTING", packet) + Self.line(1, "net:[4026532201] PREROUTING", packet)
      + Self.line(2, "net:[4026532202] PREROUTING", packet)
      + Self.line(3, "net:[4026532202] INPUT", packet) + Self.line(4, "net:[] INPUT", packet)
    let isSecond = namespace?.hasSuffix("2]") == true
    let (exchanges, end) = Self.tell(text, with: reader)
    #expect(end.lines == (isSecond ? 2 : 1))
    #expect(
      exchanges.flatMap(\.journeys).map { $0.hops.map(\.point.label) } == [
        isSecond ? ["PREROUTING", "INPUT"] : ["PREROUTING"]
      ])
    let saved = Self.tell(text).exchanges.flatMap(\.journeys)
    #expect(saved.map(\.hops.count).sorted() == [1, 1, 2])
  }

  @Test func damagedLinesAreCountedAndPlaced() {
    let whole = Self.line(1, "PREROUTING", Self.udp("10.0.0.1", "192.0.2.9"))
    let reader = Self.tell("boot\n" + whole + whole.dropLast(30) + "\n" + whole).reader
    #expect(reader.lines == 3 && reader.damaged == 1)
    #expect(reader.damage.map(\.line) == [3])
    #expect(reader.damage.first?.reason.contains("PROTO") == true, "\(reader.damage)")
  }

  /// A log of two boots: times begin anew, packets do too.
  @Test func anotherBoot() {
    let packet = Self.udp("10.0.0.1", "192.0.2.9")
    let later = "[  900.000000] PREROUTING: IN=a OUT= MAC= \(packet)\n"
    let found = journeys(
      later + Self.line(0, "FORWARD", packet) + Self.line(9, "POSTROUTING", packet))
    #expect(found.map { $0.hops.map(\.time) } == [[0], [0, 9000]])
    let coarse = Self.tell("Nov 21 03:00:00 host kernel: PREROUTING: IN=a OUT= MAC= \(packet)\n")
    #expect(coarse.reader.isCoarse && coarse.exchanges.count == 1)
  }
}
