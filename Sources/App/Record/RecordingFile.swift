package import Kernel
package import Trace

/// The session file of a recorder. It is written in pieces, and begins anew when it is full. What
/// cannot be written any more ends it behind a whole block.
package struct RecordingFile {
  private let file: any RecordingMedium
  private let loop: any EventLoop
  /// Whether it is kept where nftrace keeps its own files, and not where a user said.
  private let isOurs: Bool
  /// Whether it is the file that was there, or made, when it began.
  private var isFirst = true
  private var buffer: [UInt8] = []
  /// Where what is in the buffer may end, how many events there are between the places, and when they
  /// were received.
  private var marks: [(end: Int, events: Int, time: UInt64)] = []
  /// How far the file reaches, nanoseconds since the epoch.
  private var reached: UInt64 = 0
  /// Octets in the file: whole blocks.
  private var written = 0
  private(set) var bounds: RecordingBounds
  /// When the oldest octet was put into the buffer, nanoseconds of the monotonic clock.
  private var waitingSince: UInt64?
  /// What ended it: nothing more can be written.
  private(set) var failure: KernelError?
  /// Events that could not be written.
  private(set) var unwritten = 0

  /// Octets in the buffer that are written at once.
  private static let most = 1 << 18
  /// Nanoseconds that a record waits at most, so that a reader sees what is new.
  private static let patience: UInt64 = 30_000_000

  /// Writes to a file that is empty. What is there under the name of the one before it counts.
  package init(_ file: any RecordingMedium, limit: Int, isOurs: Bool, loop: any EventLoop) {
    self.file = file
    self.loop = loop
    self.isOurs = isOurs
    bounds = RecordingBounds(
      limit: limit,
      previous: DroppedRecords(records: 0, octets: file.previousSize))
  }

  /// Begins a section: what nftrace knows, and what the kernel listed.
  package mutating func begin(_ header: SessionHeader, _ records: [Record]) throws(KernelError) {
    var header = header
    header.dropped = bounds.dropped.octets > 0 ? bounds.dropped : nil
    let before = buffer.count
    buffer += SessionFile.beginning(header)
    mark(loop.realtime)
    for record in records {
      SessionFile.append(record, to: &buffer)
      mark(record.time)
    }
    if bounds.current.octets == 0 {
      bounds.begin(octets: buffer.count - before)
    } else {
      bounds.add(octets: buffer.count - before)
    }
    try flush()
  }

  /// Adds a record, which is an event that is counted, or not.
  package mutating func write(_ record: Record, isEvent: Bool = false) throws(KernelError) {
    let before = buffer.count
    SessionFile.append(record, to: &buffer)
    bounds.add(octets: buffer.count - before)
    mark(record.time, events: isEvent ? 1 : 0)
    if waitingSince == nil { waitingSince = loop.monotonic }
    if buffer.count > Self.most { try flush() }
  }

  private mutating func mark(_ time: UInt64, events: Int = 0) {
    marks.append((buffer.count, events, time))
  }

  /// When the buffer is to be written, nanoseconds of the monotonic clock; nil if it is empty.
  package var due: UInt64? { waitingSince.map { $0 + Self.patience } }

  mutating func flush() throws(KernelError) {
    defer {
      buffer.removeAll(keepingCapacity: true)
      marks.removeAll(keepingCapacity: true)
      waitingSince = nil
    }
    if let failure {
      unwritten += marks.reduce(0) { $0 + $1.events }
      throw failure
    }
    if buffer.isEmpty { return }
    do {
      try file.write(buffer)
      written += buffer.count
      reached = marks.last?.time ?? reached
    } catch {
      failure = error
      cut()
      throw error
    }
  }

  /// Ends the file behind the last block that is whole in it.
  private mutating func cut() {
    let octets = (file.size ?? written) - written
    let whole = marks.prefix { $0.end <= octets }
    written += whole.last?.end ?? 0
    reached = whole.last?.time ?? reached
    unwritten += marks.dropFirst(whole.count).reduce(0) { $0 + $1.events }
    file.cut(to: written)
    // One that another was to follow: what was before it stays the last.
    if written == 0, isOurs || !isFirst { file.remove() }
  }

  /// Writes how the recording ended, where there is room for that.
  package mutating func end(_ end: RecordingEnd) {
    if failure != nil, written == 0 { return }
    // Who reads it takes the time of a record for how far those before it reach.
    let time = failure == nil ? loop.realtime : reached
    let bytes = SessionFile.bytes(Record(time: time, .note(.ended(end))))
    if (try? file.write(bytes)) == nil { file.cut(to: written) }
  }

  /// Whether another file is to begin.
  package var isFull: Bool { bounds.isFull }

  /// Puts the file in the place of the one before it; another one is to be begun.
  package mutating func rotate() throws(KernelError) {
    try flush()
    try file.rotate()
    bounds.rotate()
    isFirst = false
    written = 0
  }
}
