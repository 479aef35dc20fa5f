import Testing
import Wire

@testable import Trace

struct SubnetsTests {
  @Test func parsing() throws {
    let subnets = try Subnets(parsing: ["10.0.0.0/24", "2001:db8::/64", "10.1.2.3", "10.0.0.0/24"])
    #expect(subnets.texts == ["10.0.0.0/24", "2001:db8::/64", "10.1.2.3/32"])
    #expect(subnets.versions == [4, 6])
  }

  @Test(arguments: [
    ("10.0.0.5/24", "the subnet is 10.0.0.0/24, the one address is 10.0.0.5/32"),
    ("2001:db8::1/64", "the subnet is 2001:db8::/64"),
    ("10.0.0.0/33", "from 0 to 32"), ("fd00::/129", "from 0 to 128"),
    ("10.0.0.0/", "from 0 to 32"), ("example.org", "names are not looked up"),
    ("10.0.0", "ADDRESS/LENGTH"), ("", "ADDRESS/LENGTH"),
  ])
  func whatIsRefused(text: String, words: String) {
    let fault = #expect(throws: Subnets.Fault.self) { try Subnets(parsing: ["10.0.0.0/8", text]) }
    #expect(fault?.message.contains(words) == true, "\(fault?.message ?? "")")
  }

  @Test func addingAndRemoving() throws {
    var subnets = try Subnets(parsing: ["10.0.0.0/8"])
    let more = try Subnets(parsing: ["10.1.0.0/16", "10.0.0.0/8"]).prefixes
    let added = subnets.add(more)
    #expect(added.map(\.description) == ["10.1.0.0/16"])
    #expect(subnets.larger(than: more[0])?.description == "10.0.0.0/8")
    #expect(AddressRange.merged(subnets.prefixes, version: 4).count == 1)
    let removed = subnets.remove([more[1]])
    #expect(removed.count == 1)
    #expect(subnets.texts == ["10.1.0.0/16"])
  }
}

struct RecordingBoundsTests {
  @Test func theOldestIsDropped() {
    var bounds = RecordingBounds(limit: 1000)
    for _ in 0..<3 {
      bounds.begin(octets: 100)
      while !bounds.isFull { bounds.add(octets: 50) }
      #expect(bounds.current.octets == 550)
      #expect(bounds.current.octets + bounds.previous.octets <= 1100)
      bounds.rotate()
    }
    #expect(bounds.dropped == DroppedRecords(records: 18, octets: 1100))
  }

  /// A beginning that fills the file would leave room for one record a file.
  @Test func aLongBeginningLeavesRoom() {
    var bounds = RecordingBounds(limit: 1000)
    bounds.begin(octets: 800)
    bounds.add(octets: 100)
    #expect(!bounds.isFull)
  }
}

struct RulesetWatchTests {
  private func message(_ type: UInt16, table: String) -> NetlinkMessage {
    NetlinkMessage(
      type: 0x0a00 | type,
      payload: NetfilterHeader(family: 1).bytes + [NetlinkAttribute(1, string: table)].bytes)
  }

  private func end(by program: String) -> NetlinkMessage {
    NetlinkMessage(
      type: 0x0a0f,
      payload: NetfilterHeader(family: 0).bytes
        + [NetlinkAttribute(1, network: UInt32(7)), NetlinkAttribute(3, string: program)].bytes)
  }

  private func expect(
    _ isKept: Bool, _ watch: inout RulesetWatch, _ message: NetlinkMessage, _ now: UInt64
  ) {
    let kept = watch.take(message, now: now)
    #expect(kept == isKept)
  }

  @Test func changesOfOthers() {
    var watch = RulesetWatch()
    expect(true, &watch, message(3, table: "filter"), 10)
    #expect(watch.due == nil)
    expect(true, &watch, end(by: "nft"), 20)
    #expect(watch.due == 20 + RulesetWatch.quiet)
    #expect(!watch.isDamaged)
    watch.settle()
    #expect(watch.due == nil)
  }

  @Test func rulesAreKeptAndSetElementsAreNot() {
    var watch = RulesetWatch()
    expect(true, &watch, message(6, table: "filter"), 0)
    expect(false, &watch, message(12, table: "filter"), 0)
    _ = watch.take(end(by: "nft"), now: 0)
    #expect(watch.due == nil)
  }

  @Test func whoChangesOurTables() {
    var watch = RulesetWatch()
    expect(false, &watch, message(2, table: "nftrace_setup"), 0)
    expect(false, &watch, end(by: "nftrace"), 0)
    #expect(watch.due != nil && !watch.isDamaged)
    _ = watch.take(message(2, table: "nftrace_setup"), now: 0)
    _ = watch.take(end(by: "nft"), now: 0)
    #expect(watch.isDamaged)
  }

  @Test func thereIsAnEndToWaiting() {
    var watch = RulesetWatch()
    for now in stride(from: UInt64(0), to: 3_000_000_000, by: 100_000_000) {
      _ = watch.take(message(3, table: "filter"), now: now)
      _ = watch.take(end(by: "nft"), now: now)
    }
    #expect(watch.due == RulesetWatch.patience)
  }
}

struct DeciderWatchTests {
  private func trace(_ handle: UInt64?, _ verdict: Verdict, table: String = "filter")
    -> NetlinkMessage
  {
    NetlinkMessage(
      type: TraceMessage.type,
      payload: TraceMessage(
        family: 2, id: 1, kind: .rule, table: table, chain: "c", handle: handle, verdict: verdict
      ).bytes)
  }

