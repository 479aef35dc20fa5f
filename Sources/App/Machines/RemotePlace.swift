internal import Kernel
internal import Trace
internal import Wire

/// Another machine on which the probes of a ping are watched.
final class RemotePlace: ProbePlace {
  let number: Int
  let header: SessionHeader
  let opening: [Record]
  private let machine: RemoteMachine
  private let loop: any EventLoop
  /// Whether it was told that it is over.
  private var isMissed = false
  private var lastWord: UInt64

  /// A machine that is ready.
  init(_ number: Int, _ machine: RemoteMachine, _ header: SessionHeader, _ loop: any EventLoop) {
    self.number = number
    self.machine = machine
    self.header = header
    self.loop = loop
    lastWord = loop.monotonic
    let ahead = machine.offset?.ahead ?? 0
    opening =
      ([Record(time: loop.realtime, .note(.clockAhead(ahead)))] + machine.takeRecords())
      .map {
        Self.record($0, at: number)
      }
  }

  private static func record(_ record: Record, at number: Int) -> Record {
    Record(time: record.time, record.content, at: number)
  }

  /// A descriptor that is over would be readable for ever.
  var descriptor: Int32 { machine.end == nil ? machine.channel.descriptor : -1 }

  func listen() {}
  func appointDeputy() {}

  func drain(
    atMost limit: Int, into record: (Record) throws(KernelError) -> Void
  ) throws(KernelError) -> Bool {
    try machine.hear(loop)
    for next in records() { try record(next) }
    return true
  }

  private func records() -> [Record] {
    var records = machine.takeRecords().map { Self.record($0, at: number) }
    if let end = machine.end, !isMissed {
      isMissed = true
      records.append(
        Record(time: loop.realtime, .note(.missing(machine.name, end)), at: number))
    }
    return records
  }

  func drops(besides others: [any ProbePlace], where isWanted: (DropEvent) -> Bool) -> [Record] {
    []
  }

  func note(sent record: Record) throws(KernelError) {
    lastWord = loop.monotonic
    try machine.tell(record)
  }

  func announce(_ probes: [Int], _ ping: PingStory) throws(KernelError) {
    lastWord = loop.monotonic
    for probe in probes {
      try machine.say(.asked(probe, isAnswered: ping.isAnswered(probe)), at: loop.realtime)
    }
  }

  func answers(about probes: [Int], _ ping: PingStory) throws(KernelError) -> [Record] {
    try machine.awaitAnswers(about: probes, loop)
    return records()
  }

  func answersAgain(_ ping: PingStory) -> [Record] { [] }
  func awaitNotifications() {}
  func forgetPackets() {}

  func stayConnected() throws(KernelError) {
    guard machine.end == nil, loop.monotonic - lastWord > WatchRun.heartbeat else { return }
    lastWord = loop.monotonic
    try machine.say(.ready, at: loop.realtime)
  }
}
