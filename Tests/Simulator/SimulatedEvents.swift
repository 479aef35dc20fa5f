internal import App
package import Kernel
package import Trace

/// Messages that come at moments that are known beforehand.
package final class SimulatedEvents: EventSource {
  private let loop: SimulatedLoop
  private let faults: Faults
  private var queue: [Record] = []
  private var start = 0
  /// Nanoseconds that reading a message takes.
  package var cost: UInt64 = 0
  /// Nanoseconds by which each comes later.
  package var delay: UInt64 = 0
  /// Whether messages have the time at which they were read, as live ones have.
  package var areStampedWhenRead = false
  /// Of so many messages one is lost; 0 for none.
  package var lossy = 0
  /// The most that are waiting; what comes beyond is lost.
  package var room = Int.max
  /// Messages of others that are there whenever somebody reads, until this time.
  package var noise: (record: Record, until: UInt64)?
  private var lost = 0
  private var number = 0
  /// Whether nothing new comes any more.
  package private(set) var isStopped = false

  /// Nothing comes yet.
  package init(_ loop: SimulatedLoop, _ faults: Faults = Faults()) {
    self.loop = loop
    self.faults = faults
    loop.wake { [unowned self] in start < queue.count ? queue[start].time : nil }
  }

  /// These will come.
  package func add(_ records: [Record]) {
    for record in records {
      number += 1
      if lossy > 0, number % lossy == 0 {
        lost += 1
        continue
      }
      var record = record
      record.time += delay
      queue.append(record)
    }
    let waiting = queue[start...].sorted { $0.time < $1.time }
    queue = waiting
    start = 0
  }

  package var fileDescriptor: Int32 { -1 }

  package func drain(
    atMost limit: Int, into body: (Record) throws(KernelError) -> Void
  ) throws(KernelError) -> Bool {
    try faults.check(.drain)
    if let noise, loop.now < noise.until {
      loop.now += 1_000_000
      try body(Record(time: loop.now, noise.record.content))
      return false
    }
    let there = queue[start...].prefix { $0.time <= loop.now }.count
    if there > room {
      lost += there - room
      queue.removeSubrange(start + room..<start + there)
    }
    var count = 0
    while start < queue.count, queue[start].time <= loop.now, !isStopped || count < there {
      guard count < limit else { return false }
      loop.now += cost
      var record = queue[start]
      if areStampedWhenRead { record.time = loop.now }
      start += 1
      count += 1
      try body(record)
    }
    if lost > 0 {
      try body(Record(time: loop.now, .lost(lost)))
      lost = 0
    }
    return true
  }

  package func stopListening() {
    isStopped = true
    let there = queue[start...].prefix { $0.time <= loop.now }.count
    queue.removeSubrange(start + there..<queue.count)
  }

  package func skip() -> Int {
    let there = queue[start...].prefix { $0.time <= loop.now }.count
    start += there
    return there
  }
}