  private func unread(_ watch: inout DecidingRules) -> [UInt64?] {
    watch.takeUnread().map(\.handle)
  }

  @Test func eachDeciderOnce() {
    var watch = DecidingRules()
    for message in [
      trace(4, .accept), trace(4, .accept), trace(5, .continue), trace(nil, .accept),
      trace(6, .drop), trace(7, .accept, table: "nftrace_setup"),
    ] { watch.take(message) }
    #expect(unread(&watch) == [4, 6])
    watch.take(trace(4, .accept))
    #expect(unread(&watch).isEmpty)
    // Another table of the same name counts its rules anew.
    watch.take(
      NetlinkMessage(
        type: RulesetWatch.deleteTableType,
        payload: NetfilterHeader(family: 2).bytes + [NetlinkAttribute(1, string: "filter")].bytes))
    watch.take(trace(4, .accept))
    #expect(unread(&watch) == [4])
  }

  /// What a file begins anew with has all that is known of a rule, its text as well: who reads it has no other.
  @Test func whatIsKnownIsTakenAlong() throws {
    var watch = DecidingRules()
    watch.take(trace(4, .drop))
    let text = RuleText(
      family: 2, table: "filter", chain: "c", handle: 4, position: 1, text: "udp dport 9 drop",
      tool: .nft)
    watch.hold([Record(time: 1, .note(.rule(text)))])
    #expect(watch.records(at: 2).isEmpty)
    _ = watch.takeHeld()
    #expect(watch.records(at: 2) == [Record(time: 2, .note(.rule(text)))])
    watch.take(
      NetlinkMessage(
        type: RulesetWatch.deleteTableType,
        payload: NetfilterHeader(family: 2).bytes + [NetlinkAttribute(1, string: "filter")].bytes))
    #expect(watch.records(at: 2).isEmpty)
  }
}

struct SetupStateTests {
  /// Files may have been written by anyone: a number that no Int holds does not end the program.
  @Test func numbersBeyondInt() throws {
    var state = SetupState(
      subnets: ["fd00::/64"], backend: "nflog", group: 1, since: .max, process: 1, command: [],
      boot: "b")
    #expect(state.json.contains("\"since\":18446744073709551615,"))
    #expect(SetupState(json: state.json) == state)
    state.since = 1
    #expect(SetupState(json: state.json) == state)
    // What is told of others' numbers is for readers that have no larger ones.
    #expect(JSONValue.int(UInt64?.some(.max)).line == "9223372036854775807")
  }

  /// What versions wrote that wrote each member, null or not.
  @Test func statesOfBefore() throws {
    let text = """
      {"schema":"nftrace-setup/1","subnets":["10.0.0.0/8"],"backend":"log","group":null,\
      "tun":{"name":"t0","isOurs":true,"addresses":["10.0.0.1/24"]},"masquerade":[],\
      "forward":false,"points":[{"hook":"input","priority":-1,"table":null,"label":"INPUT",\
      "chain":"input"}],"since":9223372036854775807,"process":7,"command":["nftrace"],"boot":"b",\
      "records":false,"session":null,"journals":["a"],"netns":null}

      """
    let state = try #require(SetupState(json: text))
    #expect(state.group == nil && state.since == UInt64(Int.max) && state.journals == ["a"])
    #expect(state.points.map(\.label) == ["INPUT"] && state.points[0].table == nil)
    #expect(SetupState(json: state.json) == state)
    // They had their packets traced, whether somebody read that or not.
    #expect(state.traces)
    var quiet = state
    quiet.traces = false
    #expect(SetupState(json: quiet.json) == quiet)
    let recorder = """
      {"dropped":{"octets":1,"records":2},"events":3,"limit":4,"lost":5,"process":6,"repairs":7,\
      "replans":8,"schema":"nftrace-recorder/1","session":"/s/ü.pcapng","since":9,"start":10}

      """
    let state2 = try #require(RecorderState(json: recorder))
    #expect(state2.json == recorder && state2.ended == nil)
  }

  @Test func roundTrip() {
    var state = SetupState(
      subnets: ["10.0.0.0/8"], backend: "nflog", group: 7, since: 1, process: 2,
      command: ["nftrace", "setup"], boot: "b")
    state.tun = .init(name: "tun0", isOurs: true, addresses: ["10.0.0.1/24"])
    state.points = ObservationPoint.plan(around: [], edges: [.ingress])
    #expect(SetupState(json: state.json) == state)
    state.group = nil
    state.tun = nil
    state.masquerade = ["10.0.0.0/24"]
    state.forward = true
    state.records = true
    state.session = "a \"b\"\\\n\u{1}ü.pcapng"
    state.journals = ["one", "two"]
    #expect(SetupState(json: state.json) == state)
    #expect(state.edges == [.ingress])
    #expect(SetupState(json: "{}") == nil)
  }

  /// Sessions written before there was such a thing.
  @Test func headersWithoutDroppedRecords() throws {
    var header = SessionHeader(
      command: "record", version: "1", kernel: "6", points: [], table: "nftrace_setup")
    #expect(!header.json.contains("dropped"))
    #expect(SessionHeader(json: header.json) == header)
    header.dropped = DroppedRecords(records: 3, octets: 400)
    #expect(SessionHeader(json: header.json)?.dropped == header.dropped)
  }
}
