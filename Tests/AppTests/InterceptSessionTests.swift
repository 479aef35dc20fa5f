import Fixtures
import Kernel
import Report
import Schema
import Simulator
import Testing
import Trace
import Wire

@testable import App

/// Packets that are diverted, and go their own way again whatever happens.
struct InterceptSessionTests {
  /// A kernel that diverts.
  final class Host: InterceptHost, DivertedPackets {
    let clock = SimulatedLoop(1_800_000_000_000_000_000)
    let lines = SimulatedLines()
    let faults = Faults()
    let device: SimulatedDevice
    let events: SimulatedEvents
    private(set) var isDiverted = false
    private(set) var asked: (subnets: [Prefix], name: String)?
    private(set) var watched: Subnets?

    init() {
      device = SimulatedDevice(clock)
      events = SimulatedEvents(clock)
    }

    var loop: any EventLoop { clock }
    var release: String { "6.1.0" }
    var isInteractive: Bool { false }
    var output: any LineSink { lines }

    func divert(
      _ subnets: [Prefix], into name: String, translating versions: Set<Int>
    ) throws(KernelError) -> any DivertedPackets {
      try faults.check(.createTun)
      asked = (subnets, name)
      isDiverted = true
      return self
    }

    func traffic(
      of subnets: Subnets, divertedInto device: String
    ) throws(KernelError) -> LiveTraffic {
      try faults.check(.listen)
      watched = subnets
      let header = SessionHeader(
        command: "intercept", version: "1", kernel: "6.1.0", points: [], table: "nftrace_7")
      return LiveTraffic(
        header, listed: [], events: events, interfaces: SimulatedInterfaces(),
        oracle: SimulatedOracle(clock), listing: { [] })
    }

    func giveUpRights() throws(KernelError) { try faults.check(.giveUpRights) }

    var name: String { "nftrace0" }
    var remarks: [String] { ["rp_filter of eth0 is 2 meanwhile"] }
    var descriptor: Int32 { -1 }
    var changesDescriptor: Int32 { -1 }

    func translate(_ change: AnswerChange) throws(KernelError) { try device.translate(change) }

    func loss() throws(KernelError) -> Diversion.Loss? { try device.loss() }

    func read(into buffer: inout [UInt8]) throws(KernelError) -> Int? {
      try faults.check(.readPacket)
      return try device.read(into: &buffer)
    }

    func write(_ buffer: [UInt8], count: Int) throws(KernelError) {
      try device.write(buffer, count: count)
    }

    func end(drain: () -> Void) throws(KernelError) {
      isDiverted = false
      drain()
    }
  }

  let host = Host()
  let heard = HeardOutput()

  private func request(
    json: Bool = false, verbosity: TextStyle.Verbosity = .normal
  ) throws -> InterceptRequest {
    InterceptRequest(
      try Subnets(parsing: ["203.0.113.0/24"]),
      options: OutputOptions(json: json, style: TextStyle(verbosity: verbosity)))
  }

  /// So many echo requests, a millisecond apart.
  private func come(_ count: Int) throws {
    let session = try RecordedSession("healthy-nft-v4")
    guard case .sent(let octets) = session.records[session.firstSent].content else { return }
    host.device.coming = (0..<count).map { (host.clock.now + UInt64($0) * 1_000_000, octets) }
  }

  private func run(_ request: InterceptRequest) throws -> Int32 {
    try Output.$place.withValue(heard) { try InterceptSession(request, host).run() }
  }

