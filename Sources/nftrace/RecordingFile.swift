import Kernel
import Trace

/// The session file of a recorder. It is written in pieces, and begins anew when it is full.
struct RecordingFile: ~Copyable {
  private let path: String
  /// Whether it is kept where nftrace keeps its own files, and not where a user said.
  private let isOurs: Bool
  private var file: OutputFile
  private var buffer: [UInt8] = []
  private(set) var bounds: RecordingBounds
  /// When the oldest octet was put into the buffer, nanoseconds of the monotonic clock.
  private var waitingSince: UInt64?

  /// Octets in the buffer that are written at once.
  private static let most = 1 << 18
  /// Nanoseconds that a record waits at most, so that a reader sees what is new.
  private static let patience: UInt64 = 200_000_000

  /// Makes the file, or empties it. What is there under the name of the one before it counts.
  init(_ path: String, limit: Int, isOurs: Bool) throws(KernelError) {
    self.path = path
    self.isOurs = isOurs
    file = try isOurs ? OutputFile(ours: path) : OutputFile(path)
    bounds = RecordingBounds(
      limit: limit,
      previous: DroppedRecords(records: 0, octets: FileIdentity(path + ".1")?.size ?? 0))
  }

  /// Begins a section: what nftrace knows, and what the kernel listed.
  mutating func begin(_ header: SessionHeader, _ records: [Record]) throws(KernelError) {
    var header = header
    header.dropped = bounds.dropped.octets > 0 ? bounds.dropped : nil
    buffer += SessionFile.beginning(header)
    for record in records { buffer += SessionFile.bytes(record) }
    if bounds.current.octets == 0 {
      bounds.begin(octets: buffer.count)
    } else {
      bounds.add(octets: buffer.count)
    }
    try flush()
  }

  mutating func write(_ record: Record) throws(KernelError) {
    let bytes = SessionFile.bytes(record)
    bounds.add(octets: bytes.count)
    buffer += bytes
    if waitingSince == nil { waitingSince = Clock.monotonic }
    if buffer.count > Self.most { try flush() }
  }

  /// When the buffer is to be written, nanoseconds of the monotonic clock; nil if it is empty.
  var due: UInt64? { waitingSince.map { $0 + Self.patience } }

  mutating func flush() throws(KernelError) {
    if !buffer.isEmpty { try file.write(buffer) }
    buffer.removeAll(keepingCapacity: true)
    waitingSince = nil
  }

  /// Whether another file is to begin.
  var isFull: Bool { bounds.isFull }

  /// Puts the file in the place of the one before it; another one is to be begun.
  mutating func rotate() throws(KernelError) {
    try flush()
    try OutputFile.rename(path, to: path + ".1")
    bounds.rotate()
    file = try isOurs ? OutputFile(ours: path) : OutputFile(path)
  }
}
