import Kernel
import Report
import Simulator
import Testing
import Trace
import Wire

@testable import App

/// Packets through a device that is played.
struct InterceptRunTests {
  let loop = SimulatedLoop(1_800_000_000_000_000_000)
  let lines = SimulatedLines()
  let heard = HeardOutput()

  /// An echo request to 203.0.113.7.
  private func request(_ number: UInt8) throws -> [UInt8] {
    let session = try RecordedSession("healthy-nft-v4")
    guard case .sent(var octets) = session.records[session.firstSent].content else { return [] }
    octets[5] = number
    return octets
  }

  private func device(_ count: Int, every pause: UInt64 = 1_000_000) throws -> SimulatedDevice {
    let device = SimulatedDevice(loop)
    device.coming = try (0..<count).map {
      (loop.now + UInt64($0) * pause, try request(UInt8($0 % 200)))
    }
    return device
  }

  private func run(
    _ action: Interception.Action = .change([]), forgesEcho: Bool = false, limit: Int? = nil,
    hex: Bool = false, trace: InterceptTrace? = nil, matches: [PacketMatch] = [],
    prints: InterceptRun.Printing = .chosen
  ) -> InterceptRun {
    InterceptRun(
      Interception(matches: matches, list: nil, action: action, forgesEcho: forgesEcho),
      trace: trace, prints: prints, hex: hex, limit: limit, output: lines, loop: loop)
  }

  @Test func packetsGoOn() throws {
    let device = try device(20)
    var run = run()
    loop.signals = [(loop.now + 1_000_000_000, 2)]
    #expect(try run.go(device) == .signal(2))
    #expect(device.written.count == 20)
    #expect(lines.text.split(separator: "\n").count == 20)
  }

  @Test func enoughIsEnough() throws {
    let device = try device(20)
    var run = run(limit: 5, hex: true)
    #expect(try run.go(device) == .enough)
    #expect(device.written.count == 5)
    #expect(lines.text.contains("0x0000") || lines.text.contains("45 00"))
    // What is still in the device goes on, without a word.
    let said = lines.text
    loop.now += 1_000_000_000
    run.drain(device)
    #expect(device.written.count == 20)
    #expect(lines.text == said)
  }

  @Test func whatIsDroppedDoesNotGoOn() throws {
    let device = try device(3)
    var run = run(.drop, limit: 3)
    _ = try run.go(device)
    #expect(device.written.isEmpty)
  }

  @Test func echoesAreAnswered() throws {
    let device = try device(2)
    var run = run(forgesEcho: true, limit: 2)
    _ = try run.go(device)
    #expect(device.written.count == 2)
    let packet = try Packet(device.written[0])
    #expect(packet.source == (try Packet(request(0))).destination)
  }

  /// A packet that the kernel does not take is counted; a device that is gone ends it.
  @Test(arguments: [22, 77]) func refusals(errno: Int32) throws {
    let device = try device(2)
    device.refusal = errno
    var run = run(limit: 2)
    if errno == 77 {
      #expect(try run.go(device) == .lost(.removed))
    } else {
      _ = try run.go(device)
      try Output.$place.withValue(heard) {
        try run.finish(json: false, netns: nil, release: "6.1.0", subnets: ["203.0.113.0/24"])
      }
      #expect(lines.text.contains("2"))
    }
  }

  /// What somebody does to the device ends it.
  @Test(arguments: [Diversion.Loss.removed, .takenDown]) func losses(loss: Diversion.Loss) throws {
    let device = try device(3)
    device.lost = (loop.now + 500_000_000, loss)
    var run = run()
    #expect(try run.go(device) == .lost(loss))
    #expect(device.written.count == 3)
  }

  /// What was not chosen goes on without a word, and is not counted as one of --count.
  @Test(arguments: [InterceptRun.Printing.chosen, .all, .nothing])
  func theChosenArePrinted(prints: InterceptRun.Printing) throws {
    let device = try device(3)
    var run = run(
      limit: 1, matches: [try PacketMatch(parsing: "203.0.113.99")], prints: prints)
    loop.signals = [(loop.now + 1_000_000_000, 2)]
    #expect(try run.go(device) == .signal(2))
    #expect(device.written.count == 3)
    #expect(lines.text.split(separator: "\n").count == (prints == .all ? 3 : 0))
  }

  /// Answers are translated from the first packet of a flow on, once.
  @Test func answersComeBack() throws {
    let device = try device(3)
    var run = run(.change([try PacketEdit(parsing: "dest=203.0.113.9")]), limit: 3)
    #expect(try run.go(device) == .enough)
    let change = try #require(device.translations.first)
    #expect(device.translations.count == 1 && change.removed == nil)
    #expect(change.added.asked == IPAddress("203.0.113.7"))
    #expect(change.added.flow.remote == IPAddress("203.0.113.9"))
  }

  @Test func jsonSumsUp() throws {
    let device = try device(4)
    var run = run(limit: 4)
    _ = try run.go(device)
    try Output.$place.withValue(heard) {
      try run.finish(json: true, netns: "a", release: "6.1.0", subnets: ["203.0.113.0/24"])
    }
    #expect(heard.output.contains(#""command": "intercept""#))
    #expect(heard.output.contains(#""6.1.0""#))
  }

  @Test func linesThatWereLeftOutAreCounted() throws {
    var run = run(limit: 1)
    lines.skipped = 7
    try Output.$place.withValue(heard) {
      try run.finish(json: false, netns: nil, release: "", subnets: [])
    }
    #expect(heard.errors.contains("7 lines were left out"))
  }

  // MARK: With the ways of the packets

  private func traced() throws -> (InterceptTrace, SimulatedEvents) {
    let session = try RecordedSession("healthy-nft-v4")
    let events = SimulatedEvents(loop)
    var header = session.header
    header.probe = nil
    let traffic = LiveTraffic(
      header, listed: Array(session.opening), events: events, interfaces: SimulatedInterfaces(),
      oracle: SimulatedOracle(loop), listing: { [] })
    let begin = session.records[session.firstSent].time
    events.add(
      session.records[session.firstSent...].filter { $0.origin == .event }.map {
        Record(time: loop.now + ($0.time - begin), $0.content)
      })
    let device = session.header.probe!.device!
    return (
      InterceptTrace(
        traffic, device: device, rate: nil,
        OutputOptions(json: false, style: TextStyle(unicode: true))), events
    )
  }

  @Test(arguments: [false, true]) func waysAreTold(isInterrupted: Bool) throws {
    let (trace, events) = try traced()
    let device = try device(1)
    var run = run(limit: isInterrupted ? nil : 1, trace: trace)
    if isInterrupted { loop.signals = [(loop.now + 300_000_000, 15)] }
    let end = try run.go(device)
    #expect(end == (isInterrupted ? .signal(15) : .enough))
    try Output.$place.withValue(heard) {
      try run.watchOn(isInterrupted: isInterrupted)
      try run.finish(json: false, netns: nil, release: "", subnets: [])
    }
    #expect(events.isStopped)
    #expect(lines.text.contains("PREROUTING"), "\(lines.text)")
  }

  /// Who interrupts is not kept waiting for what comes faster than it can be told.
  @Test func whatIsLeftUntoldIsCounted() throws {
    let (trace, events) = try traced()
    var run = run(limit: 1, trace: trace)
    let noise = try RecordedSession("healthy-nft-v4").records.first { $0.origin == .event }!
    events.noise = (noise, loop.now + 600_000_000_000)
    let begin = loop.now
    try Output.$place.withValue(heard) { try run.watchOn(isInterrupted: true) }
    #expect(loop.now - begin < 2_000_000_000)
  }
}
