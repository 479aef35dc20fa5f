import Kernel
import Simulator
import Testing
import Trace

@testable import App

/// Another machine that says something else than it should, or nothing.
struct RemoteMachineTests {
  /// The other end of a connection: what it says, piece by piece, and what it was told.
  final class Channel: PlaceChannel {
    var said: [[UInt8]]
    var told: [UInt8] = []
    var isOver: Bool
    let complaint: String?
    let loop: SimulatedLoop
    var waited: UInt64 = 0

    init(_ said: [[UInt8]], isOver: Bool = true, complaint: String? = nil, _ loop: SimulatedLoop) {
      (self.said, self.isOver, self.complaint, self.loop) = (said, isOver, complaint, loop)
    }

    var descriptor: Int32 { -1 }
    func read() -> [UInt8]? { said.isEmpty ? (isOver ? nil : []) : said.removeFirst() }
    func write(_ octets: [UInt8]) { told += octets }
    func flush() -> Bool { true }
    func close() {}
    func wait(nanoseconds: UInt64) {
      waited += nanoseconds
      loop.pause(nanoseconds: nanoseconds)
    }
  }

  private static let header = SessionHeader(
    command: "ping", version: "1", kernel: "6.18", points: [], table: "t")

  private static func octets(_ message: PlaceMessage, at time: UInt64 = 1) -> [UInt8] {
    SessionFile.bytes(Record(time: time, .note(.message(message))))
  }

  /// What ends it before it watches is said in words that help.
  @Test(arguments: [
    (nil, "the connection ended at once"),
    ("sh: 1: exec: nftrace: not found", "nftrace is not there: install it, or give --bring"),
    ("root@r1: Permission denied (publickey).", "Permission denied (publickey)"),
    ("ssh: \u{1b}[31mno\u{7} route", "no"),
  ])
  func itDoesNotWatch(_ complaint: String?, _ words: String) throws {
    let loop = SimulatedLoop(1_800_000_000_000_000_000)
    let machine = RemoteMachine("root@r1", by: Channel([], complaint: complaint, loop))
    try machine.hear(loop)
    let end = try #require(machine.end)
    #expect(end.contains(words) && !end.contains("\u{1b}"), "\(end)")
    #expect(!machine.isReady && machine.header == nil)
  }

  /// What a shell says before the session is none of it; what never becomes one is said.
  @Test func whatIsNoSession() throws {
    let loop = SimulatedLoop(1_800_000_000_000_000_000)
    let session = SessionFile.beginning(Self.header) + Self.octets(.ready)
    let greeted = RemoteMachine(
      "r1",
      by: Channel(
        [
          Array("Welcome to r1!\n".utf8), Array("You have mail.\n".utf8) + session[..<9],
          Array(session[9...]),
        ],
        isOver: false, loop))
    try greeted.hear(loop)
    #expect(greeted.isReady && greeted.end == nil)
    let machine = RemoteMachine(
      "r1", by: Channel([Array(repeating: UInt8(ascii: "x"), count: 1 << 17)], isOver: false, loop))
    try machine.hear(loop)
    #expect(machine.end?.hasPrefix("it says what is no session") == true)
  }

  /// What comes is taken by our clock, and who says nothing is not waited for without end.
  @Test func itWatchesAndFallsSilent() throws {
    let loop = SimulatedLoop(1_800_000_000_000_000_000)
    let channel = Channel(
      [SessionFile.beginning(Self.header) + Self.octets(.ready)], isOver: false, loop)
    let machine = RemoteMachine("r1", by: channel)
    try machine.hear(loop)
    #expect(machine.isReady && machine.header?.via == "r1")
    try machine.askTime(1, loop)
    // An hour ahead there.
    let there = loop.realtime + 3_600_000_000_000
    channel.said = [
      Self.octets(.clock(1), at: there),
      SessionFile.bytes(Record(time: there, .sent([0x45]))) + Self.octets(.answered(1)),
    ]
    try machine.hear(loop)
    #expect(machine.offset?.ahead == 3_600_000_000_000)
    try machine.awaitAnswers(about: [1], loop)
    #expect(machine.end == nil && channel.waited == 0)
    let records = machine.takeRecords()
    #expect(records.map(\.time) == [there - 3_600_000_000_000])
    try machine.awaitAnswers(about: [2], loop)
    #expect(machine.end == "it says nothing any more" && channel.waited <= 11_000_000_000)
  }
}
