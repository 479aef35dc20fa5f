internal import Kernel
package import Trace

/// A recording in nftrace's own directory: of a setup, or of the last ping.
package struct KeptRecording {
  /// The name of its file, by which people call it.
  package let name: String
  /// Where its newer file is.
  package let path: String
  /// Those of its files that there are, the older first.
  package let files: [String]
  /// Octets of all.
  package let octets: Int
  /// The recorder that writes it; nil if none does any more.
  package let writer: RecorderState?
  /// What it begins with; nil where nothing is in it that can be read.
  package private(set) var header: SessionHeader?
  /// When the first message in it was received, nanoseconds since the epoch.
  package private(set) var first: UInt64?
  /// When the last one was.
  package private(set) var last: UInt64?
  /// Log, trace and conntrack messages; nil where that is not known.
  package private(set) var events: Int?
  /// Packets that they are about; nil where that is not known.
  package private(set) var packets: Int?
  /// Messages the kernel had no room for.
  package private(set) var lost: Int?
  /// How it ended, where it says so.
  package private(set) var end: RecordingEnd?

  /// Octets that are looked at at a time.
  package static let part = 1 << 17

  /// Looks into the recording whose newer file has this path. Where it does not say itself how much is
  /// in it, all of it is counted.
  package init(_ path: String, writers: [RecorderState]) {
    self.path = path
    name = path.split(separator: "/").last.map(String.init) ?? path
    files = StateDirectory.files(ofRecording: path)
    octets = files.compactMap { FileIdentity($0)?.size }.reduce(0, +)
    writer = writers.first { $0.session == path }
    guard let oldest = files.first, let newest = files.last else { return }
    var tally = SessionTally()
    // What the kernel listed when it began may be long.
    for part in 0..<64 where tally.first == nil {
      let piece = FilePart.read(oldest, from: part * Self.part, count: Self.part) ?? []
      if piece.isEmpty { break }
      tally.feed(piece)
    }
    header = tally.header
    first = tally.first
    (last, end) = RecordingFiles.tail(of: newest)
    let known = end ?? writer?.end(at: 0)
    lost = known?.lost
    // What is in the older file may be another recorder's, and how many of those that were dropped were
    // events nobody says.
    if let known, let packets = known.packets, known.dropped.octets == 0, files.count == 1 {
      (events, self.packets) = (known.events, packets)
    } else {
      let all = RecordingFiles.tally(of: path)
      (first, last, events) = (all.first, all.last, all.events)
      packets = all.packets
      if isOfPing { lost = all.lost }
    }
  }

  /// When it began, nanoseconds since the epoch.
  package var began: UInt64? { header?.recorded?.since ?? first }

  /// Events that are not in it any more, the oldest.
  package var dropped: Int? { (end?.dropped ?? writer?.dropped)?.records }

  /// The same at the end of a sentence; empty where there are none.
  static func gone(_ dropped: Int?) -> String {
    guard let dropped, dropped > 0 else { return "" }
    return "; its oldest \(dropped) events were dropped to keep to its size"
  }

  /// Whether a recorder writes it.
  package var isBeingWritten: Bool { writer != nil }

  /// Whether it is the last ping.
  package var isOfPing: Bool { name == StateDirectory.lastName }

  /// What tells the namespace that it is of from others; nil for a ping.
  package var key: Substring? { RecordingFiles.key(ofName: name) }

  /// How it ended, in words; nil if it was told to, or goes on.
  package var ending: String? {
    if isBeingWritten || isOfPing { return nil }
    guard let end else { return "its recorder did not say how it ended" }
    return end.reason.map { "ended early: \($0)" }
  }
}