  @Test func packetsGoThroughAndAreSummedUp() throws {
    try come(3)
    host.clock.signals = [(host.clock.now + 1_000_000_000, 2)]
    #expect(try run(request()) == 130)
    #expect(host.device.written.count == 3)
    #expect(!host.isDiverted)
    #expect(host.asked?.name == "nftrace%d")
    #expect(host.asked?.subnets == [Prefix("203.0.113.0/24")!])
    let lines = host.lines.text.split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines.last?.hasPrefix("3 packets, 252 octets in ") == true, "\(lines)")
    #expect(heard.errors.contains("packets to 203.0.113.0/24 go through nftrace0"))
    #expect(heard.errors.contains("rp_filter of eth0 is 2 meanwhile"))
  }

  @Test func enoughEndsIt() throws {
    try come(5)
    var request = try request(verbosity: .quiet)
    (request.limit, request.drops) = (2, true)
    #expect(try run(request) == 0)
    #expect(heard.errors == "")
    #expect(host.lines.text.hasPrefix("2 packets, 168 octets in "))
    #expect(host.lines.text.hasSuffix("2 dropped\n"))
  }

  /// Somebody takes the device down: it is said, summed up, and ended.
  @Test func theDeviceIsTakenDown() throws {
    try come(2)
    host.device.lost = (host.clock.now + 500_000_000, .takenDown)
    #expect(try run(request(verbosity: .quiet)) == 3)
    let words = "nftrace0 was taken down: packets to 203.0.113.0/24 go their own way again"
    #expect(heard.errors.contains(words), "\(heard.errors)")
    #expect(host.lines.text.hasPrefix("2 packets, 168 octets in "), "\(host.lines.text)")
    #expect(!host.isDiverted)
  }

  @Test func jsonIsOneObject() throws {
    try come(1)
    var request = try request(json: true)
    request.limit = 1
    request.edits = [try PacketEdit(parsing: "ttl=9")]
    #expect(try run(request) == 0)
    #expect(host.lines.text == "")
    #expect(JSONSchema.nftrace.faults(in: heard.output) == [])
    #expect(try JSONMembers(heard.output)["packets.changed"] == "1")
    #expect(try JSONMembers(heard.output)["subnets"] == #"["203.0.113.0/24"]"#)
  }

  /// The ways of packets are those to where they go as well.
  @Test func waysAreTold() throws {
    try come(1)
    var request = try request()
    (request.limit, request.traces) = (1, true)
    request.edits = [try PacketEdit(parsing: "dest=198.51.100.9")]
    #expect(try run(request) == 0)
    #expect(host.watched?.texts == ["203.0.113.0/24", "198.51.100.9/32"])
    #expect(host.events.isStopped)
  }

  /// Whatever fails, nothing is diverted any more.
  @Test(arguments: [Faults.Call.giveUpRights, .listen, .readPacket, .createTun])
  func whatFailsEndsTheDiversion(call: Faults.Call) throws {
    try come(1)
    host.faults.failing = [call: (0, 5)]
    var request = try request()
    request.traces = true
    let error = #expect(throws: KernelError.self) { try run(request) }
    #expect(error?.errno == 5)
    #expect(!host.isDiverted)
    #expect((host.asked == nil) == (call == .createTun))
  }

  // MARK: Lists in files

  private func list(_ text: String) throws -> PrefixList {
    let state = try TemporaryState()
    try state.put(Array(text.utf8), as: "list")
    return try PrefixList(file: state.path("list"))
  }

  @Test func aListIsRead() throws {
    let list = try list("# mine\n203.0.113.0/24\n!203.0.113.128/25\n")
    #expect(!list.listsNothing(version: 4))
    #expect(list.listsNothing(version: 6))
  }

  @Test func allFaultsOfAListAreTold() throws {
    let error = #expect(throws: UsageError.self) {
      try list(String(repeating: "10.0.0.0/33\n", count: 25))
    }
    #expect(error?.message.split(separator: "\n").count == 21)
    #expect(error?.message.contains("list, line 20: ") == true)
    #expect(error?.message.hasSuffix("and 5 more") == true)
    #expect(throws: UsageError.self) { try list("!10.0.0.0/8\n") }
    #expect(throws: KernelError.self) { try PrefixList(file: "/nowhere/at/all") }
  }
}
