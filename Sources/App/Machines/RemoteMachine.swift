internal import Kernel
internal import Trace
internal import Wire

/// The other end of a connection: an nftrace on another machine (`WatchRun`) that watches probes there, and says what it
/// sees in the records of a session.
package final class RemoteMachine {
  /// As ssh(1) takes it.
  package let name: String
  let channel: any PlaceChannel
  private var decoder = SessionDecoder()
  /// What it said of itself.
  private(set) var header: SessionHeader?
  /// Whether all is watched there.
  private(set) var isReady = false
  /// Whether nothing comes any more, and why, for people.
  private(set) var end: String?
  /// Records that nobody has taken yet, by the clock there.
  private var records: [Record] = []
  /// Probes of which all is told.
  private var answered: Set<Int> = []
  /// When it was asked for the time, by the number of the question.
  private var asked: [Int: UInt64] = [:]
  /// By how much its clock is ahead, as far as the connection tells.
  private(set) var offset: ClockOffset?

  /// One that is being connected to.
  package init(_ name: String, by channel: any PlaceChannel) {
    self.name = name
    self.channel = channel
  }

  /// Has it watch the probes that this header tells of.
  func begin(_ header: SessionHeader) throws(KernelError) {
    try channel.write(SessionFile.beginning(header))
  }

  /// Says something to it.
  func say(_ message: PlaceMessage, at time: UInt64) throws(KernelError) {
    try channel.write(SessionFile.bytes(Record(time: time, .note(.message(message)))))
  }

  /// Tells it of a record.
  func tell(_ record: Record) throws(KernelError) { try channel.write(SessionFile.bytes(record)) }

  /// Asks it for the time.
  func askTime(_ number: Int, _ loop: any EventLoop) throws(KernelError) {
    let now = loop.realtime
    asked[number] = now
    try say(.clock(number), at: now)
  }

  /// How often it was told what time it is there.
  var timesTold: Int { asked.values.count { $0 == 0 } }

  /// Takes in what came.
  func hear(_ loop: any EventLoop) throws(KernelError) {
    _ = try channel.flush()
    while end == nil {
      guard let octets = try channel.read() else {
        end = reason
        return
      }
      if octets.isEmpty { return }
      let now = loop.realtime
      guard let octets = behindGreeting(octets) else { continue }
      decoder.feed(octets)
      do {
        while let element = try decoder.next() { take(element, now) }
      } catch {
        end = "it says what is no session of nftrace's: \(error.reason)"
      }
    }
  }

  /// What a shell prints before it runs anything is no part of the session; nil where that has not begun.
  private func behindGreeting(_ octets: [UInt8]) -> [UInt8]? {
    guard let before = greeting else { return octets }
    let all = before + octets
    let start = all.indices.first { all[$0...].starts(with: CaptureBlock.sectionMark) }
    guard let start else {
      greeting = all.count > Self.longestGreeting ? nil : all
      return greeting == nil ? all : nil
    }
    greeting = nil
    return Array(all[start...])
  }

  /// What has come before the session; nil once that has begun.
  private var greeting: [UInt8]? = []
  private static let longestGreeting = 1 << 16

  private func take(_ element: SessionDecoder.Element, _ now: UInt64) {
    switch element {
    case .header(let header):
      if var header, self.header == nil {
        header.via = name
        header.others = []
        self.header = header
      }
    case .record(let record):
      guard case .note(.message(let message)) = record.content else {
        records.append(record)
        return
      }
      switch message {
      case .ready: isReady = true
      case .clock(let number):
        guard let left = asked[number], left > 0 else { return }
        asked[number] = 0
        offset = ClockOffset(left: left, there: record.time, back: now).better(than: offset)
      case .answered(let probe): answered.insert(probe)
      case .asked: break
      }
    }
  }

  /// The records so far, by our clock.
  func takeRecords() -> [Record] {
    defer { records = [] }
    let ahead = offset?.ahead ?? 0
    return records.map { $0.moved(ahead: ahead) }
  }

  /// Waits until all is told of these probes, or it is over. It has a few seconds for that.
  func awaitAnswers(about probes: [Int], _ loop: any EventLoop) throws(KernelError) {
    let deadline = loop.monotonic + Self.patience
    try hear(loop)
    while end == nil, !answered.isSuperset(of: probes) {
      let now = loop.monotonic
      if now >= deadline {
        end = "it says nothing any more"
        return
      }
      channel.wait(nanoseconds: min(deadline - now, Self.moment))
      try hear(loop)
    }
  }

  private static let patience: UInt64 = 10_000_000_000
  private static let moment: UInt64 = 100_000_000

  /// Nothing more is asked of it: of several, all take their leave at once.
  package func hangUp() { channel.hangUp() }

  /// Nothing more is wanted of it.
  package func leave() { channel.close() }

  /// Why it is over.
  private var reason: String {
    let said = channel.complaint.map { Escape.text($0) }
    guard isReady else {
      guard let said else { return "the connection ended at once" }
      return said.contains("not found") && said.contains("nftrace")
        ? "nftrace is not there: install it, or give --bring, which copies it for the duration"
        : said
    }
    return said.map { "the connection ended: \($0)" } ?? "the connection ended"
  }
}

extension RemoteMachine {
  /// Whether ssh(1), and a shell, take this for a machine.
  package static func canBeNamed(_ name: String) -> Bool { Site.isMachine(name) }

  /// Whether a shell takes this path as it is.
  package static func isPlainPath(_ path: String) -> Bool {
    path.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
        || "/._-".utf8.contains($0)
    }
  }
}

extension [RemoteMachine] {
  /// Waits until they all watch and have told the time, or will not. Seconds in which nothing comes of one are enough.
  /// Throws `Interruption` when a signal comes.
  func awaitReady(_ loop: any EventLoop) throws {
    let deadline = loop.monotonic + Self.patience
    loop.watch(map(\.channel.descriptor))
    while loop.monotonic < deadline {
      for machine in self where machine.end == nil {
        try machine.hear(loop)
        guard machine.isReady, machine.end == nil else { continue }
        // The first may be late, for the other end has just been busy.
        let told = machine.timesTold
        if told < Self.times, machine.isUnasked(told + 1) { try machine.askTime(told + 1, loop) }
      }
      let waiting = filter { $0.end == nil && $0.timesTold < Self.times }
      if waiting.isEmpty { return }
      loop.watch(waiting.map(\.channel.descriptor))
      loop.wait(nanoseconds: Self.look)
      if let signal = loop.signal() { throw Interruption(signal: signal) }
    }
  }

  private static let times = 4
  private static let patience: UInt64 = 20_000_000_000
  private static let look: UInt64 = 200_000_000
}

extension RemoteMachine {
  fileprivate func isUnasked(_ number: Int) -> Bool { asked[number] == nil }
}
