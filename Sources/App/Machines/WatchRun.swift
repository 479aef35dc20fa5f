internal import Kernel
package import Trace

/// Watches the probes of a ping that another machine sends, and tells that one what is seen of them here: what runs on
/// each machine of `ping --via`.
///
/// Both ends talk in sessions: from there come the header, with the probes that are going to be sent, and what was sent;
/// from here go the header of this place, what is listed and seen, and, of a probe that is over, what else is found out.
/// `PlaceMessage` has the rest. When the connection is over, all that was made here goes.
package struct WatchRun {
  private let channel: any PlaceChannel
  private let loop: any EventLoop
  private var decoder = SessionDecoder()

  /// Nanoseconds after which who is connected says that it still is, and those after which it is taken to be gone.
  static let heartbeat: UInt64 = 5_000_000_000
  private static let patience: UInt64 = 30_000_000_000

  /// Watches for who is at the other end.
  package init(for channel: any PlaceChannel, _ loop: any EventLoop) {
    self.channel = channel
    self.loop = loop
  }

  /// Watches until the connection is over, and returns nil, or until a signal comes. `open` opens what it takes in this
  /// network namespace.
  package mutating func run(_ open: (ProbePlan) throws -> PingNamespace) throws -> Int32? {
    guard var joint = try awaitHeader(), let plan = joint.probe else { return nil }
    let place = try PingPlace(
      1, open(plan), plan, entrance: nil, masquerade: false, forward: false, loop: loop)
    joint.others = [place.header]
    var ping = PingStory(header: joint)!
    try channel.write(SessionFile.beginning(place.header))
    for record in place.opening { try tell(record, &ping) }
    try place.listen()
    place.appointDeputy()
    try place.kernel.giveUpRights()
    try say(.ready)
    return try watch(place, &ping)
  }

  private mutating func watch(_ place: PingPlace, _ ping: inout PingStory) throws -> Int32? {
    var heard = loop.monotonic
    loop.watch([channel.descriptor, place.descriptor])
    while true {
      try hear(place, &ping)
      guard let octets = try channel.read() else { return nil }
      if !octets.isEmpty {
        heard = loop.monotonic
        decoder.feed(octets)
        while let element = try decoder.next() {
          if case .record(let record) = element { try take(record, place, &ping) }
        }
      }
      let isAll = try channel.flush()
      if let signal = loop.signal() { return signal }
      let silence = loop.monotonic - heard
      if silence > Self.patience { return nil }
      loop.wait(nanoseconds: isAll ? Self.patience - silence : Self.moment)
    }
  }

  private static let moment: UInt64 = 5_000_000

  /// The header of who sends; nil where nobody does.
  private mutating func awaitHeader() throws -> SessionHeader? {
    let deadline = loop.monotonic + Self.patience
    loop.watch([channel.descriptor])
    while loop.monotonic < deadline, loop.signal() == nil {
      guard let octets = try channel.read() else { return nil }
      decoder.feed(octets)
      while let element = try decoder.next() {
        if case .header(let header) = element { return header }
      }
      loop.wait(nanoseconds: deadline - loop.monotonic)
    }
    return nil
  }

  /// Tells of all that was reported.
  private func hear(_ place: PingPlace, _ ping: inout PingStory) throws {
    var records: [Record] = []
    _ = try place.drain(atMost: .max) { records.append(place.records([$0])[0]) }
    for record in records { try tell(record, &ping) }
  }

  private func tell(_ record: Record, _ ping: inout PingStory) throws {
    ping.take(record)
    try channel.write(SessionFile.bytes(Record(time: record.time, record.content)))
  }

  private func say(_ message: PlaceMessage) throws {
    try channel.write(SessionFile.bytes(Record(time: loop.realtime, .note(.message(message)))))
  }

  private func take(_ record: Record, _ place: PingPlace, _ ping: inout PingStory) throws {
    switch record.content {
    case .sent: ping.take(Record(time: loop.realtime, record.content))
    case .note(.message(.clock(let number))): try say(.clock(number))
    case .note(.message(.asked(let probe, let isAnswered))):
      try answer(probe, isAnswered, place, &ping)
    default: break
    }
  }

  /// Tells what is to be known of a probe that is over.
  private func answer(
    _ probe: Int, _ isAnswered: Bool, _ place: PingPlace, _ ping: inout PingStory
  ) throws {
    try hear(place, &ping)
    for record in place.drops(besides: [], where: { _ in true }) { try tell(record, &ping) }
    let questions = ping.questions(probe, at: place.number, isAnswered: isAnswered)
    for record in place.answers(to: questions) { try tell(record, &ping) }
    place.awaitNotifications()
    try hear(place, &ping)
    _ = ping.settle(probe)
    if ping.outstanding == 0 { place.forgetPackets() }
    try say(.answered(probe))
  }
}
